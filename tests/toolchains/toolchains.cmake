# Scripts that bring the tool to boards. An instrumented tool needs this computer's libraries.
if(NOT CMAKE_CROSSCOMPILING AND TARGET pj AND NOT PJ_SANITIZE)
  add_test(NAME board COMMAND ${CMAKE_CURRENT_LIST_DIR}/board_test.sh $<TARGET_FILE:pj>)
  set_tests_properties(board PROPERTIES SKIP_REGULAR_EXPRESSION "skipped: ")
endif()
