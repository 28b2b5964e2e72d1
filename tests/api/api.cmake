# Tests of the library as programs see it: through pj.h, pj.hpp and the installed package.
pj_test(api DEPENDS picojoule pj_format pj_test_support ${CMAKE_DL_LIBS})
set(folder ${CMAKE_SOURCE_DIR}/tests/api)

# pj.h in strict C99, pj.hpp in C++17 without exceptions and RTTI.
target_sources(test_api PRIVATE ${folder}/strict_c99.c)
set_source_files_properties(${folder}/strict_c99.c PROPERTIES COMPILE_OPTIONS
                            "-std=c99;-pedantic;-Wconversion;-Werror")
set_source_files_properties(${folder}/wrapper_test.cc PROPERTIES COMPILE_OPTIONS
                            "-std=c++17;-fno-exceptions;-fno-rtti;-Wshadow;-Werror")

add_test(NAME api_symbols
         COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DLIBRARY=$<TARGET_FILE:picojoule>
                 -DHEADER=${CMAKE_SOURCE_DIR}/include/pj/pj.h -P ${folder}/symbols.cmake)

# An instrumented library needs a program built the same way.
if(NOT PJ_SANITIZE)
  list(JOIN CMAKE_CROSSCOMPILING_EMULATOR " " emulator)
  add_test(NAME install_consumer
           COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DBUILD=${CMAKE_BINARY_DIR}
                   -DGENERATOR=${CMAKE_GENERATOR} -DC_COMPILER=${CMAKE_C_COMPILER}
                   -DTOOLCHAIN=${CMAKE_TOOLCHAIN_FILE} -DSYSROOT=${CMAKE_SYSROOT}
                   -DEMULATOR=${emulator}
                   -P ${folder}/install_consumer.cmake)
endif()
