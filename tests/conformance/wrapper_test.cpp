// The C++ wrapper of the SDK, driven through its C tables as a host would: exceptions, errors, sinks, typed
// payloads, older and newer hosts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "davit/plugin.hpp"

namespace {

namespace sdk = davit::sdk;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

/// A call that writes down what it is told.
struct FakeCall {
  davit_call raw{};
  std::string slug, message, hint;
  std::vector<std::pair<std::uint32_t, std::string>> outputs;
  bool is_cancelled = false;
  davit_status output_answer = DAVIT_OK;

  FakeCall() {
    raw.struct_size = sizeof(raw);
    raw.host_data = this;
    raw.actor = sdk::str("local:ada");
    raw.fail = [](const davit_call* call, davit_str slug, davit_str message, davit_str hint) {
      of(call).slug = sdk::copy(slug);
      of(call).message = sdk::copy(message);
      of(call).hint = sdk::copy(hint);
    };
    raw.get_error = [](const davit_call* call, const davit_sink* sink) {
      sink->write(sink->sink_data, sdk::str(of(call).message));
    };
    raw.output = [](const davit_call* call, std::uint32_t stream, davit_str bytes) -> davit_status {
      of(call).outputs.emplace_back(stream, sdk::copy(bytes));
      return of(call).output_answer;
    };
    raw.cancelled = [](const davit_call* call) -> std::int32_t { return of(call).is_cancelled; };
  }
  static FakeCall& of(const davit_call* call) { return *static_cast<FakeCall*>(call->host_data); }
};

/// A host with key-values and a process table that feeds its output to the sink in two chunks.
struct FakeHost {
  davit_host raw{};
  std::map<std::string, std::string> values;
  int lookups = 0;
  bool has_kv = true;
  davit_host_kv kv{};
  davit_host_process process{};

  FakeHost() {
    raw = {sizeof(raw), DAVIT_ABI_MINOR, this, sdk::str("test"),
           [](const davit_host* host, davit_str id) -> const void* {
             FakeHost& self = of(host);
             ++self.lookups;
             if (sdk::view(id) == DAVIT_HOST_KV_ID && self.has_kv) return &self.kv;
             if (sdk::view(id) == DAVIT_HOST_PROCESS_ID) return &self.process;
             return nullptr;
           }};
    kv.struct_size = sizeof(kv);
    kv.get = [](const davit_host* host, const davit_call* call, davit_str, davit_str key,
                const davit_sink* value) -> davit_status {
      if (sdk::view(key) == "broken") {
        call->fail(call, sdk::str("disk-full"), sdk::str("The disk is full"), sdk::str("Make room"));
        return DAVIT_UNAVAILABLE;
      }
      const auto found = of(host).values.find(sdk::copy(key));
      if (found == of(host).values.end()) return DAVIT_NOT_FOUND;
      return value->write(value->sink_data, sdk::str(found->second));
    };
    process.struct_size = sizeof(process);
    process.run = [](const davit_host*, const davit_call*, const davit_process* what,
                     std::int32_t* code) -> davit_status {
      for (const std::string_view chunk : {std::string_view("one\ntw"), std::string_view("o\nrest")}) {
        if (what->out == nullptr) break;
        if (const davit_status status = what->out->write(what->out->sink_data, sdk::str(chunk)))
          return status;
      }
      *code = 7;
      return DAVIT_OK;
    };
  }
  static FakeHost& of(const davit_host* host) { return *static_cast<FakeHost*>(host->host_data); }
};

/// Does what the test tells it, in each entry.
class Subject : public sdk::Plugin, public sdk::Hooks, public sdk::Proxy, public sdk::Doctor {
 public:
  std::function<void(const sdk::Call&, const sdk::Event&)> event_body;

  void on_event(const sdk::Call& call, const sdk::Event& event) override { event_body(call, event); }
  void ensure(const sdk::Call&) override {}
  std::string prepare(const sdk::Call&, const sdk::Route& route) override {
    return route.app + ":" + std::to_string(route.endpoints.size()) + ":" +
           (route.endpoints.empty() ? "" : route.endpoints.back().host);
  }
  void apply(const sdk::Call&, const sdk::Route&, std::string_view) override {}
  void undo(const sdk::Call&, std::string_view, std::string_view) override {}
  bool drain(const sdk::Call&, const sdk::Route&, std::uint64_t) override { return false; }
  void remove(const sdk::Call&, std::string_view) override {}
  sdk::Strings list_owned(const sdk::Call&) override { return {"a", "b", "c"}; }
  sdk::Pairs describe(const sdk::Call&) override { return {{"mode", "private"}}; }
  void examine(const sdk::Call&, const sdk::Findings& findings) override { findings.warning("w", "do"); }
};
using Entry = sdk::detail::Entry<Subject>;

class Wrapper : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(Entry::create(&host_.raw, &call_.raw, &plugin_), DAVIT_OK); }
  void TearDown() override { Entry::destroy(plugin_); }

  Subject& subject() { return *reinterpret_cast<Subject*>(plugin_); }
  template <class Table>
  const Table& table(const char* id) {
    return *static_cast<const Table*>(Entry::get_interface(plugin_, sdk::str(id)));
  }
  davit_status handle(std::function<void(const sdk::Call&, const sdk::Event&)> body,
                      std::string_view id = "x", const void* payload = nullptr) {
    subject().event_body = std::move(body);
    const davit_event event{sizeof(event), DAVIT_EVENT_NOTICE, sdk::str(id), payload, {nullptr, 0}};
    return table<davit_hooks>(DAVIT_HOOKS_ID).handle(plugin_, &call_.raw, &event);
  }

  FakeHost host_;
  FakeCall call_;
  davit_plugin* plugin_ = nullptr;
};

TEST_F(Wrapper, AnswersTheInterfacesOfItsBasesOnly) {
  for (const char* id : {DAVIT_HOOKS_ID, DAVIT_PROXY_ID, DAVIT_DOCTOR_ID}) {
    EXPECT_NE(Entry::get_interface(plugin_, sdk::str(id)), nullptr) << id;
  }
  for (const char* id : {DAVIT_RUNTIME_ID, DAVIT_BUILDER_ID, DAVIT_COMMANDS_ID, "davit.hooks/2", ""}) {
    EXPECT_EQ(Entry::get_interface(plugin_, sdk::str(id)), nullptr) << id;
  }
}

TEST_F(Wrapper, AFailureBecomesStatusSlugMessageAndHint) {
  EXPECT_EQ(handle([](auto& call, auto&) { call.veto("too-late", "It is too late", "Come earlier"); }),
            DAVIT_DENIED);
  EXPECT_EQ(call_.slug, "too-late");
  EXPECT_EQ(call_.message, "It is too late");
  EXPECT_EQ(call_.hint, "Come earlier");
}

TEST_F(Wrapper, AFailureCannotSayOk) {
  EXPECT_EQ(handle([](auto&, auto&) { throw sdk::Failure(DAVIT_OK, "s", "m"); }), DAVIT_INTERNAL);
}

TEST_F(Wrapper, OtherExceptionsAreInternalWithTheirWords) {
  EXPECT_EQ(handle([](auto&, auto&) { throw std::runtime_error("boom"); }), DAVIT_INTERNAL);
  EXPECT_EQ(call_.message, "boom");
  EXPECT_EQ(handle([](auto&, auto&) { throw 42; }), DAVIT_INTERNAL);
  EXPECT_THAT(call_.message, HasSubstr("not a std::exception"));
  EXPECT_EQ(handle([](auto&, auto&) { throw std::bad_alloc(); }), DAVIT_INTERNAL);
  EXPECT_EQ(call_.slug, "out-of-memory");
}

TEST_F(Wrapper, AHostFailureKeepsTheHostsWords) {
  EXPECT_EQ(handle([this](auto& call, auto&) { (void)subject().host().kv(call).get("", "broken"); }),
            DAVIT_UNAVAILABLE);
  EXPECT_EQ(call_.slug, "disk-full");
  EXPECT_EQ(call_.hint, "Make room");
  EXPECT_EQ(handle([this](auto& call, auto&) {
              try {
                (void)subject().host().kv(call).get("", "broken");
              } catch (const sdk::HostFailure& failure) {
                EXPECT_STREQ(failure.what(), "The disk is full");
              }
            }),
            DAVIT_OK);
}

TEST_F(Wrapper, ValuesKeepEveryByteAndAbsenceIsNullopt) {
  host_.values["bytes"] = std::string("a\0b\xff", 4);
  EXPECT_EQ(handle([this](auto& call, auto&) {
              EXPECT_EQ(subject().host().kv(call).get("", "bytes"), std::string("a\0b\xff", 4));
              EXPECT_EQ(subject().host().kv(call).get("", "missing"), std::nullopt);
            }),
            DAVIT_OK);
  EXPECT_EQ(host_.lookups, 1) << "a table is asked for once, on its first use";
}

TEST_F(Wrapper, AMissingInterfaceOrFunctionIsAFailureThatNamesIt) {
  EXPECT_EQ(handle([this](auto& call, auto&) { (void)subject().host().ports(call).lease("x"); }),
            DAVIT_UNSUPPORTED);
  EXPECT_THAT(call_.message, HasSubstr("davit.host.ports/1"));
  host_.kv.struct_size = offsetof(davit_host_kv, erase);  // a host older than erase()
  EXPECT_EQ(handle([this](auto& call, auto&) { subject().host().kv(call).erase("", "x"); }),
            DAVIT_UNSUPPORTED);
  EXPECT_THAT(call_.message, HasSubstr("davit.host.kv/1 lacks a function"));
}

TEST_F(Wrapper, AnExceptionOfAnOutputCrossesTheHostsFrames) {
  EXPECT_EQ(handle([this](auto& call, auto&) {
              sdk::Process process;
              process.argv = {"true"};
              process.out = [](std::string_view) { throw std::runtime_error("in the sink"); };
              subject().host().processes(call).run(process);
            }),
            DAVIT_INTERNAL);
  EXPECT_EQ(call_.message, "in the sink");
}

TEST_F(Wrapper, DetailLinesGoOutWhole) {
  EXPECT_EQ(handle([this](auto& call, auto&) {
              sdk::DetailLines lines(call);
              sdk::Process process;
              process.argv = {"true"};
              process.out = lines.sink();
              EXPECT_EQ(subject().host().processes(call).run(process), 7);
            }),
            DAVIT_OK);
  EXPECT_THAT(call_.outputs,
              ElementsAre(Pair(DAVIT_STREAM_DETAIL, "one\n"), Pair(DAVIT_STREAM_DETAIL, "two\n"),
                          Pair(DAVIT_STREAM_DETAIL, "rest\n")));
}

TEST_F(Wrapper, CancelIsSeen) {
  call_.is_cancelled = true;
  EXPECT_EQ(handle([](auto& call, auto&) { call.throw_if_cancelled(); }), DAVIT_CANCELLED);
}

TEST_F(Wrapper, PayloadsAreTypedAndNeverReadAsAnothers) {
  davit_ev_deploy payload{};
  payload.struct_size = sizeof(payload);
  payload.app = sdk::str("web");
  payload.state = sdk::str("done");
  EXPECT_EQ(handle(
                [](auto&, auto& event) {
                  ASSERT_EQ(event.which(), sdk::EventId::kDeployFinished);
                  EXPECT_EQ(event.deploy().app, "web");
                  EXPECT_EQ(event.deploy().state, "done");
                },
                DAVIT_EV_DEPLOY_FINISHED, &payload),
            DAVIT_OK);
  EXPECT_EQ(handle([](auto&, auto& event) { (void)event.env(); }, DAVIT_EV_DEPLOY_FINISHED, &payload),
            DAVIT_INTERNAL);
  EXPECT_EQ(call_.slug, "wrong-payload");
  EXPECT_EQ(handle([](auto&, auto& event) { (void)event.deploy(); }, DAVIT_EV_DEPLOY_FINISHED),
            DAVIT_INTERNAL);
}

TEST_F(Wrapper, AFieldThatTheWriterDidNotKnowReadsAsNothing) {
  davit_ev_deploy payload{};
  payload.struct_size = offsetof(davit_ev_deploy, state);  // a host older than `state`
  payload.app = sdk::str("web");
  payload.state = davit_str{reinterpret_cast<const char*>(1), 99};  // what lies behind it must not be touched
  EXPECT_EQ(handle([](auto&, auto& event) { EXPECT_EQ(event.deploy().state, ""); }, DAVIT_EV_DEPLOY_FINISHED,
                   &payload),
            DAVIT_OK);
}

TEST_F(Wrapper, EveryEventIdHasItsName) {
  EXPECT_EQ(sdk::event_id("auth.authorize"), sdk::EventId::kAuthorize);
  EXPECT_EQ(sdk::event_id("env.resolve"), sdk::EventId::kEnvResolve);
  EXPECT_EQ(sdk::event_id("route.switch"), sdk::EventId::kRouteSwitch);
  EXPECT_EQ(sdk::event_id("system.collect"), sdk::EventId::kSystemCollect);
  EXPECT_EQ(sdk::event_id("no.such"), sdk::EventId::kUnknown);
  EXPECT_EQ(sdk::event_id(""), sdk::EventId::kUnknown);
}

TEST_F(Wrapper, ListsStepByTheWritersStride) {
  struct NewerEndpoint {  // of a host whose davit_endpoint has grown
    davit_endpoint known;
    std::uint64_t unknown;
  };
  NewerEndpoint endpoints[2]{};
  endpoints[0].known.struct_size = endpoints[1].known.struct_size = sizeof(NewerEndpoint);
  endpoints[1].known.host = sdk::str("10.0.0.2");
  davit_route route{};
  route.struct_size = sizeof(route);
  route.app = sdk::str("web");
  route.endpoints = {endpoints, 2, sizeof(NewerEndpoint)};
  std::string token;
  const davit_sink sink{&token, &sdk::detail::append_chunk};
  EXPECT_EQ(table<davit_proxy>(DAVIT_PROXY_ID).prepare(plugin_, &call_.raw, &route, &sink), DAVIT_OK);
  EXPECT_EQ(token, "web:2:10.0.0.2");
}

TEST_F(Wrapper, ASinkThatRefusesStopsTheResult) {
  int calls = 0;
  const davit_str_sink sink{&calls, [](void* count, davit_str) -> davit_status {
                              return ++*static_cast<int*>(count) < 2 ? DAVIT_OK : DAVIT_CANCELLED;
                            }};
  EXPECT_EQ(table<davit_proxy>(DAVIT_PROXY_ID).list_owned(plugin_, &call_.raw, &sink), DAVIT_CANCELLED);
  EXPECT_EQ(calls, 2);
}

TEST_F(Wrapper, ADrainThatIsNotOverIsATimeout) {
  davit_route route{};
  route.struct_size = sizeof(route);
  EXPECT_EQ(table<davit_proxy>(DAVIT_PROXY_ID).drain(plugin_, &call_.raw, &route, 1), DAVIT_TIMEOUT);
}

TEST_F(Wrapper, AMapThatAnEventDoesNotHaveIsEmptyAndNotEditable) {
  davit_ev_route payload{};
  payload.struct_size = sizeof(payload);
  EXPECT_EQ(handle(
                [](auto&, auto& event) {
                  EXPECT_FALSE(event.route().plan);
                  EXPECT_TRUE(event.route().plan.all().empty());
                  event.route().plan.set("hosts", "x");
                },
                DAVIT_EV_ROUTE_SWITCH, &payload),
            DAVIT_UNSUPPORTED);
}

TEST(Quantities, DurationsAndSizes) {
  EXPECT_EQ(sdk::parse_duration_ms("500ms"), 500u);
  EXPECT_EQ(sdk::parse_duration_ms("30"), 30'000u);
  EXPECT_EQ(sdk::parse_duration_ms("2h"), 7'200'000u);
  EXPECT_EQ(sdk::parse_size_bytes("64MiB"), 64u << 20);
  EXPECT_EQ(sdk::parse_size_bytes("10k"), 10'240u);
  EXPECT_EQ(sdk::parse_size_bytes("7"), 7u);
  for (const char* bad : {"", "s", "-1s", "1 s", "1x", "99999999999999999999", "18446744073709551615d"}) {
    EXPECT_EQ(sdk::parse_duration_ms(bad), std::nullopt) << bad;
  }
}

}  // namespace
