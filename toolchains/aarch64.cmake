# 64-bit ARM Linux with Debian's g++-aarch64-linux-gnu.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(PJ_TRIPLET aarch64-linux-gnu)
set(PJ_DEBIAN_ARCH arm64)
set(PJ_QEMU qemu-aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
