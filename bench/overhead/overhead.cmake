# ./dev bench overhead
add_executable(bench_overhead EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/overhead/main.cc)
target_compile_options(bench_overhead PRIVATE ${PJ_WARNINGS})
target_link_libraries(bench_overhead PRIVATE pj_exec pj_test_support)
add_executable(bench_profiling EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/overhead/profiling.cc)
target_compile_options(bench_profiling PRIVATE ${PJ_WARNINGS})
target_link_libraries(bench_profiling PRIVATE pj_named pj_energy)
