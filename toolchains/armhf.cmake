# 32-bit ARM Linux (ARMv7 with VFPv3) with Debian's g++-arm-linux-gnueabihf.
set(CMAKE_SYSTEM_PROCESSOR arm)
set(PJ_TRIPLET arm-linux-gnueabihf)
set(PJ_DEBIAN_ARCH armhf)
set(PJ_QEMU qemu-arm)
# Notes that gcc 7 changed how some types are passed: nothing here was built with an older one.
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
