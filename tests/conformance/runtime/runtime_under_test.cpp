// See runtime_under_test.hpp.
#include "runtime_under_test.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "davit/commands.h"
#include "davit/hooks.h"

namespace davit::test {
namespace {

davit_selector c_of(const sdk::Selector& value) {
  return davit_selector{sizeof(davit_selector),
                        value.owner_kind,
                        sdk::str(value.owner),
                        sdk::str(value.revision),
                        sdk::str(value.process_type),
                        value.number,
                        0};
}

/// The C form of a Group; the value must outlive it.
class CGroup {
 public:
  explicit CGroup(const sdk::Group& value)
      : argv_(value.argv), env_(value.env), mounts_(sdk::to_c_list<davit_mount>(value.mounts)) {
    if (value.artifact) artifact_ = sdk::to_c(*value.artifact);
    if (value.limits) limits_ = sdk::to_c(*value.limits);
    raw_.struct_size = sizeof raw_;
    raw_.flags = value.flags;
    raw_.owner_kind = value.owner_kind;
    raw_.count = value.count;
    raw_.owner = sdk::str(value.owner);
    raw_.revision = sdk::str(value.revision);
    raw_.process_type = sdk::str(value.process_type);
    raw_.artifact = value.artifact ? &artifact_ : nullptr;
    raw_.argv = argv_.get();
    raw_.env = env_.get();
    raw_.mounts = sdk::list_of(mounts_);
    raw_.limits = value.limits ? &limits_ : nullptr;
    raw_.user = sdk::str(value.user);
    raw_.restart = value.restart;
    raw_.stop_signal = value.stop_signal;
    raw_.stop_timeout_ms = value.stop_timeout_ms;
    raw_.max_retries = value.max_retries;
  }
  [[nodiscard]] const davit_group* get() const { return &raw_; }

 private:
  sdk::StrArray argv_;
  sdk::KvArray env_;
  std::vector<davit_mount> mounts_;
  davit_artifact artifact_{};
  davit_limits limits_{};
  davit_group raw_{};
};

sdk::Instance copy_of(const davit_instance& raw) {
  sdk::Instance value;
  value.state = raw.state;
  value.id = sdk::copy(raw.id);
  value.revision = sdk::copy(raw.revision);
  value.process_type = sdk::copy(raw.process_type);
  value.number = raw.number;
  value.exits = raw.exits;
  value.since_unix_ms = raw.since_unix_ms;
  value.exit_code = raw.exit_code;
  value.pid = raw.pid;
  value.endpoints = sdk::copy_list<sdk::Endpoint, davit_endpoint>(raw.endpoints);
  value.listening = raw.listening;
  return value;
}

davit_status put_instance(void* list, const davit_instance* instance) {
  static_cast<std::vector<sdk::Instance>*>(list)->push_back(copy_of(*instance));
  return DAVIT_OK;
}

davit_status put_line(void* out, const davit_log_line* line) {
  (*static_cast<const sdk::LogOutput*>(out))(
      sdk::LogLine{line->number, line->unix_ms, sdk::copy(line->revision), sdk::copy(line->process_type),
                   sdk::copy(line->text)});
  return DAVIT_OK;
}

}  // namespace

RuntimeUnderTest::RuntimeUnderTest(FakeHost& host, const std::filesystem::path& plugin_file) {
  void* library = dlopen(plugin_file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    ADD_FAILURE() << dlerror();
    return;
  }
  const auto entry = reinterpret_cast<davit_plugin_entry>(dlsym(library, DAVIT_PLUGIN_ENTRY_NAME));
  descriptor_ = entry();
  EXPECT_EQ(descriptor_->create(host.raw(), fresh().raw(), &plugin_), DAVIT_OK) << call_->message;
  EXPECT_EQ(descriptor_->start(plugin_, fresh().raw()), DAVIT_OK) << call_->message;
  runtime_ =
      static_cast<const davit_runtime*>(descriptor_->get_interface(plugin_, sdk::str(DAVIT_RUNTIME_ID)));
  EXPECT_NE(runtime_, nullptr);
}

RuntimeUnderTest::~RuntimeUnderTest() {
  if (plugin_ == nullptr) return;
  descriptor_->stop(plugin_, fresh().raw());
  descriptor_->destroy(plugin_);
}

TestCall& RuntimeUnderTest::fresh() {
  call_ = std::make_unique<TestCall>();
  return *call_;
}

davit_status RuntimeUnderTest::apply(const sdk::Group& group) {
  const CGroup raw(group);
  return runtime_->apply(plugin_, fresh().raw(), raw.get());
}

davit_status RuntimeUnderTest::inspect(const sdk::Selector& selector, std::vector<sdk::Instance>& found) {
  const davit_selector raw = c_of(selector);
  const davit_instance_sink sink{&found, &put_instance};
  found.clear();
  return runtime_->inspect(plugin_, fresh().raw(), &raw, &sink);
}

davit_status RuntimeUnderTest::wait_change(const sdk::Selector& selector, std::uint64_t timeout_ms) {
  const davit_selector raw = c_of(selector);
  return runtime_->wait_change(plugin_, fresh().raw(), &raw, timeout_ms);
}

davit_status RuntimeUnderTest::stop(const sdk::Selector& selector) {
  const davit_selector raw = c_of(selector);
  return runtime_->stop(plugin_, fresh().raw(), &raw);
}

davit_status RuntimeUnderTest::start(const sdk::Selector& selector) {
  const davit_selector raw = c_of(selector);
  return runtime_->start(plugin_, fresh().raw(), &raw);
}

davit_status RuntimeUnderTest::remove(const sdk::Selector& selector, bool forget_logs) {
  const davit_selector raw = c_of(selector);
  return runtime_->remove(plugin_, fresh().raw(), &raw, forget_logs ? 1 : 0);
}

davit_status RuntimeUnderTest::logs(TestCall& call, const sdk::Selector& selector, const sdk::LogQuery& query,
                                    const sdk::LogOutput& out) {
  const davit_selector raw = c_of(selector);
  const davit_log_query raw_query{sizeof(davit_log_query), query.follow ? 1U : 0U, query.lines,
                                  query.since_unix_ms};
  const davit_log_sink sink{const_cast<sdk::LogOutput*>(&out), &put_line};
  return runtime_->logs(plugin_, call.raw(), &raw, &raw_query, &sink);
}

davit_status RuntimeUnderTest::exec(const sdk::Exec& exec, int& exit_code) {
  const sdk::StrArray argv(exec.argv);
  const sdk::KvArray env(exec.env);
  const sdk::OutputSink out(exec.out);
  const sdk::OutputSink err(exec.err);
  davit_exec raw{};
  raw.struct_size = sizeof raw;
  raw.flags = exec.flags;
  raw.instance = sdk::str(exec.instance);
  raw.argv = argv.get();
  raw.env = env.get();
  for (std::size_t i = 0; i < 3; ++i) raw.fds[i] = exec.fds[i];
  raw.timeout_ms = exec.timeout_ms;
  raw.out = out.get();
  raw.err = err.get();
  return runtime_->exec(plugin_, fresh().raw(), &raw, &exit_code);
}

davit_status RuntimeUnderTest::run_task(TestCall& call, const sdk::Task& task, int& exit_code) {
  const sdk::CTask raw(task);
  return runtime_->run_task(plugin_, call.raw(), raw.get(), &exit_code);
}

davit_status RuntimeUnderTest::list_owned(sdk::Strings& owned) {
  sdk::StringsSink sink;
  const davit_status status = runtime_->list_owned(plugin_, fresh().raw(), sink.get());
  owned = sink.take();
  return status;
}

davit_status RuntimeUnderTest::describe(sdk::Pairs& facts) {
  sdk::PairsSink sink;
  const davit_status status = runtime_->describe(plugin_, fresh().raw(), sink.get());
  facts = sink.take();
  return status;
}

davit_status RuntimeUnderTest::examine(sdk::Strings& findings) {
  const auto* doctor =
      static_cast<const davit_doctor*>(descriptor_->get_interface(plugin_, sdk::str(DAVIT_DOCTOR_ID)));
  if (doctor == nullptr) return DAVIT_UNSUPPORTED;
  findings.clear();
  const davit_finding_sink sink{
      &findings, [](void* list, uint32_t level, davit_str what, davit_str) -> davit_status {
        static_cast<sdk::Strings*>(list)->push_back(std::to_string(level) + " " + sdk::copy(what));
        return DAVIT_OK;
      }};
  return doctor->examine(plugin_, fresh().raw(), &sink);
}

davit_status RuntimeUnderTest::system_start() {
  const auto* hooks =
      static_cast<const davit_hooks*>(descriptor_->get_interface(plugin_, sdk::str(DAVIT_HOOKS_ID)));
  if (hooks == nullptr) return DAVIT_UNSUPPORTED;
  davit_event event{};
  event.struct_size = sizeof event;
  event.kind = DAVIT_EVENT_STEP;
  event.id = sdk::str(DAVIT_EV_SYSTEM_START);
  sdk::TextSink token;
  if (const davit_status status = hooks->prepare(plugin_, fresh().raw(), &event, token.get());
      status != DAVIT_OK) {
    return status;
  }
  const std::string text = token.take();
  return hooks->apply(plugin_, fresh().raw(), &event, sdk::str(text));
}

davit_status RuntimeUnderTest::system_stop() {
  const auto* hooks =
      static_cast<const davit_hooks*>(descriptor_->get_interface(plugin_, sdk::str(DAVIT_HOOKS_ID)));
  if (hooks == nullptr) return DAVIT_UNSUPPORTED;
  davit_event event{};
  event.struct_size = sizeof event;
  event.kind = DAVIT_EVENT_STEP;
  event.id = sdk::str(DAVIT_EV_SYSTEM_START);
  return hooks->undo(plugin_, fresh().raw(), &event, davit_str{});
}

}  // namespace davit::test
