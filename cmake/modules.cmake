# pj_module(NAME [FAST] [EXCEPTIONS] FOLDERS ... [DEPENDS modules and libraries...])
#
# One static library a folder: all its .cc files, warnings on. `DEPENDS` mirrors the arrows of
# docs/architecture.md; tests/architecture checks the includes themselves.
set(PJ_WARNINGS -Wall -Wextra -Wpedantic)
if(PJ_WERROR)
  list(APPEND PJ_WARNINGS -Werror)
endif()
if(PJ_SANITIZE)
  # vptr checks need RTTI, which modules are built without and tests with.
  add_compile_options(-fsanitize=${PJ_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${PJ_SANITIZE})
  # gcc sees uninitialised variables in what the sanitizers insert (its manual says so).
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()

# Code without exceptions needs no tables to unwind it: a tenth of the library. Debuggers have their
# own in the other configurations. What operator new throws ends at the first frame without a table
# in std::terminate(), as it would at the next `noexcept`.
set(PJ_NO_UNWIND_TABLES $<$<CONFIG:Release>:-fno-asynchronous-unwind-tables>)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64) # where gcc makes tables of either kind
  list(APPEND PJ_NO_UNWIND_TABLES $<$<CONFIG:Release>:-fno-unwind-tables>)
endif()

function(pj_module name)
  cmake_parse_arguments(ARG "EXCEPTIONS;FAST" "" "FOLDERS;DEPENDS" ${ARGN})
  set(sources)
  foreach(folder IN LISTS ARG_FOLDERS)
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cc)
    list(APPEND sources ${files})
  endforeach()
  if(NOT sources)
    add_library(pj_${name} INTERFACE)
    return()
  endif()
  add_library(pj_${name} STATIC ${sources})
  target_include_directories(pj_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  # Integer results must not depend on the compiler's mood: no fused multiply-add behind our back.
  target_compile_options(pj_${name} PRIVATE ${PJ_WARNINGS} -fvisibility=hidden -ffp-contract=off)
  # What has to be fast is in kernels/levels, built by itself; the rest should be small and build
  # quickly: with -O3 the library would be twice as large.
  if(ARG_FAST)
    target_compile_options(pj_${name} PRIVATE $<$<CONFIG:Release>:-O2>)
  else()
    target_compile_options(pj_${name} PRIVATE $<$<CONFIG:Release>:-Os>)
  endif()
  target_compile_options(pj_${name} PRIVATE -ffunction-sections -fdata-sections)
  if(NOT ARG_EXCEPTIONS)
    target_compile_options(pj_${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti>
                                              ${PJ_NO_UNWIND_TABLES})
  endif()
  target_link_libraries(pj_${name} PUBLIC ${ARG_DEPENDS})
endfunction()

# pj_kernel_level(NAME LIST FLAGS): the code of one ISA level, if the compiler can build it for this
# platform: kernels/levels/NAME.cc and runtime/peak/levels/NAME.cc, where there is such a file. Their
# modules learn of it through PJ_HAVE_<LIST>.
include(CheckCXXSourceCompiles)
function(pj_kernel_level name list flags)
  pj_emulated(flags emulated)
  set(CMAKE_REQUIRED_FLAGS "${flags}")
  check_cxx_source_compiles("int main() { return 0; }" PJ_COMPILER_HAS_${list})
  if(NOT PJ_COMPILER_HAS_${list})
    return()
  endif()
  separate_arguments(flags)
  pj_level_code(kernels kernels/levels/${name}.cc ${list} ${flags})
  if(emulated)
    return() # what software reaches is nobody's peak
  endif()
  if(PJ_SANITIZE)
    list(APPEND flags -fno-sanitize=all) # their checks would be measured too
  endif()
  pj_level_code(peak runtime/peak/levels/${name}.cc ${list} ${flags})
endfunction()

# pj_emulated(FLAGS EMULATED): with PJ_EMULATE_AVX512, the variable FLAGS of a level beyond AVX2
# becomes what compiles it for AVX2, and the variable EMULATED true (tests/emulated).
function(pj_emulated flags_variable emulated_variable)
  set(native "${${flags_variable}}")
  set(${emulated_variable} FALSE PARENT_SCOPE)
  if(NOT PJ_EMULATE_AVX512 OR NOT native MATCHES "-mavx512|-mavxvnni")
    return()
  endif()
  set(software "${pj_avx2_flags} -iquote ${CMAKE_SOURCE_DIR}/tests/emulated")
  if(native MATCHES "-mavx512")
    string(APPEND software " -include ${CMAKE_SOURCE_DIR}/tests/emulated/avx512.h")
  endif()
  if(native MATCHES "-mavx512vnni")
    string(APPEND software " -DPJ_EMULATED_VNNI=1")
  endif()
  set(${flags_variable} "${software}" PARENT_SCOPE)
  set(${emulated_variable} TRUE PARENT_SCOPE)
endfunction()

# pj_level_code(MODULE SOURCE LIST FLAGS...): adds SOURCE, if it exists, to pj_<MODULE>.
function(pj_level_code module source list)
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${source})
    return()
  endif()
  cmake_path(GET source STEM name)
  set(target pj_${module}_${name})
  add_library(${target} OBJECT ${CMAKE_SOURCE_DIR}/${source})
  # Optimised in every configuration: the tests run whole networks. -Wno-psabi: vectors wider than
  # the level's registers are passed between functions, but those are all inlined.
  # With -O2 gcc 12 makes half of the kernels a tenth to a half slower (measured: floats, VNNI).
  set(optimise -O3)
  if(PJ_SANITIZE)
    set(optimise -O1) # more takes gcc 12 many minutes, with all the checks between instructions
  endif()
  target_compile_options(${target} PRIVATE ${PJ_WARNINGS} -Wno-psabi ${optimise} -fvisibility=hidden
                                           -ffunction-sections -fno-exceptions -fno-rtti -ffp-contract=off
                                           ${PJ_NO_UNWIND_TABLES} ${ARGN})
  # gcc 12 sees uninitialised variables in its own <immintrin.h> (its bug 105593).
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_libraries(${target} PRIVATE pj_base)
  target_sources(pj_${module} PRIVATE $<TARGET_OBJECTS:${target}>)
  target_compile_definitions(pj_${module} PRIVATE PJ_HAVE_${list})
endfunction()

# pj_xnnpack_generation(TARGET): whether XNNPACK's API sets up shapes apart from pointers (2024) or
# together (2022).
function(pj_xnnpack_generation target)
  set(CMAKE_REQUIRED_INCLUDES ${XNNPACK_INCLUDE_DIR} ${PTHREADPOOL_INCLUDE_DIR})
  set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
  check_cxx_source_compiles(
    "#include <xnnpack.h>
     auto f = xnn_reshape_convolution2d_nhwc_qs8_qc8w;"
    PJ_XNNPACK_HAS_RESHAPE)
  if(PJ_XNNPACK_HAS_RESHAPE)
    target_compile_definitions(${target} PRIVATE PJ_XNNPACK_RESHAPE)
  endif()
endfunction()

# pj_element_level(NAME LIST FLAGS): kernels/levels/elements.cc for one ISA level, likewise;
# PJ_HAVE_ELEMENTS_<LIST>.
function(pj_element_level name list flags)
  if(PJ_EMULATE_AVX512 AND flags MATCHES "-mavx512")
    set(flags "${pj_avx2_flags}") # as Highway has it for AVX2
  endif()
  set(CMAKE_REQUIRED_FLAGS "${flags}")
  check_cxx_source_compiles("int main() { return 0; }" PJ_COMPILER_HAS_ELEMENTS_${list})
  if(NOT PJ_COMPILER_HAS_ELEMENTS_${list})
    return()
  endif()
  set(target pj_elements_${name})
  add_library(${target} OBJECT ${CMAKE_SOURCE_DIR}/kernels/levels/elements.cc)
  separate_arguments(flags)
  target_compile_options(
    ${target} PRIVATE ${PJ_WARNINGS} -O2 -fvisibility=hidden -ffunction-sections -fno-exceptions
                      -fno-rtti -ffp-contract=off ${PJ_NO_UNWIND_TABLES} ${flags})
  target_compile_definitions(${target} PRIVATE PJ_LEVEL_ROWS=PJ_ELEMENTS_${list})
  target_include_directories(${target} SYSTEM PRIVATE ${HIGHWAY_INCLUDE_DIR})
  target_link_libraries(${target} PRIVATE pj_base)
  target_sources(pj_kernels PRIVATE $<TARGET_OBJECTS:${target}>)
  target_compile_definitions(pj_kernels PRIVATE PJ_HAVE_ELEMENTS_${list})
endfunction()

# pj_flatbuffers(TARGET SCHEMA): generates <schema>_generated.h for the target.
function(pj_flatbuffers target schema)
  get_filename_component(base ${schema} NAME_WE)
  set(directory ${CMAKE_BINARY_DIR}/generated/${target})
  set(header ${directory}/${base}_generated.h)
  add_custom_command(
    OUTPUT ${header}
    COMMAND ${FLATC} --cpp --scoped-enums --cpp-std c++17 -o ${directory} ${CMAKE_SOURCE_DIR}/${schema}
    DEPENDS ${CMAKE_SOURCE_DIR}/${schema})
  target_sources(${target} PRIVATE ${header})
  target_include_directories(${target} SYSTEM PRIVATE ${directory} ${FLATBUFFERS_INCLUDE_DIR})
endfunction()

# pj_test(NAME [OPTIMIZED] [DEPENDS ...]): one executable of all *_test.cc in tests/NAME.
function(pj_test name)
  cmake_parse_arguments(ARG "OPTIMIZED" "" "DEPENDS" ${ARGN})
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${name}/*.cc)
  if(NOT files)
    return()
  endif()
  add_executable(test_${name} ${files})
  # What tests measure is in the libraries; their own code only has to compile quickly.
  target_compile_options(test_${name} PRIVATE ${PJ_WARNINGS} $<IF:$<BOOL:${ARG_OPTIMIZED}>,-O1,-O0>)
  target_compile_definitions(test_${name} PRIVATE PJ_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                                  PJ_BINARY_DIR="${CMAKE_BINARY_DIR}")
  # Most of that time goes into GoogleTest's headers and the graph's: several files read them once.
  set_target_properties(test_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 4)
  target_link_libraries(test_${name} PRIVATE ${ARG_DEPENDS} GTest::gmock_main)
  add_test(NAME ${name} COMMAND test_${name})
endfunction()
