// A real nginx for tests: its own directory, a free port of loopback, started and stopped by pid. Implements
// what the engine needs of the machine, so that the engine under test drives it.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine.hpp"
#include "machine.hpp"
#include "tests/temp_folder.hpp"

namespace davit::nginx::test {

class TestNginx : public Machine {
 public:
  explicit TestNginx(Switching switching = Switching::kSocket);
  ~TestNginx() override;

  // Machine
  ProgramResult run(const std::vector<std::string>& argv) override;
  void start(const std::vector<std::string>& argv) override;
  void reload() override;

  // A fresh engine, as a fresh worker process has it.
  Engine engine();
  Settings& settings() { return settings_; }
  AppInputs& inputs(const std::string& app);

  void kill_master(int signal);  // and waits until it is gone
  bool running() const { return pid_ > 0; }
  std::uint64_t generation();
  int reloads() const { return reloads_; }

  struct Answer {
    int status = 0;  // 0: no answer at all
    std::string body;
    std::map<std::string, std::string> headers;
  };
  Answer get(const std::string& host, const std::string& path = "/",
             const std::map<std::string, std::string>& headers = {});
  Answer post(const std::string& host, const std::string& body);

 private:
  const davit::test::TempFolder directory_;
  Settings settings_;
  std::map<std::string, AppInputs> inputs_;
  pid_t pid_ = 0;
  std::vector<pid_t> groups_;  // of every master there was
  int reloads_ = 0;
};

// A port that nobody listens on just now.
std::uint16_t free_port();

}  // namespace davit::nginx::test
