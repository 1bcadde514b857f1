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
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g1")

add_compile_options(-Wall -Wextra -Wpedantic $<$<BOOL:${DAVIT_WERROR}>:-Werror>)
# g++ 12 warns of overlapping copies inside std::string that cannot happen (a known false alarm of that release).
add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
add_compile_definitions(_GNU_SOURCE)
add_link_options(-Wl,--as-needed)  # a library that nothing uses would still cost start-up time

find_program(DAVIT_CCACHE ccache)
if(DAVIT_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${DAVIT_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${DAVIT_CCACHE})
endif()
find_program(DAVIT_MOLD mold)
if(DAVIT_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
if(DAVIT_SANITIZE)
  add_compile_options(-fsanitize=${DAVIT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DAVIT_SANITIZE})
endif()

# The install tree and the build tree look the same: bin/, lib/davit/plugins/, libexec/davit/, share/davit/.
set(DAVIT_BIN_DIR ${CMAKE_BINARY_DIR}/bin)
set(DAVIT_PLUGIN_DIR ${CMAKE_BINARY_DIR}/lib/davit/plugins)
set(DAVIT_LIBEXEC_DIR ${CMAKE_BINARY_DIR}/libexec/davit)
set(DAVIT_SHARE_DIR ${CMAKE_BINARY_DIR}/share/davit)
