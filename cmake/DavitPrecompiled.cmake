# Precompiled system headers. Three quarters of a file's compile time was the standard library: nothing of ours is in here, so
# that a change of ours never makes one of these anew. Files still include what they use: the sanitizer presets build without.
#
# davit_precompiled_host, _plugin, _test: one owner for each set of code generation flags (g++ refuses a header made with others).
# davit_use_precompiled(TARGET OWNER) for one target, davit_use_precompiled_below(FOLDER OWNER) for every C++ library of a folder.
set(davit_system_headers <algorithm> <array> <charconv> <chrono> <cstdint> <filesystem> <fstream> <functional> <map> <memory>
    <optional> <set> <sstream> <string> <string_view> <utility> <variant> <vector> <fmt/format.h>)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled/empty.cpp CONTENT "int main() {}\n")

add_library(davit_precompiled_host OBJECT ${CMAKE_BINARY_DIR}/precompiled/empty.cpp)
target_precompile_headers(davit_precompiled_host PRIVATE ${davit_system_headers} <tl/expected.hpp>)

add_library(davit_precompiled_plugin OBJECT ${CMAKE_BINARY_DIR}/precompiled/empty.cpp)
set_target_properties(davit_precompiled_plugin PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
target_precompile_headers(davit_precompiled_plugin PRIVATE ${davit_system_headers})

if(DAVIT_TESTS)
  add_executable(davit_precompiled_test ${CMAKE_BINARY_DIR}/precompiled/empty.cpp)  # executables are -fPIE, libraries -fPIC
  target_compile_options(davit_precompiled_test PRIVATE ${DAVIT_TEST_FLAGS})
  target_link_libraries(davit_precompiled_test PRIVATE GTest::gmock GTest::gtest)  # with the macro that every user of it defines
  target_precompile_headers(davit_precompiled_test PRIVATE ${davit_system_headers} <tl/expected.hpp> <gmock/gmock.h> <gtest/gtest.h>)
endif()

function(davit_use_precompiled target owner)
  target_precompile_headers(${target} REUSE_FROM ${owner})
  target_compile_options(${target} PRIVATE $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-fpch-preprocess>)  # for ccache
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.c$")
  set_source_files_properties(${sources} TARGET_DIRECTORY ${target} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()

function(davit_use_precompiled_below folder owner)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(sources ${target} SOURCES)
    if(type MATCHES "^(OBJECT|MODULE|STATIC)_LIBRARY$" AND sources MATCHES "\\.cpp")
      davit_use_precompiled(${target} ${owner})
    endif()
  endforeach()
endfunction()

# Several test files in one compilation, since most of one's time is templates that the next instantiates again: for scripts/build on a fresh
# checkout; who changes one file wants DAVIT_BATCHES=OFF. Rooms stay apart: the front links single objects of theirs.
option(DAVIT_BATCHES "Compile several tests at once: faster as a whole, slower after a change" OFF)
function(davit_in_batches target)
  get_target_property(sources ${target} SOURCES)
  if(sources MATCHES "\\.c(;|$)")
    return()  # CMake would look for the precompiled header in C, too
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${DAVIT_BATCHES} UNITY_BUILD_BATCH_SIZE 6)
endfunction()
