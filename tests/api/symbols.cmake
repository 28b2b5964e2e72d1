# The library exports what pj.h declares, neither more nor less.
execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY} OUTPUT_VARIABLE symbols
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^ \n]+\n" exported "${symbols}")
list(TRANSFORM exported STRIP)
list(SORT exported)

file(READ ${HEADER} header)
string(REGEX MATCHALL "PJ_API [a-z_* ]+ \\**pj_[a-z_]+\\(" declarations "${header}")
set(declared)
foreach(declaration IN LISTS declarations)
  string(REGEX MATCH "(pj_[a-z_]+)\\($" name "${declaration}")
  list(APPEND declared ${CMAKE_MATCH_1})
endforeach()
list(SORT declared)

list(LENGTH declared count)
if(count LESS 20)
  message(FATAL_ERROR "only ${count} declarations found in ${HEADER}: ${declared}")
endif()
if(NOT exported STREQUAL declared)
  message(FATAL_ERROR "${LIBRARY} exports\n  ${exported}\nand ${HEADER} declares\n  ${declared}")
endif()
