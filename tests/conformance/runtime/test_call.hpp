// A davit_call that remembers what it was told. For tests of plugins.
#pragma once

#include <string>
#include <vector>

#include "davit/call.h"
#include "davit/text.hpp"
#include "process/cancel.hpp"

namespace davit::test {

/// Threads: one, but for cancel(). Must outlive the invocation.
class TestCall {
 public:
  TestCall() : cancel_(*CancelToken::create()) {
    raw_.struct_size = sizeof raw_;
    raw_.host_data = this;
    raw_.actor = sdk::str("local:test");
    raw_.fail = [](const davit_call* call, davit_str slug, davit_str message, davit_str hint) {
      self(call).slug = sdk::copy(slug);
      self(call).message = sdk::copy(message);
      self(call).hint = sdk::copy(hint);
    };
    raw_.get_error = [](const davit_call* call, const davit_sink* sink) {
      sink->write(sink->sink_data, sdk::str(self(call).message));
    };
    raw_.output = [](const davit_call* call, uint32_t stream, davit_str bytes) -> davit_status {
      if (stream == DAVIT_STREAM_WARNING) self(call).warnings.push_back(sdk::copy(bytes));
      return DAVIT_OK;
    };
    raw_.progress = [](const davit_call*, davit_str, uint64_t, uint64_t, davit_str) {};
    raw_.log = [](const davit_call* call, int32_t, davit_str text) {
      self(call).log.push_back(sdk::copy(text));
    };
    raw_.cancelled = [](const davit_call* call) -> int32_t { return self(call).cancel_.cancelled() ? 1 : 0; };
  }
  TestCall(const TestCall&) = delete;
  TestCall& operator=(const TestCall&) = delete;

  [[nodiscard]] const davit_call* raw() const { return &raw_; }
  void cancel() const { cancel_.cancel(); }
  [[nodiscard]] const CancelToken& token() const { return cancel_; }
  static TestCall& self(const davit_call* call) { return *static_cast<TestCall*>(call->host_data); }

  std::string slug;
  std::string message;
  std::string hint;
  std::vector<std::string> warnings;
  std::vector<std::string> log;

 private:
  CancelToken cancel_;
  davit_call raw_{};
};

}  // namespace davit::test
