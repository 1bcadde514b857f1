// A real dockerd of the tests' own: data, socket and pid file in a folder that goes with it. It makes no
// firewall rules and no default bridge, so that an engine of the machine is not disturbed.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "engine/engine.hpp"
#include "tests/temp_folder.hpp"

namespace davit::docker_plugin {

using docker::Engine;

class TestEngine {
 public:
  /// Why there can be none here; empty if there can.
  static std::string missing();
  /// Started at the first call and stopped when the program ends; nullptr where missing() says so.
  static TestEngine* shared();

  TestEngine();
  TestEngine(const TestEngine&) = delete;
  TestEngine& operator=(const TestEngine&) = delete;
  ~TestEngine();

  /// Waits until it answers; fails the test if it does not.
  void start();
  /// SIGTERM, and waits for its end.
  void stop();
  [[nodiscard]] std::string socket() const { return folder_ / "docker.sock"; }
  Engine& engine() { return *engine_; }

  /// An image of busybox alone (static), as "busybox:1".
  void import_busybox();
  /// Debian with python, made once a machine and kept in the cache, as "davit-tests/python:1". Empty: done;
  /// else why not.
  std::string import_python();

 private:
  test::TempFolder folder_;
  pid_t pid_ = -1;
  std::unique_ptr<Engine> engine_;
};

/// Runs a program to its end with its output in `log`; its exit code.
int run_program(const std::vector<std::string>& argv, const std::string& log);

}  // namespace davit::docker_plugin
