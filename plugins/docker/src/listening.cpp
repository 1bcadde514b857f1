// See listening.hpp.
#include "listening.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "containers.hpp"
#include "files/files.hpp"

namespace davit::docker_plugin {
namespace {

constexpr std::string_view kListening = "0A";
constexpr std::string_view kLoopback6 = "00000000000000000000000001000000";
constexpr std::string_view kMapped4 = "0000000000000000FFFF0000";  // an IPv4 address follows

std::string_view next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

// Numbers are in the order of the machine's bytes: the last two digits are the first of the address.
bool is_loopback(std::string_view address) {
  if (address.size() == 32 && address.starts_with(kMapped4)) address.remove_prefix(kMapped4.size());
  return address == kLoopback6 || (address.size() == 8 && address.ends_with("7F"));
}

}  // namespace

bool listens(std::string_view table, std::uint32_t port) {
  const std::string wanted = fmt::format("{:04X}", port);
  while (!table.empty()) {
    std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(line.size() + 1, table.size()));
    (void)next_word(line);  // the entry's number
    const std::string_view local = next_word(line);
    (void)next_word(line);  // the other end
    const std::size_t colon = local.find(':');
    if (colon == std::string_view::npos || next_word(line) != kListening) continue;
    if (local.substr(colon + 1) == wanted && !is_loopback(local.substr(0, colon))) return true;
  }
  return false;
}

std::uint32_t listening(std::int32_t pid, const std::string& container_id, std::uint32_t port) {
  const std::string process = "/proc/" + std::to_string(pid);
  if (port == 0 || !is_in_container(pid, container_id)) return DAVIT_LISTENING_UNKNOWN;
  const auto v4 = files::read_file(process + "/net/tcp");
  const auto v6 = files::read_file(process + "/net/tcp6");  // not there where the kernel has none
  if (!v4) return DAVIT_LISTENING_UNKNOWN;
  if (listens(*v4, port)) return DAVIT_LISTENING_YES;
  // The relay comes by IPv4, and the table does not say who takes IPv6 alone.
  return v6 && listens(*v6, port) ? DAVIT_LISTENING_UNKNOWN : DAVIT_LISTENING_NO;
}

}  // namespace davit::docker_plugin
