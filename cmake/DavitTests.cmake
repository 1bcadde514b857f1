# davit_test(NAME SOURCES file... [LIBRARIES lib...] [LABELS label...] [TIMEOUT_S n] [SERIAL])
#   one GoogleTest executable and its ctest entry (one entry per executable: start-up is what costs here).
#   Labels: unit (default), conformance, scenario, e2e, tidy. Test code finds the build by the macros
#   DAVIT_SOURCE_DIR and DAVIT_BUILD_DIR.
if(DAVIT_TESTS)
  find_package(GTest REQUIRED)
endif()

function(davit_test name)
  if(NOT DAVIT_TESTS)
    return()
  endif()
  cmake_parse_arguments(TEST "SERIAL" "TIMEOUT_S" "SOURCES;LIBRARIES;LABELS;DEPENDS" ${ARGN})
  if(NOT TEST_LABELS)
    set(TEST_LABELS unit)
  endif()
  if(NOT TEST_TIMEOUT_S)
    set(TEST_TIMEOUT_S 300)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_LIBRARIES} GTest::gmock GTest::gtest GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(${name} PRIVATE -O0 -g0)  # what is tested is optimised; the tests need not be, and build time is short
  target_compile_definitions(${name} PRIVATE DAVIT_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                             DAVIT_BUILD_DIR="${CMAKE_BINARY_DIR}")
  if(TEST_DEPENDS)
    add_dependencies(${name} ${TEST_DEPENDS})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${TEST_LABELS}" TIMEOUT ${TEST_TIMEOUT_S})
  if(TEST_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
  endif()
endfunction()
