# Everything we link comes from Debian packages (scripts/install-deps names them).
find_package(Threads REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(Poco REQUIRED COMPONENTS Foundation Net JSON)

# Boost.Filesystem is linked statically: Process v2 needs it, and every shared library costs start-up time.
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS filesystem)

# fmt and spdlog as headers: two shared libraries less to relocate at each start.
add_library(davit_fmt INTERFACE)
target_link_libraries(davit_fmt INTERFACE fmt::fmt-header-only)
add_library(davit_spdlog INTERFACE)
target_link_libraries(davit_spdlog INTERFACE spdlog::spdlog_header_only)

# tl::expected, header-only (libexpected-dev); g++ 12's own std::expected cannot be parsed by clang's tools.
find_path(DAVIT_EXPECTED_INCLUDE tl/expected.hpp REQUIRED)
