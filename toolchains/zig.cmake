# 64-bit ARM Linux with the Zig compiler of toolchains/zig, for builds with PJ_SELF_CONTAINED that
# run on systems older than any distribution's compiler:
#   PJ_ZIG_TARGET  aarch64-linux-gnu.2.27 (default): the GNU C library from that version on
#                  aarch64-linux-musl: no library of the system at all; what it links is static
# Headers of other projects are those of Debian's packages, each linked into a folder of its own,
# since beside them lie the headers of another C library.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
if(NOT PJ_ZIG_TARGET)
  set(PJ_ZIG_TARGET aarch64-linux-gnu.2.27)
endif()
if(NOT PJ_ZIG)
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/zig OUTPUT_VARIABLE PJ_ZIG
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/sysroot arm64 OUTPUT_VARIABLE sysroot
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(PJ_HEADERS ${CMAKE_BINARY_DIR}/headers)
  file(MAKE_DIRECTORY ${PJ_HEADERS})
  foreach(folder fmt tl flatbuffers hwy CLI nlohmann stb)
    file(CREATE_LINK ${sysroot}/usr/include/${folder} ${PJ_HEADERS}/${folder} SYMBOLIC)
  endforeach()
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PJ_ZIG PJ_ZIG_TARGET PJ_HEADERS)
set(CMAKE_C_COMPILER ${PJ_ZIG}/cc)
set(CMAKE_CXX_COMPILER ${PJ_ZIG}/c++)
set(CMAKE_AR ${PJ_ZIG}/ar)
set(CMAKE_RANLIB ${PJ_ZIG}/ranlib)
foreach(language C CXX ASM)
  set(CMAKE_${language}_FLAGS_INIT "-target ${PJ_ZIG_TARGET}")
  set(CMAKE_${language}_COMPILER_AR ${PJ_ZIG}/ar)
  set(CMAKE_${language}_COMPILER_RANLIB ${PJ_ZIG}/ranlib)
endforeach()

set(CMAKE_FIND_ROOT_PATH ${PJ_HEADERS})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE NEVER)
set(CMAKE_INCLUDE_PATH ${PJ_HEADERS})
