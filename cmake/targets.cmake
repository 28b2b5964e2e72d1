# The house, bottom up.
pj_module(base FAST FOLDERS runtime/base DEPENDS fmt::fmt tl::expected Threads::Threads)
if(PJ_EMULATE_AVX512)
  target_compile_definitions(pj_base PRIVATE PJ_EMULATE_AVX512)
endif()
pj_module(graph FOLDERS runtime/graph DEPENDS pj_base)
set_source_files_properties(${CMAKE_SOURCE_DIR}/runtime/graph/quant_scan.cc PROPERTIES
                            COMPILE_OPTIONS -O3)
pj_module(reference FOLDERS kernels/reference DEPENDS pj_base)
# What real models run and no other kernel computes, and what tests compare whole networks with.
foreach(source conv detection matmul)
  set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/reference/${source}.cc PROPERTIES
                              COMPILE_OPTIONS $<$<CONFIG:Release>:-O2>)
endforeach()
pj_module(kernels FAST FOLDERS kernels/catalog kernels/packing DEPENDS pj_reference)
target_sources(pj_kernels PRIVATE ${CMAKE_SOURCE_DIR}/kernels/registry.cc)
pj_module(peak FOLDERS runtime/peak DEPENDS pj_base)
pj_kernel_level(scalar SCALAR "")
set(pj_avx2_flags "-mavx2 -mfma -mf16c -mbmi -mbmi2")
pj_kernel_level(avx2 AVX2 "${pj_avx2_flags}")
# Loops that need all 16 registers: gcc's allocation loop by loop moves and spills around them.
set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/levels/avx2.cc PROPERTIES
  COMPILE_OPTIONS $<$<CXX_COMPILER_ID:GNU>:-fira-region=one>)
pj_kernel_level(avxvnni AVXVNNI "${pj_avx2_flags} -mavxvnni")
set(avx512 "-mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd")
pj_kernel_level(avx512 AVX512 "${avx512}")
pj_kernel_level(avx512vnni AVX512VNNI "${avx512} -mavx512vnni -mbmi -mbmi2")
set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/levels/avx512vnni.cc PROPERTIES
  COMPILE_OPTIONS $<$<CXX_COMPILER_ID:GNU>:-fira-region=one>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  # Written in the order that suits cores without much reordering. Scheduling before registers are
  # allocated would need more of these than there are.
  set(in_order "$<$<CXX_COMPILER_ID:GNU>:-fno-schedule-insns>")
  pj_kernel_level(neon NEON "-march=armv8-a -mtune=cortex-a53")
  pj_kernel_level(neondot NEONDOT "-march=armv8.2-a+dotprod -mtune=cortex-a55")
  pj_kernel_level(neoni8mm NEONI8MM "-march=armv8.2-a+dotprod+i8mm -mtune=cortex-a55")
  pj_kernel_level(neonfp16 NEONFP16 "-march=armv8.2-a+dotprod+fp16 -mtune=cortex-a76")
  foreach(level neon neondot neoni8mm neonfp16)
    set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/levels/${level}.cc PROPERTIES
      COMPILE_OPTIONS ${in_order})
  endforeach()
  pj_element_level(neon NEON "-march=armv8-a")
endif()
pj_element_level(scalar SCALAR "")
pj_element_level(avx2 AVX2 "${pj_avx2_flags}")
pj_element_level(avx512 AVX512 "${avx512} -mbmi -mbmi2")
pj_module(format FOLDERS runtime/format DEPENDS pj_graph)
pj_flatbuffers(pj_format runtime/format/pj.fbs)
set_source_files_properties(${CMAKE_SOURCE_DIR}/runtime/format/verify.cc PROPERTIES
                            COMPILE_OPTIONS $<$<CONFIG:Release>:-O2>)
# A good part of the time of loading a packed file is choosing bands.
set_source_files_properties(${CMAKE_SOURCE_DIR}/runtime/plan/bands.cc PROPERTIES
                            COMPILE_OPTIONS $<$<CONFIG:Release>:-O2>)
pj_module(tflite FOLDERS converters/tflite DEPENDS pj_graph)
pj_flatbuffers(pj_tflite converters/tflite/tflite.fbs)

pj_module(passes FOLDERS runtime/passes DEPENDS pj_graph pj_reference)
pj_module(plan FOLDERS runtime/plan DEPENDS pj_passes pj_kernels)
pj_module(exec FAST FOLDERS runtime/exec DEPENDS pj_plan pj_passes)
if(PJ_HAVE_PTHREADPOOL)
  target_compile_definitions(pj_exec PRIVATE PJ_HAVE_PTHREADPOOL)
  target_include_directories(pj_exec SYSTEM PRIVATE ${PTHREADPOOL_INCLUDE_DIR})
  target_link_libraries(pj_exec PUBLIC ${PTHREADPOOL_LIBRARY})
endif()
set_source_files_properties(${CMAKE_SOURCE_DIR}/runtime/exec/model.cc PROPERTIES
                            COMPILE_OPTIONS $<$<CONFIG:Release>:-Os>)
pj_module(tune FOLDERS runtime/tune DEPENDS pj_exec)
pj_module(energy FOLDERS runtime/energy runtime/energy/counters DEPENDS pj_base)
pj_module(metering FOLDERS runtime/metering DEPENDS pj_exec pj_energy)
pj_module(xnnpack FOLDERS runtime/exec/xnnpack DEPENDS pj_exec)
if(PJ_HAVE_XNNPACK)
  target_compile_definitions(pj_xnnpack PUBLIC PJ_HAVE_XNNPACK)
  target_include_directories(pj_xnnpack SYSTEM PRIVATE ${XNNPACK_INCLUDE_DIR})
  if(PJ_XNNPACK_SONAME)
    set_source_files_properties(${CMAKE_SOURCE_DIR}/runtime/exec/xnnpack/operator.cc PROPERTIES
                                COMPILE_DEFINITIONS PJ_XNNPACK_SONAME="${PJ_XNNPACK_SONAME}")
    target_link_libraries(pj_xnnpack PUBLIC ${CMAKE_DL_LIBS})
  else()
    target_link_libraries(pj_xnnpack PUBLIC ${XNNPACK_LIBRARY})
  endif()
  pj_xnnpack_generation(pj_xnnpack)
else()
  foreach(source factory operator)  # the files that need it
    set_source_files_properties(${CMAKE_SOURCE_DIR}/runtime/exec/xnnpack/${source}.cc
                                PROPERTIES HEADER_FILE_ONLY ON)
  endforeach()
endif()
pj_module(models FOLDERS models models/builders DEPENDS pj_graph)
# The made-up numbers are many.
set_source_files_properties(${CMAKE_SOURCE_DIR}/models/builders/random.cc PROPERTIES COMPILE_OPTIONS -O3)
pj_embed(pj_models fashion_tflite models/fashion/fashion.tflite)
pj_embed(pj_models fashion_labels models/fashion/labels.txt)
pj_module(load FOLDERS converters/load DEPENDS pj_exec pj_xnnpack pj_format pj_tflite)
pj_module(named FOLDERS converters/named DEPENDS pj_load pj_models)
include(bindings/c/library.cmake)
include(bench/peers/peers.cmake)

if(PJ_BUILD_CLI)
  find_path(STB_INCLUDE_DIR stb/stb_image.h REQUIRED)
  pj_module(cli EXCEPTIONS FOLDERS cli
            DEPENDS pj_named pj_tune pj_metering pj_peak CLI11::CLI11 nlohmann_json::nlohmann_json)
  pj_embed(pj_cli profile_html cli/profile.html)
  # main() stays out of the library, so that tests can link the rest.
  get_target_property(sources pj_cli SOURCES)
  list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/cli/main.cc)
  set_target_properties(pj_cli PROPERTIES SOURCES "${sources}")
  target_include_directories(pj_cli SYSTEM PRIVATE ${STB_INCLUDE_DIR})
  target_compile_definitions(pj_cli PUBLIC PJ_VERSION="${PROJECT_VERSION}")
  # Foreign code: its warnings are not ours to fix, damaged files make its sums overflow, and it
  # copies no bytes to null.
  set_source_files_properties(${CMAKE_SOURCE_DIR}/cli/stb_image.cc PROPERTIES COMPILE_OPTIONS
                                                                              "-w;-fwrapv;-fno-sanitize=nonnull-attribute")
  add_executable(pj ${CMAKE_SOURCE_DIR}/cli/main.cc)
  target_compile_options(pj PRIVATE ${PJ_WARNINGS} -ffunction-sections -fdata-sections)
  target_link_libraries(pj PRIVATE pj_cli)
  # The C++ library and fmt as parts of the tool: the shared ones take 1.5 MB of resident memory and
  # the time to map and relocate them. fmt 9 compiles the same from its headers; sanitizers bring
  # their own.
  include(CheckLinkerFlag)
  check_linker_flag(CXX -static-libstdc++ PJ_HAVE_STATIC_CXX)
  if(PJ_HAVE_STATIC_CXX AND CMAKE_CXX_COMPILER_ID STREQUAL GNU AND "${fmt_VERSION}" MATCHES "^9\\."
     AND NOT PJ_SANITIZE AND NOT CMAKE_CROSSCOMPILING)
    set(PJ_STATIC_CXX ON)
    target_sources(pj PRIVATE ${CMAKE_SOURCE_DIR}/cli/tool/fmt.cc ${CMAKE_SOURCE_DIR}/cli/tool/new.cc)
    target_link_options(pj PRIVATE -static-libstdc++ -static-libgcc -Wl,--as-needed
                                   -Wl,--gc-sections)
  endif()
  # Also of resident memory: what every run executes is in one place.
  option(PJ_ORDERED "Link the tool's functions in the order of cli/tool/order.ld" ON)
  set(order -Wl,-T,${CMAKE_SOURCE_DIR}/cli/tool/order.ld)
  check_linker_flag(CXX ${order} PJ_HAVE_ORDER)
  if(PJ_ORDERED AND PJ_HAVE_ORDER AND NOT PJ_SANITIZE)
    target_link_options(pj PRIVATE ${order})
    set_target_properties(pj PROPERTIES LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cli/tool/order.ld)
  endif()
endif()

if(PJ_BUILD_TESTS OR PJ_BUILD_BENCH)
  file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.cc)
  add_library(pj_test_support STATIC ${support})
  target_compile_definitions(pj_test_support PRIVATE PJ_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(pj_test_support PUBLIC pj_graph nlohmann_json::nlohmann_json)
  include(bench/overhead/overhead.cmake)
endif()

if(PJ_BUILD_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  include(tests/api/api.cmake)
  include(tests/accuracy/f64/f64.cmake)
  include(tests/bench/bench.cmake)
  include(tests/toolchains/toolchains.cmake)
  pj_test(architecture DEPENDS pj_base)
  pj_test(plan DEPENDS pj_plan pj_passes pj_test_support)
  pj_test(exec OPTIMIZED DEPENDS pj_exec pj_test_support)
  pj_test(tune OPTIMIZED DEPENDS pj_load pj_tune pj_test_support)
  pj_test(xnnpack DEPENDS pj_xnnpack pj_test_support)
  pj_test(kernels OPTIMIZED DEPENDS pj_exec pj_test_support)
  pj_test(models OPTIMIZED DEPENDS pj_named)
  pj_test(zoo OPTIMIZED DEPENDS pj_load pj_test_support)
  pj_test(fuzz OPTIMIZED DEPENDS pj_named pj_test_support)
  pj_test(base DEPENDS pj_base)
  pj_test(peak DEPENDS pj_peak)
  if(CMAKE_CROSSCOMPILING)  # an emulator's time is not the CPU's
    set_tests_properties(peak PROPERTIES ENVIRONMENT GTEST_FILTER=Available.*:Arithmetic.ThePeak*)
  endif()
  pj_test(energy OPTIMIZED DEPENDS pj_energy)
  pj_test(metering DEPENDS pj_metering pj_test_support)
  pj_test(graph DEPENDS pj_graph)
  pj_test(passes DEPENDS pj_passes)
  pj_test(reference DEPENDS pj_reference)
  pj_test(format DEPENDS pj_format)
  target_include_directories(test_format SYSTEM PRIVATE ${CMAKE_BINARY_DIR}/generated/pj_format)
  pj_test(tflite DEPENDS pj_tflite)
  file(GLOB cli_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/cli/*.cc)
  if(PJ_BUILD_CLI AND cli_tests)
    pj_test(cli DEPENDS pj_cli pj_test_support)
    # The words of the command: one, or more where an emulator runs it.
    set(tool ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:pj>)
    list(JOIN tool "\",\"" tool)
    target_compile_definitions(test_cli PRIVATE PJ_TOOL="${tool}"
                                                $<$<BOOL:${PJ_STATIC_CXX}>:PJ_STATIC_CXX>)
    add_dependencies(test_cli pj)
    if(CMAKE_CROSSCOMPILING)
      # Watts and microjoules of an emulator; and qemu-user does not report that a program that
      # posix_spawn should start is not there.
      set_tests_properties(
        cli PROPERTIES ENVIRONMENT
                       GTEST_FILTER=-Energy.Mistakes:Energy.ProfileMeasuresWhereThereIsACounter)
    endif()
  endif()
endif()

if(PJ_BUILD_BENCH)
  include(bench/kernels/kernels.cmake)
endif()
