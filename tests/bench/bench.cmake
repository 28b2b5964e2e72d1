# The measuring scripts: a test for each file, without network. They start what they measure, so
# they are tested where that runs as it is.
if(CMAKE_CROSSCOMPILING)
  return()
endif()
find_package(Python3 3.9 COMPONENTS Interpreter)
file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/bench/*_test.py)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WE)
  string(REPLACE _test "" name ${name})
  if(Python3_FOUND)
    add_test(NAME bench_${name} COMMAND ${Python3_EXECUTABLE} -m unittest ${file}
             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(
      bench_${name} PROPERTIES ENVIRONMENT
                               "PYTHONDONTWRITEBYTECODE=1;PJ_RUN=$<TARGET_FILE:pj_run>")
  else()
    set(message "skipped: python3 is missing")
    add_test(NAME bench_${name} COMMAND ${CMAKE_COMMAND} -E echo ${message})
    set_tests_properties(bench_${name} PROPERTIES SKIP_REGULAR_EXPRESSION "${message}")
  endif()
endforeach()
