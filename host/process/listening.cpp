// From the kernel's tables: proc(5), /proc/PID/net/tcp.
#include "process/listening.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

namespace davit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";
constexpr std::string_view kLoopback6 = "00000000000000000000000001000000";

// Numbers are in the order of the machine's bytes: the last two digits are the first of the address.
bool is_loopback(std::string_view address) {
  return address == kLoopback6 || (address.size() == 8 && address.ends_with("7F"));
}

/// "socket:[4711]", as a descriptor's link has it, of each that listens in the process's network namespace.
std::map<std::string, ListeningSocket> sockets_seen_by(std::string_view process) {
  std::map<std::string, ListeningSocket> found;
  for (const char* table : {"tcp", "tcp6"}) {
    std::ifstream file(fmt::format("/proc/{}/net/{}", process, table));
    std::string line;
    std::getline(file, line);  // what the columns are
    while (std::getline(file, line)) {
      std::istringstream words(line);
      std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
          inode;
      const std::size_t colon = local.find(':');
      if (state != kListening || colon == std::string::npos) continue;
      ListeningSocket socket;
      socket.loopback = is_loopback(std::string_view(local).substr(0, colon));
      std::from_chars(local.data() + colon + 1, local.data() + local.size(), socket.port, 16);
      found.emplace("socket:[" + inode + "]", socket);
    }
  }
  return found;
}

/// Every descriptor's link.
std::set<std::string> descriptors_of(const fs::path& process) {
  std::set<std::string> links;
  std::error_code error;
  for (fs::directory_iterator at(process / "fd", error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    links.insert(fs::read_symlink(at->path(), gone));
  }
  return links;
}

std::vector<fs::path> all_processes() {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) found.push_back(at->path());
  }
  return found;
}

std::string name_of(const fs::path& process) {
  std::ifstream file(process / "comm");
  std::string name;
  std::getline(file, name);
  return fmt::format("{} (pid {})", name, process.filename().string());
}

/// "" if it is gone. The name, which may hold anything, ends with the last ')'; then come state and parent.
std::string parent_of(const fs::path& process) {
  std::ifstream file(process / "stat");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream words(text.substr(name_end + 1));
  std::string state, parent;
  words >> state >> parent;
  return parent;
}

std::set<std::string> with_descendants(const std::string& process) {
  std::multimap<std::string, std::string> children;
  for (const fs::path& at : all_processes()) children.emplace(parent_of(at), at.filename());
  std::set<std::string> family{process};
  for (std::vector<std::string> rest{process}; !rest.empty();) {
    const auto [first, last] = children.equal_range(rest.back());
    rest.pop_back();
    for (auto child = first; child != last; ++child) {
      if (family.insert(child->second).second) rest.push_back(child->second);
    }
  }
  return family;
}

}  // namespace

std::string holder_of_port(std::uint16_t port) {
  auto sockets = sockets_seen_by("self");
  std::erase_if(sockets, [port](const auto& entry) { return entry.second.port != port; });
  if (sockets.empty()) return {};
  for (const fs::path& process : all_processes()) {
    for (const std::string& link : descriptors_of(process)) {
      if (sockets.contains(link)) return name_of(process);
    }
  }
  return "somebody else's program";
}

std::vector<ListeningSocket> listening_sockets(pid_t pid) {
  if (pid <= 0) return {};
  const std::string process = std::to_string(pid);
  const auto sockets = sockets_seen_by(process);
  std::set<ListeningSocket> found;
  for (const std::string& member : with_descendants(process)) {
    for (const std::string& link : descriptors_of("/proc/" + member)) {
      if (const auto socket = sockets.find(link); socket != sockets.end()) found.insert(socket->second);
    }
  }
  return {found.begin(), found.end()};
}

bool is_in_our_network(pid_t pid) {
  std::error_code error;
  return pid > 0 && fs::equivalent("/proc/self/ns/net", fmt::format("/proc/{}/ns/net", pid), error);
}

}  // namespace davit
