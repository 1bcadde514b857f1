// From the kernel's tables: proc(5), /proc/net/tcp.
#include "process/port_holder.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace davit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";

/// "socket:[4711]" of each that listens there.
std::set<std::string> sockets_at(std::uint16_t port) {
  std::set<std::string> found;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);  // what the columns are
    while (std::getline(file, line)) {
      std::istringstream words(line);
      std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
          inode;
      if (state == kListening && local.ends_with(fmt::format(":{:04X}", port)))
        found.insert("socket:[" + inode + "]");
    }
  }
  return found;
}

bool holds_one(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code error;
  for (fs::directory_iterator at(process / "fd", error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    if (sockets.contains(fs::read_symlink(at->path(), gone))) return true;
  }
  return false;
}

std::string name_of(const fs::path& process) {
  std::ifstream file(process / "comm");
  std::string name;
  std::getline(file, name);
  return fmt::format("{} (pid {})", name, process.filename().string());
}

}  // namespace

std::string holder_of_port(std::uint16_t port) {
  const auto sockets = sockets_at(port);
  if (sockets.empty()) return {};
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    const bool is_process = name.find_first_not_of("0123456789") == std::string::npos;
    if (is_process && holds_one(at->path(), sockets)) return name_of(at->path());
  }
  return "somebody else's program";
}

}  // namespace davit
