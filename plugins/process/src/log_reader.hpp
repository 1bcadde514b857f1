// Reads the log folder of one instance in order, over rotations, and goes on where it stopped. Not the
// merging of several instances: log_merge.hpp.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "names.hpp"

namespace davit::process_plugin {

struct LogEntry {
  std::int64_t unix_ms = 0;
  std::string text;
};

/// Old files (@TAI64N.s or .u) sort by name, `current` is the newest. s6-log renames current and begins a new
/// one; the reader keeps the old file open until it is read to its end. Threads: one at a time.
class LogReader {
 public:
  LogReader(InstanceName instance, std::string folder);
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;
  ~LogReader();

  [[nodiscard]] const InstanceName& instance() const { return instance_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

  /// Begins so that the last `lines` remain, and perhaps some more (0: at the first that is kept).
  void seek_last(std::uint64_t lines);
  /// The next whole line; nullopt at the present end. Call again after the folder has changed.
  std::optional<LogEntry> next();

 private:
  struct File {
    std::string name;
    ino_t inode = 0;
  };
  [[nodiscard]] std::vector<File> files() const;
  bool open_file(const std::string& name, off_t offset);
  [[nodiscard]] std::optional<std::string> next_file() const;
  bool read_more();
  bool fill();
  void close_file();

  InstanceName instance_;
  std::string folder_;
  int fd_ = -1;
  ino_t inode_ = 0;
  std::string name_;  ///< of the open file when it was opened
  std::string buffer_;
  std::size_t taken_ = 0;  ///< of buffer_
  std::int64_t last_ms_ = 0;
};

}  // namespace davit::process_plugin
