// See log_reader.hpp.
#include "log_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "log_line.hpp"
#include "trees.hpp"

namespace davit::process_plugin {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::size_t kLongestLine = 1024 * 1024;  // a line without an end is cut here
constexpr char kEndOfRun = '\x1e';                 // on the last line of a unit's run: host/native/unit_run.c

bool is_log_file(std::string_view name) {
  return name == "current" || (name.starts_with('@') && (name.ends_with(".s") || name.ends_with(".u")));
}

/// Offset of the line that is `lines` from the end; how many there are if fewer. Lines with the end of a run
/// are not counted: most have nothing else.
struct Tail {
  off_t offset = 0;
  std::uint64_t lines = 0;
};

Tail tail_of(const std::string& path, std::uint64_t lines) {
  Tail tail;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return tail;
  bool at_end_of_line = false;  // the byte that comes next, backwards, is the last of a line
  bool counts = true;
  struct stat facts {};
  fstat(fd, &facts);
  std::string block(kBlock, '\0');
  off_t end = facts.st_size;
  off_t last_byte = end - 1;  // the newline that ends the last line begins no other
  while (end > 0) {
    const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(kBlock));
    const ssize_t got = pread(fd, block.data(), static_cast<std::size_t>(end - begin), begin);
    if (got <= 0) break;
    for (off_t at = begin + got - 1; at >= begin; --at) {
      const char byte = block[static_cast<std::size_t>(at - begin)];
      if (at_end_of_line) counts = byte != kEndOfRun;
      at_end_of_line = byte == '\n';
      if (!at_end_of_line || at == last_byte || !counts) continue;
      if (++tail.lines == lines) {
        tail.offset = at + 1;
        close(fd);
        return tail;
      }
    }
    end = begin;
  }
  close(fd);
  if (facts.st_size > 0 && counts) ++tail.lines;  // the first line of the file
  return tail;
}

}  // namespace

LogReader::LogReader(InstanceName instance, std::string folder)
    : instance_(std::move(instance)), folder_(std::move(folder)) {}

LogReader::~LogReader() {
  close_file();
}

void LogReader::close_file() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

std::vector<LogReader::File> LogReader::files() const {
  std::vector<File> found;
  for (const std::string& name : names_in(folder_)) {  // '@' sorts before 'c'
    struct stat facts {};
    if (!is_log_file(name) || lstat((folder_ + "/" + name).c_str(), &facts) != 0) continue;
    if (S_ISREG(facts.st_mode)) found.push_back(File{name, facts.st_ino});
  }
  return found;
}

bool LogReader::open_file(const std::string& name, off_t offset) {
  const int fd = open((folder_ + "/" + name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat facts {};
  if (fd < 0 || fstat(fd, &facts) != 0 || lseek(fd, offset, SEEK_SET) < 0) {
    if (fd >= 0) close(fd);
    return false;
  }
  close_file();
  fd_ = fd;
  inode_ = facts.st_ino;
  name_ = name;
  return true;
}

void LogReader::seek_last(std::uint64_t lines) {
  if (lines == 0) return;
  const std::vector<File> all = files();
  std::uint64_t wanted = lines;
  for (auto file = all.rbegin(); file != all.rend(); ++file) {
    const Tail tail = tail_of(folder_ + "/" + file->name, wanted);
    if (open_file(file->name, tail.offset) && tail.lines >= wanted) return;
    wanted -= std::min(wanted, tail.lines);
  }
}

/// After the file that is open comes the one behind it in the folder, found by inode since it is renamed
/// meanwhile.
std::optional<std::string> LogReader::next_file() const {
  const std::vector<File> all = files();
  if (all.empty()) return std::nullopt;
  if (fd_ < 0) return all.front().name;
  const auto mine = std::ranges::find_if(all, [&](const File& file) { return file.inode == inode_; });
  if (mine == all.end()) return all.front().name;  // removed while we were behind
  if (std::next(mine) == all.end()) return std::nullopt;
  return std::next(mine)->name;
}

bool LogReader::read_more() {
  if (fd_ < 0) return false;
  const std::size_t size = buffer_.size();
  buffer_.resize(size + kBlock);
  const ssize_t got = read(fd_, buffer_.data() + size, kBlock);
  buffer_.resize(size + static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  return got > 0;
}

bool LogReader::fill() {
  buffer_.erase(0, taken_);
  taken_ = 0;
  for (;;) {
    if (read_more()) return true;
    const std::optional<std::string> next = next_file();
    if (!next) return false;
    if (read_more()) return true;  // written after our first look, before the file was put aside
    if (!open_file(*next, 0)) return false;
  }
}

std::optional<LogEntry> LogReader::next() {
  for (;;) {
    std::size_t end = buffer_.find('\n', taken_);
    const bool cut = end == std::string::npos && buffer_.size() - taken_ > kLongestLine;
    if (end == std::string::npos && !cut) {
      if (!fill()) return std::nullopt;
      continue;
    }
    if (cut) end = taken_ + kLongestLine;
    const std::string_view line = std::string_view(buffer_).substr(taken_, end - taken_);
    LogEntry entry{last_ms_, std::string(line)};
    if (const auto stamped = parse_stamped(line))
      entry = LogEntry{stamped->unix_ms, std::string(stamped->text)};
    last_ms_ = entry.unix_ms;
    taken_ = cut ? end : end + 1;
    if (entry.text.ends_with(kEndOfRun)) {
      entry.text.pop_back();
      if (entry.text.empty()) continue;
    }
    return entry;
  }
}

}  // namespace davit::process_plugin
