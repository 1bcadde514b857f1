# hook_bench: the cost of the C ABI. Included by this folder's CMakeLists.txt.
find_package(benchmark QUIET)
if(NOT benchmark_FOUND)
  message(WARNING "tests/bench: hook_bench is SKIPPED: libbenchmark-dev is missing")
  return()
endif()
add_executable(hook_bench hook_bench.cpp)
target_include_directories(hook_bench PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(hook_bench PRIVATE davit_sdk benchmark::benchmark ${CMAKE_DL_LIBS})
set(fixtures ${CMAKE_BINARY_DIR}/tests/conformance/fixtures)
target_compile_definitions(hook_bench PRIVATE DAVIT_TEMPLATE="${fixtures}/template.so"
                                              DAVIT_NOOP_C="${fixtures}/fixture-noop.so")
add_dependencies(hook_bench template fixture-noop)
