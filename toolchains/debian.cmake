# What the tool chain files for Debian's cross compilers share. They set
#   CMAKE_SYSTEM_PROCESSOR  what the programs run on
#   PJ_TRIPLET              the prefix of the compiler, and the folder of libraries
#   PJ_DEBIAN_ARCH          the distribution's name for it
#   PJ_QEMU                 the emulator, for tests
# The sysroot is what toolchains/sysroot makes; PJ_SYSROOT names another one.
set(CMAKE_SYSTEM_NAME Linux)
if(NOT PJ_SYSROOT)
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/sysroot ${PJ_DEBIAN_ARCH}
                  OUTPUT_VARIABLE PJ_SYSROOT OUTPUT_STRIP_TRAILING_WHITESPACE
                  COMMAND_ERROR_IS_FATAL ANY)
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PJ_SYSROOT)
set(CMAKE_SYSROOT ${PJ_SYSROOT})
set(CMAKE_C_COMPILER ${PJ_TRIPLET}-gcc)
set(CMAKE_CXX_COMPILER ${PJ_TRIPLET}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${PJ_TRIPLET})

# Programs that the build runs are the host's; all else is the sysroot's.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/emulate ${PJ_QEMU} ${PJ_SYSROOT})
