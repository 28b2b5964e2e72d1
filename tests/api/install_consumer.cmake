# Installs the library into a temporary folder, builds the examples against it as a project of their
# own that knows only C, and lets them classify pictures. In a cross build TOOLCHAIN, SYSROOT and
# EMULATOR make and run them for the target.
set(CMAKE_EXECUTE_PROCESS_COMMAND_ECHO STDOUT)
set(root ${BUILD}/install_consumer)
set(prefix ${root}/prefix)
file(REMOVE_RECURSE ${root})

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY OUTPUT_VARIABLE output)
  set(output "${output}" PARENT_SCOPE)
endfunction()

separate_arguments(EMULATOR)
set(cross)
set(flags_of_target)
if(TOOLCHAIN)
  set(cross -DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN} -DCMAKE_FIND_ROOT_PATH=${prefix})
  set(flags_of_target --sysroot=${SYSROOT})
endif()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --component library)
run(${CMAKE_COMMAND} -S ${SOURCE}/examples -B ${root}/build -G ${GENERATOR}
    -DCMAKE_C_COMPILER=${C_COMPILER} -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_BUILD_TYPE=Release
    ${cross})
run(${CMAKE_COMMAND} --build ${root}/build)

# The package must be the one just installed, and the library must be found where it lies.
file(STRINGS ${root}/build/CMakeCache.txt package REGEX "^picojoule_DIR:")
if(NOT package MATCHES "${prefix}")
  message(FATAL_ERROR "found another package: ${package}")
endif()

# pictures/09_ankle_boot.png shows the class of line 9, counted from 0, of labels.txt.
set(fashion ${SOURCE}/models/fashion)
file(STRINGS ${fashion}/labels.txt labels)
file(GLOB pictures ${fashion}/pictures/*.png)
list(LENGTH pictures count)
if(count EQUAL 0)
  message(FATAL_ERROR "no pictures in ${fashion}/pictures")
endif()
foreach(picture IN LISTS pictures)
  get_filename_component(name ${picture} NAME)
  string(REGEX MATCH "^0*([0-9]+)_" unused ${name})
  list(GET labels ${CMAKE_MATCH_1} label)
  run(${EMULATOR} ${root}/build/classify ${fashion}/fashion.tflite ${picture} ${fashion}/labels.txt)
  string(REGEX MATCH "^ *[0-9.]+  ([^\n]*)\n" unused "${output}")
  if(NOT CMAKE_MATCH_1 STREQUAL label)
    message(FATAL_ERROR "${name} shows '${label}', but classify printed:\n${output}")
  endif()
endforeach()

# Profiling needs the library beside the library.
run(${EMULATOR} ${root}/build/profile ${fashion}/fashion.tflite)
if(NOT output MATCHES " ms  fully_connected .* ms  a run, ")
  message(FATAL_ERROR "the example 'profile' printed:\n${output}")
endif()

# The same for programs that use pkg-config, where there is one.
find_program(PKG_CONFIG pkg-config)
if(PKG_CONFIG)
  file(GLOB_RECURSE pc ${prefix}/*/picojoule.pc)
  run(${PKG_CONFIG} --cflags --libs ${pc})
  separate_arguments(flags UNIX_COMMAND "${output}")
  file(WRITE ${root}/version.c
       "#include <pj/pj.h>\n#include <stdio.h>\nint main(void) { return puts(pj_version()) < 0; }\n")
  run(${C_COMPILER} ${flags_of_target} ${root}/version.c ${flags} -o ${root}/version)
  get_filename_component(libraries ${pc} DIRECTORY)
  run(${CMAKE_COMMAND} -E env LD_LIBRARY_PATH=${libraries}/.. ${EMULATOR} ${root}/version)
endif()
