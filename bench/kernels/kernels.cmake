# ./dev bench kernels
find_package(benchmark REQUIRED)
file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/kernels/*.cc)
add_executable(bench_kernels ${files})
target_compile_options(bench_kernels PRIVATE ${PJ_WARNINGS})
target_link_libraries(bench_kernels PRIVATE pj_exec pj_xnnpack pj_peak pj_test_support benchmark::benchmark)
if(PJ_BUILD_TESTS)
  add_test(NAME bench_kernels_smoke COMMAND bench_kernels --smoke)
endif()
