# libpicojoule: the C API, the only library that programs link. The modules are inside it, but what
# only profiling needs is in libpicojoule_profile, which it loads.
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bindings/c/*.cc)
add_library(picojoule SHARED ${sources})
add_library(picojoule::picojoule ALIAS picojoule)
set_target_properties(picojoule PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)
target_include_directories(picojoule PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
                                            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(picojoule PRIVATE pj_load pj_energy ${CMAKE_DL_LIBS})
target_compile_definitions(picojoule PRIVATE PJ_VERSION="${PROJECT_VERSION}")
# With exceptions, unlike the modules: only so does the compiler make `noexcept` stop what operator
# new throws. Without, it would pass through the border into the caller.
target_compile_options(picojoule PRIVATE ${PJ_WARNINGS} -fvisibility=hidden -fno-rtti -fexceptions
                                         $<$<CONFIG:Release>:-Os>)

# Without a list, templates of libstdc++ would be exported, whose visibility is not ours to set.
function(pj_export_only library symbols)
  target_link_options(${library} PRIVATE -Wl,--version-script=${symbols} -Wl,--gc-sections)
  set_target_properties(${library} PROPERTIES LINK_DEPENDS ${symbols})
endfunction()

pj_export_only(picojoule ${CMAKE_SOURCE_DIR}/bindings/c/picojoule.map)
if(NOT PJ_SANITIZE)  # whose runtime is in the program
  target_link_options(picojoule PRIVATE -Wl,-z,defs)
endif()

add_library(picojoule_profile SHARED ${CMAKE_SOURCE_DIR}/bindings/profile/library.cc)
set_target_properties(picojoule_profile PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)
target_link_libraries(picojoule_profile PRIVATE pj_metering)
target_compile_definitions(picojoule_profile PRIVATE PJ_VERSION="${PROJECT_VERSION}")
target_compile_options(picojoule_profile PRIVATE ${PJ_WARNINGS} -fvisibility=hidden -fno-rtti)
pj_export_only(picojoule_profile ${CMAKE_SOURCE_DIR}/bindings/profile/picojoule_profile.map)
add_dependencies(picojoule picojoule_profile)
