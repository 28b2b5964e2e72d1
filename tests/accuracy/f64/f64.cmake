# The reference kernels a second time, with double for float: ./dev accuracy floats
file(GLOB f64_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/reference/*.cc)
foreach(name aligned op_params shape strided_slice)
  list(APPEND f64_sources ${CMAKE_SOURCE_DIR}/runtime/base/${name}.cc)
endforeach()
add_library(f64_kernels OBJECT EXCLUDE_FROM_ALL ${f64_sources}
                                                ${CMAKE_SOURCE_DIR}/tests/accuracy/f64/evaluate.cc)
target_compile_options(f64_kernels PRIVATE -O2 -include
                                           ${CMAKE_SOURCE_DIR}/tests/accuracy/f64/double.h)
target_link_libraries(f64_kernels PUBLIC pj_base)
add_executable(f64_eval EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/accuracy/f64/main.cc)
target_compile_options(f64_eval PRIVATE ${PJ_WARNINGS})
target_link_libraries(f64_eval PRIVATE f64_kernels pj_load)
