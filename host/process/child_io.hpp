// The parent's ends of a child's descriptors, and the cutting of output into lines. Private to this room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "process/exec_child.hpp"
#include "process/process_runner.hpp"
#include "process/unique_fd.hpp"

namespace davit::detail {

/// What the child's fds 0-2 become, and our ends of the pipes (-1 where there is none).
struct ChildIo {
  std::vector<FdMove> moves;
  UniqueFd in_write;
  UniqueFd out_read;
  UniqueFd err_read;
  std::vector<UniqueFd> child_ends;  ///< to close after the fork

  static Result<ChildIo> open(const Command& command);
};

/// Takes the bytes of one output stream to where the command wants them.
class OutputTaker {
 public:
  OutputTaker(const Output& output, std::string& captured, bool& truncated)
      : output_(&output), captured_(&captured), truncated_(&truncated) {}
  void take(std::string_view bytes);
  void end();

 private:
  void take_lines(const OutputLines& lines, std::string_view bytes);
  void emit_line(const OutputLines& lines);

  const Output* output_;
  std::string* captured_;
  bool* truncated_;
  std::string line_;
  bool in_long_line_ = false;  ///< a piece of this line was handed on already
};

/// Exit from a wait status.
Exit exit_from_status(int status);

/// Threads: as Child says.
std::unique_ptr<Child> make_child(pid_t pid, const Command& command);

}  // namespace davit::detail
