# What the build needs from the system; `./dev build` installs the packages.
include(GNUInstallDirs)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(tl-expected REQUIRED)
# Debian's CMake file for cpuinfo names a library that its package does not contain.
find_library(CPUINFO_LIBRARY cpuinfo REQUIRED)
find_path(CPUINFO_INCLUDE_DIR cpuinfo.h REQUIRED)
find_library(PTHREADPOOL_LIBRARY pthreadpool REQUIRED)
find_path(PTHREADPOOL_INCLUDE_DIR pthreadpool.h REQUIRED)
find_path(FLATBUFFERS_INCLUDE_DIR flatbuffers/flatbuffers.h REQUIRED)
find_program(FLATC flatc REQUIRED)
