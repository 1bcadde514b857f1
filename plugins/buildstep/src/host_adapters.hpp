// The seams of seams.hpp on the SDK: programs, sandbox and screen of a plugin's call. Thin; each lives on the
// stack of one invocation.
#pragma once

#include "davit/call.hpp"
#include "davit/host.hpp"
#include "seams.hpp"

namespace davit::buildstep {

class HostPrograms : public Programs {
 public:
  HostPrograms(const sdk::Host& host, const sdk::Call& call) : host_(host), call_(call) {}
  int run(const Program& program) override;

 private:
  const sdk::Host& host_;
  sdk::Call call_;
};

class HostSandbox : public Sandbox {
 public:
  HostSandbox(const sdk::Host& host, const sdk::Call& call) : host_(host), call_(call) {}
  int run(const sdk::Task& task) override { return host_.tasks(call_).run(task); }

 private:
  const sdk::Host& host_;
  sdk::Call call_;
};

class CallScreen : public Screen {
 public:
  explicit CallScreen(const sdk::Call& call) : call_(call) {}
  void step(std::string_view text) override { call_.step(text); }
  void header(std::string_view text) override { call_.header(text); }
  void warning(std::string_view text) override { call_.warning(text); }
  void detail(std::string_view line) override { call_.detail(std::string(line) + "\n"); }

 private:
  sdk::Call call_;
};

}  // namespace davit::buildstep
