# What `cmake --install` puts where: the library and its headers, the tool, and what lets other
# projects find them: find_package(picojoule), pkg-config picojoule.
include(CMakePackageConfigHelpers)

install(TARGETS picojoule_profile LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
                                  NAMELINK_SKIP)
install(TARGETS picojoule EXPORT picojouleTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT library)
install(DIRECTORY include/pj DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT library)
if(TARGET pj)
  install(TARGETS pj RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
endif()

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/picojoule)
install(EXPORT picojouleTargets NAMESPACE picojoule:: DESTINATION ${package_directory}
        COMPONENT library)
configure_package_config_file(cmake/picojouleConfig.cmake.in
                              ${CMAKE_BINARY_DIR}/package/picojouleConfig.cmake
                              INSTALL_DESTINATION ${package_directory})
# Before 1.0 a new minor version may break programs.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/picojouleConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/package/picojouleConfig.cmake
              ${CMAKE_BINARY_DIR}/package/picojouleConfigVersion.cmake
        DESTINATION ${package_directory} COMPONENT library)

# The .pc file finds its prefix from where it is, so that the installed tree can be moved.
set(pc_directory ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH PJ_PC_PREFIX ${pc_directory} ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH PJ_PC_LIBDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH PJ_PC_INCLUDEDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/picojoule.pc.in ${CMAKE_BINARY_DIR}/package/picojoule.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/package/picojoule.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)

if(PJ_BUILD_EXAMPLES)
  add_subdirectory(examples)
endif()
