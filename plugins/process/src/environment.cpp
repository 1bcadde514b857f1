// See environment.hpp.
#include "environment.hpp"

#include <algorithm>

#include "davit/failure.hpp"

namespace davit::process_plugin {
namespace {

constexpr std::string_view kPrefix = "DAVIT_ENV_";
constexpr std::size_t kLargestEntry = 128 * 1024 - 64;  // MAX_ARG_STRLEN, less the prefix
constexpr std::size_t kLargestWhole = 1536 * 1024;      // ARG_MAX is 2 MiB, the command line included

auto find(sdk::Pairs& env, std::string_view key) {
  return std::ranges::find_if(env, [&](const auto& entry) { return entry.first == key; });
}

[[noreturn]] void refuse(const std::string& message, const std::string& hint) {
  throw sdk::Failure(DAVIT_INVALID, "environment", message, hint);
}

}  // namespace

void set_default(sdk::Pairs& env, std::string_view key, std::string_view value) {
  if (find(env, key) == env.end()) env.emplace_back(key, value);
}

void set_value(sdk::Pairs& env, std::string_view key, std::string_view value) {
  const auto at = find(env, key);
  if (at == env.end()) {
    env.emplace_back(key, value);
  } else {
    at->second = value;
  }
}

void check_environment(const sdk::Pairs& env) {
  std::size_t whole = 0;
  for (const auto& [key, value] : env) {
    const bool bad_key =
        key.empty() || key.find('=') != std::string::npos || key.find('\0') != std::string::npos;
    if (bad_key)
      refuse("a variable has no name, or one with = or NUL in it", "unset it and choose another name");
    if (value.find('\0') != std::string::npos) {
      refuse("the variable " + key + " holds a NUL byte, which no process can be given",
             "encode it, for example as base64");
    }
    const std::size_t size = key.size() + value.size() + 2;
    if (size > kLargestEntry) {
      refuse("the variable " + key + " has " + std::to_string(value.size()) +
                 " bytes; the kernel gives a process at most 128 KiB in one variable",
             "put the data into a file, or split it");
    }
    whole += size;
  }
  if (whole > kLargestWhole) {
    refuse(
        "all variables together have " + std::to_string(whole) + " bytes; a process is given at most 1.5 MiB",
        "put large values into files");
  }
}

sdk::Pairs wrapped_environment(const sdk::Pairs& env) {
  sdk::Pairs wrapped;
  wrapped.reserve(env.size());
  for (const auto& [key, value] : env) wrapped.emplace_back(std::string(kPrefix) + key, value);
  return wrapped;
}

}  // namespace davit::process_plugin
