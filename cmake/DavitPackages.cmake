# Everything we link comes from Debian packages (scripts/install-deps names them).
find_package(Threads REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(LibArchive REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(fmt REQUIRED)  # headers
find_package(spdlog REQUIRED)
find_package(Poco REQUIRED COMPONENTS Foundation Net JSON)
# Poco's package hands on the feature macros of its own build (_XOPEN_SOURCE=500, ...): less than _GNU_SOURCE says already, and a
# reason for g++ to refuse precompiled headers.
foreach(target Poco::Foundation Poco::Net Poco::JSON)
  get_target_property(definitions ${target} INTERFACE_COMPILE_DEFINITIONS)
  if(definitions)
    list(FILTER definitions EXCLUDE REGEX "^_")
    set_target_properties(${target} PROPERTIES INTERFACE_COMPILE_DEFINITIONS "${definitions}")
  endif()
endforeach()

# Boost.Filesystem is linked statically: Process v2 needs it, and every shared library costs start-up time.
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS filesystem)

# fmt is compiled once, and linked statically: as headers only it doubles the compile time of every file that formats, and as a
# shared library it costs each start a relocation. Two files use spdlog: for them headers do.
add_library(davit_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/lib/fmt.cpp)
set_target_properties(davit_fmt PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
add_library(davit_spdlog INTERFACE)
target_compile_definitions(davit_spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
target_link_libraries(davit_spdlog INTERFACE davit_fmt)

# tl::expected, header-only (libexpected-dev); g++ 12's own std::expected cannot be parsed by clang's tools.
find_path(DAVIT_EXPECTED_INCLUDE tl/expected.hpp REQUIRED)
