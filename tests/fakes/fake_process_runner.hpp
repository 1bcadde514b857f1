// FakeProcessRunner: answers commands from a script instead of starting programs, and keeps what was asked.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "process/process_runner.hpp"

namespace davit::fakes {

/// What a scripted program does.
struct ScriptedExit {
  int code = 0;
  std::string out;
  std::string err;
  int signal = 0;
};

/// The first rule whose words all occur in argv, in order, answers. No rule: kNotFound, as for a program that
/// is not installed. Threads: any.
class FakeProcessRunner final : public ProcessRunner {
 public:
  using Program = std::function<Result<ScriptedExit>(const Command&)>;

  void on(std::vector<std::string> words, ScriptedExit exit) {
    on(std::move(words), [exit](const Command&) -> Result<ScriptedExit> { return exit; });
  }
  void on(std::vector<std::string> words, Program program) {
    const std::lock_guard guard(mutex_);
    rules_.push_back({std::move(words), std::move(program)});
  }
  [[nodiscard]] std::vector<Command> commands() const {
    const std::lock_guard guard(mutex_);
    return commands_;
  }

  Result<Exit> run(const Command& command) override {
    DAVIT_TRY_ASSIGN(const auto scripted, answer(command));
    Exit exit;
    exit.code = scripted.signal != 0 ? -1 : scripted.code;
    exit.signal = scripted.signal;
    if (command.cancel && command.cancel->cancelled()) exit.stopped_by = StoppedBy::kCancel;
    deliver(command.out, scripted.out, exit.out, exit.truncated);
    deliver(command.err, scripted.err, exit.err, exit.truncated);
    return exit;
  }

  Result<std::unique_ptr<Child>> start(const Command& command) override {
    DAVIT_TRY_ASSIGN(const auto scripted, answer(command));
    Exit exit;
    exit.code = scripted.signal != 0 ? -1 : scripted.code;
    exit.signal = scripted.signal;
    return std::unique_ptr<Child>(std::make_unique<EndedChild>(exit));
  }

 private:
  struct Rule {
    std::vector<std::string> words;
    Program program;
  };
  class EndedChild final : public Child {
   public:
    explicit EndedChild(Exit exit) : exit_(std::move(exit)) {}
    [[nodiscard]] pid_t pid() const override { return 1; }
    [[nodiscard]] int pidfd() const override { return -1; }
    void signal(int) override {}
    Result<Exit> wait() override { return exit_; }

   private:
    Exit exit_;
  };

  Result<ScriptedExit> answer(const Command& command) {
    Program program;
    {
      const std::lock_guard guard(mutex_);
      commands_.push_back(command);
      for (const auto& rule : rules_) {
        if (matches(rule.words, command.argv)) {
          program = rule.program;
          break;
        }
      }
    }
    if (program) return program(command);
    return fail(Code::kNotFound, "program " + command.argv.front() + " is not installed", {},
                "program-not-found");
  }

  static bool matches(const std::vector<std::string>& words, const std::vector<std::string>& argv) {
    std::size_t at = 0;
    for (const auto& word : words) {
      while (at < argv.size() && argv[at] != word) ++at;
      if (at++ >= argv.size()) return false;
    }
    return true;
  }

  static void deliver(const Output& output, std::string_view bytes, std::string& captured, bool& truncated) {
    if (const auto* chunks = std::get_if<OutputChunks>(&output); chunks != nullptr && !bytes.empty()) {
      chunks->on_chunk(bytes);
    } else if (const auto* lines = std::get_if<OutputLines>(&output)) {
      while (!bytes.empty()) {
        const auto end = std::min(bytes.find('\n'), bytes.size());
        lines->on_line(bytes.substr(0, end));
        bytes.remove_prefix(std::min(end + 1, bytes.size()));
      }
    } else if (const auto* capture = std::get_if<OutputCapture>(&output)) {
      captured = bytes.substr(0, capture->max_bytes);
      truncated = truncated || bytes.size() > capture->max_bytes;
    }
  }

  mutable std::mutex mutex_;
  std::vector<Rule> rules_;
  std::vector<Command> commands_;
};

}  // namespace davit::fakes
