# Compiler flags and tools that the whole tree shares.
option(DAVIT_TESTS "Build the tests" ON)
option(DAVIT_WERROR "Treat warnings as errors" ON)
set(DAVIT_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")  # asserts stay on: they are cheap, and a wrong state must not go on
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(DAVIT_TEST_FLAGS -O0 -g0)  # what is tested is optimised; the tests need not be, and build time is short
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g1")

add_compile_options(-Wall -Wextra -Wpedantic $<$<BOOL:${DAVIT_WERROR}>:-Werror>)
# What g++ 12's optimizer guesses about copies inside std::string and variants cannot happen (known false alarms of that release);
# the sanitizer presets look for the real thing.
add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-restrict$<SEMICOLON>-Wno-array-bounds$<SEMICOLON>-Wno-stringop-overflow$<SEMICOLON>-Wno-stringop-overread$<SEMICOLON>-Wno-maybe-uninitialized>)
add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64)
add_link_options(-Wl,--as-needed)  # a library that nothing uses would still cost start-up time

find_program(DAVIT_CCACHE ccache)
if(DAVIT_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${DAVIT_CCACHE})
  # What ccache asks for with precompiled headers: no file of ours has __TIME__, and a macro that matters is in the command line.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${DAVIT_CCACHE})
endif()
find_program(DAVIT_MOLD mold)
if(DAVIT_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
if(DAVIT_SANITIZE)
  add_compile_options(-fsanitize=${DAVIT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DAVIT_SANITIZE})
endif()
if(DAVIT_SANITIZE MATCHES "thread")
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)  # it does not see fences: the breadcrumb's, whose reader is another process
endif()

# The install tree and the build tree look the same: bin/, lib/davit/plugins/, libexec/davit/, share/davit/.
set(DAVIT_BIN_DIR ${CMAKE_BINARY_DIR}/bin)
set(DAVIT_PLUGIN_DIR ${CMAKE_BINARY_DIR}/lib/davit/plugins)
set(DAVIT_LIBEXEC_DIR ${CMAKE_BINARY_DIR}/libexec/davit)
set(DAVIT_SHARE_DIR ${CMAKE_BINARY_DIR}/share/davit)
