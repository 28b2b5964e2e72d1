# Workers of ./dev bench peers and misses: one program for each runtime that is measured in C.
function(pj_worker name)
  add_executable(${name} ${CMAKE_SOURCE_DIR}/bench/peers/${name}.c
                         ${CMAKE_SOURCE_DIR}/bench/peers/worker.c)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${PJ_WARNINGS})
  target_link_libraries(${name} PRIVATE ${ARGN})
endfunction()

pj_worker(pj_run picojoule)
pj_worker(litert_run ${CMAKE_DL_LIBS})
