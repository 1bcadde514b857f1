// Instances on an engine that fails, and with a home that is full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>

#include "false_engine.hpp"
#include "instances.hpp"
#include "names.hpp"
#include "network_commands.hpp"
#include "runner.hpp"
#include "stacks.hpp"
#include "tasks.hpp"

namespace davit::docker_plugin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A host that has a clock, gives ports back, and knows the networks that apps are to join.
struct SmallHost {
  SmallHost() {
    raw.struct_size = sizeof raw;
    raw.abi_minor = DAVIT_ABI_MINOR;
    raw.host_data = this;
    raw.get_interface = [](const davit_host*, davit_str id) -> const void* {
      static constexpr davit_host_clock kClock{
          sizeof(davit_host_clock), 0, [](const davit_host*) -> int64_t { return 1'700'000'000'000; },
          [](const davit_host*) -> int64_t {
            using namespace std::chrono;
            return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
          }};
      static constexpr davit_host_ports kPorts{
          sizeof(davit_host_ports), 0, nullptr,
          [](const davit_host*, const davit_call*, davit_str) -> davit_status { return DAVIT_OK; }};
      static constexpr davit_host_properties kProperties{
          sizeof(davit_host_properties),
          0,
          &property,
          [](const davit_host* host, const davit_call* call, davit_str app, davit_str group, davit_str key,
             const davit_sink* value) -> davit_status {
            const bool is_global = static_cast<SmallHost*>(host->host_data)->joins_are_global;
            return is_global ? DAVIT_NOT_FOUND : property(host, call, app, group, key, value);
          },
          nullptr,
          nullptr,
          nullptr,
          nullptr,
          nullptr};
      if (sdk::view(id) == DAVIT_HOST_CLOCK_ID) return &kClock;
      if (sdk::view(id) == DAVIT_HOST_PROPERTIES_ID) return &kProperties;
      if (sdk::view(id) == DAVIT_HOST_PORTS_ID) return &kPorts;
      return nullptr;
    };
  }
  static davit_status property(const davit_host* host, const davit_call*, davit_str, davit_str, davit_str key,
                               const davit_sink* value) {
    const auto& joins = static_cast<SmallHost*>(host->host_data)->joins;
    const auto at = joins.find(sdk::copy(key));
    if (at == joins.end()) return DAVIT_NOT_FOUND;
    return value->write(value->sink_data, sdk::str(at->second));
  }
  std::map<std::string, std::string> joins;  ///< what network:set says
  bool joins_are_global = false;
  davit_host raw{};
  sdk::Host host{&raw};
};

struct HeardCall {
  HeardCall() {
    raw.struct_size = sizeof raw;
    raw.host_data = this;
    raw.output = [](const davit_call* call, uint32_t stream, davit_str bytes) -> davit_status {
      if (stream == DAVIT_STREAM_WARNING) self(call).warnings.push_back(sdk::copy(bytes));
      return DAVIT_OK;
    };
    raw.cancelled = [](const davit_call*) -> int32_t { return 0; };
    raw.log = [](const davit_call* call, int32_t, davit_str text) {
      self(call).log.push_back(sdk::copy(text));
    };
  }
  static HeardCall& self(const davit_call* call) { return *static_cast<HeardCall*>(call->host_data); }

  std::vector<std::string> warnings;
  std::vector<std::string> log;
  davit_call raw{};
  sdk::Call call{&raw};
};

/// One container, shop.d1.web.1, which runs with the policy on-failure.
struct Scripted : testing::Test {
  static constexpr const char* kDone = "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";

  Scripted() {
    const Json facts = {
        {"Id", id}, {"HostConfig", {{"RestartPolicy", {{"Name", "on-failure"}, {"MaximumRetryCount", 7}}}}}};
    server.answer("POST", kDone);
    server.answer("DELETE", kDone);
    server.answer("GET", FalseEngine::json_answer("[]"));
    server.answer("GET /version",
                  FalseEngine::json_answer(R"({"ApiVersion":"1.43","MinAPIVersion":"1.24"})"));
    server.answer("/containers/json", FalseEngine::json_answer(Json{row(id, "d1", "shop.web.1")}.dump()));
    server.answer("/containers/" + id + "/json", FalseEngine::json_answer(facts.dump()));
  }
  static Config config_in(const std::string& folder) {
    Config config;
    config.home_id = "0123456789ab";
    config.state = folder + "/state";
    config.run = folder + "/run";
    config.app_logs = folder + "/logs";
    return config;
  }
  [[nodiscard]] Json row(const std::string& container, const char* revision, const std::string& name) const {
    return {{"Id", container},
            {"State", "running"},
            {"Names", {"/" + name}},
            {"Labels", instance_labels(config.home_id, {"shop", revision, "web", 1, DAVIT_OWNER_APP})},
            {"Mounts", {{{"Destination", kInitMount}}}}};
  }
  void refuse(const std::string& target, const std::string& status) {
    server.answer(target, FalseEngine::json_answer(R"({"message":"out of order"})", status));
  }
  /// As on a full disk: what is to be written down cannot be.
  void fill_the_disk() const {
    for (const char* folder : {"/stopped", "/halted"}) std::filesystem::remove_all(config.run + folder);
  }

  const std::string id = std::string(64, 'c');
  const sdk::Selector all{DAVIT_OWNER_APP, "shop", "", "", 0};
  FalseEngine server;
  SmallHost small;
  HeardCall heard;
  const sdk::Call& call = heard.call;
  const Config config = config_in(server.folder());
  Engine engine{server.path()};
  Base base{small.host, config, engine};
  Records records{config};
  SavedLogs saved{base};
  Stacks stacks{base};
  Images images{base, stacks};
  Networks networks{base};
  Instances instances{base, images, networks, records, saved};
};

TEST_F(Scripted, AFullDiskHoldsUpNoStop) {
  fill_the_disk();
  instances.stop(call, all);
  EXPECT_EQ(server.asked("/stop"), 1U);
  EXPECT_EQ(server.asked("/update"), 0U) << "nobody would know what to give back";
  EXPECT_THAT(heard.warnings, ElementsAre(HasSubstr("shop.d1.web.1")));
  server.forget_requests();
  instances.halt_all(call);
  EXPECT_EQ(server.asked("/stop"), 1U);
  server.forget_requests();
  instances.remove(call, all, true);
  EXPECT_EQ(server.asked("/stop"), 1U);
  EXPECT_EQ(server.asked("DELETE /v1.43/containers/" + id), 1U);
}

TEST_F(Scripted, OneThatCannotBeStoppedHoldsUpNoneOfManyOthers) {
  Json rows = Json::array();
  for (int n = 0; n < 20; ++n) rows.push_back(row(std::string(64, static_cast<char>('a' + n)), "d1", "some"));
  server.answer("/containers/json", FalseEngine::json_answer(rows.dump()));
  refuse("/containers/" + id + "/stop", "500 Internal Server Error");
  EXPECT_THROW(instances.stop(call, all), EngineFailure);
  EXPECT_EQ(server.asked("/stop"), 20U);
}

// d1 drains, d2 is live, d3 launches.
TEST_F(Scripted, TheNameOfOneThatGoesIsNotHandedToOneThatOnlyLaunches) {
  const std::string live(64, 'd');
  const std::string next(64, 'e');
  server.answer("/containers/json",
                FalseEngine::json_answer(Json{row(id, "d1", "shop.web.1"), row(live, "d2", "shop.d2.web.1"),
                                              row(next, "d3", "shop.d3.web.1")}
                                             .dump()));
  instances.remove(call, {DAVIT_OWNER_APP, "shop", "d1", "", 0}, true);
  EXPECT_EQ(server.asked("/containers/" + live + "/rename?name=shop.web.1 "), 1U);
  EXPECT_EQ(server.asked("/containers/" + next + "/rename"), 0U);
}

TEST_F(Scripted, APolicyThatIsNotGivenBackIsNotForgotten) {
  instances.stop(call, all);
  const std::string policy = records.policy_of(id);
  EXPECT_THAT(policy, HasSubstr("on-failure"));
  refuse("/update", "500 Internal Server Error");
  server.forget_requests();
  EXPECT_THROW(instances.start(call, all), EngineFailure);
  EXPECT_EQ(server.asked("/start"), 0U);
  EXPECT_EQ(records.policy_of(id), policy);
  refuse("/update", "404 Not Found");  // as Podman's older ones answer
  instances.start(call, all);
  EXPECT_EQ(server.asked("/start"), 1U);
  EXPECT_FALSE(records.is_stopped(id));
}

TEST_F(Scripted, APolicyThatCannotBeTakenHoldsUpNoStop) {
  refuse("/update", "500 Internal Server Error");
  instances.stop(call, all);
  EXPECT_EQ(server.asked("/stop"), 1U);
  EXPECT_THAT(records.policy_of(id), HasSubstr("on-failure")) << "which may be taken all the same";
  EXPECT_THAT(heard.warnings, ElementsAre(HasSubstr("out of order")));
}

/// Frames of an engine's log, one of each line.
std::string log_of(const std::vector<std::string>& lines) {
  std::string body;
  for (const std::string& line : lines)
    body += std::string("\x01\0\0\0\0\0\0", 7) + static_cast<char>(line.size()) + line;
  return body;
}

struct ScriptedLogs : Scripted {
  std::vector<std::string> texts() {
    std::vector<std::string> found;
    saved.read(name, [&](const LogEntry& entry) { found.push_back(entry.text); });
    return found;
  }
  void save(const std::string& container) { saved.save(call, Found{name, container, "", "exited", {}}); }
  void says(const std::string& container, const std::vector<std::string>& lines) {
    server.answer("/containers/" + container + "/logs", FalseEngine::json_answer(log_of(lines)));
  }

  const InstanceName name{"shop", "d1", "web", 1, DAVIT_OWNER_APP};
  const std::string one = "2024-01-01T00:00:00.000000001Z one\n";
  const std::string two = "2024-01-01T00:00:00.000000002Z two\n";
  const std::string three = "2024-01-01T00:00:00.000000003Z three\n";
};

TEST_F(ScriptedLogs, AreSavedOnceHoweverOftenThatIsTried) {
  says(id, {one});
  save(id);
  save(id);
  EXPECT_THAT(texts(), ElementsAre("one"));
  says(id, {one, two});
  save(id);
  EXPECT_THAT(texts(), ElementsAre("one", "two"));
  const std::string again(64, 'd');  // the instance was made anew
  says(again, {three});
  save(again);
  save(again);
  EXPECT_THAT(texts(), ElementsAre("one", "two", "three"));
  EXPECT_THAT(heard.log, IsEmpty());
}

TEST_F(ScriptedLogs, ThatCannotBeSavedAreSaidAndTheEarlierStay) {
  says(id, {one});
  save(id);
  const std::string part = config.app_logs + "/shop/d1.web.1.container.tmp";
  std::filesystem::create_symlink("/dev/full", part);
  says(id, {one, two});
  save(id);
  EXPECT_THAT(heard.log, ElementsAre(HasSubstr("the last output of shop.d1.web.1 is lost: cannot write")));
  EXPECT_THAT(texts(), ElementsAre("one"));
  EXPECT_FALSE(std::filesystem::is_symlink(part));
}

struct ScriptedNetworks : Scripted {
  void is_there(const std::string& name, const Json& labels) {
    server.answer("GET /v1.43/networks/" + name + " ",
                  FalseEngine::json_answer(Json{{"Name", name}, {"Labels", labels}}.dump()));
  }
  static Json of_home(const std::string& home, const std::string& kind) {
    return {{kLabelHome, home}, {kLabelKind, kind}};
  }
  /// What a new container of the app goes through: the network that it begins on.
  std::string join(const Config& settings) {
    const Base own{small.host, settings, engine};
    Networks mine(own);
    const std::string first = mine.first(call, DAVIT_OWNER_APP, "shop");
    mine.join(call, id, DAVIT_OWNER_APP, "shop", {"shop.web"});
    mine.expose(call, id, "shop", {"shop.web"});
    return first;
  }
  void expect_refused(const std::function<void()>& act) {
    server.forget_requests();
    try {
      act();
      ADD_FAILURE() << "it was not refused";
    } catch (const sdk::Failure& failure) {
      EXPECT_EQ(failure.slug(), "network-foreign") << failure.message();
    }
    EXPECT_EQ(server.asked("/connect"), 0U);
  }
};

TEST_F(ScriptedNetworks, AnAppJoinsThoseOfNetworkCreateAndThoseThatTheOperatorNames) {
  is_there("meeting", of_home(config.home_id, "user-network"));
  is_there("theirs", of_home("ba9876543210", "user-network"));
  is_there("davit-ba9876543210-billing", of_home("ba9876543210", "network"));
  is_there("davit-0123456789ab-service-db", of_home(config.home_id, "network"));
  is_there("traefik", Json());
  Config open = config;
  for (const char* key : {"initial-network", "attach-post-create", "attach-post-deploy"}) {
    small.joins = {{key, "meeting"}};
    EXPECT_NO_THROW(join(config)) << key;
    for (const char* name :
         {"theirs", "davit-ba9876543210-billing", "davit-0123456789ab-service-db", "traefik"}) {
      small.joins = {{key, name}};
      expect_refused([&] { join(config); });
      sdk::Command info;
      info.name = "network:info";
      info.args = {name};
      expect_refused([&] { NetworkCommands(base, call).run(info); });
    }
    open.networks = {"traefik"};
    EXPECT_NO_THROW(join(open)) << key;
    EXPECT_EQ(server.asked("/networks/traefik/connect"), key == std::string("initial-network") ? 0U : 1U);
  }
}

TEST_F(ScriptedNetworks, TheSettingThatJoinsOneIsNamedWithWhatTakesItAway) {
  const auto remedy = [&](const char* network) {
    const auto setting = setting_that_joins(small.host, call, "shop", network);
    return setting ? setting->without_it("shop") : "";
  };
  small.joins = {
      {"initial-network", "first"}, {"attach-post-create", "a,meeting b"}, {"attach-post-deploy", "last"}};
  EXPECT_EQ(remedy("first"), "davit network:set shop initial-network");
  EXPECT_EQ(remedy("meeting"), "davit network:set shop attach-post-create a,b");
  EXPECT_EQ(remedy("last"), "davit network:set shop attach-post-deploy");
  EXPECT_EQ(remedy("meet"), "");
  small.joins_are_global = true;
  EXPECT_EQ(remedy("last"), "davit network:set --global attach-post-deploy");
}

TEST_F(ScriptedNetworks, WhatAnotherHomeHasMadeUnderTheNameOfAnAppsOwnIsLeftAlone) {
  is_there("davit-0123456789ab-shop", of_home("ba9876543210", "user-network"));
  EXPECT_EQ(join(config), "davit-0123456789ab-shop_app");
}

// As of an engine in a virtual machine, whose numbers are not this machine's.
TEST_F(Scripted, AnExecThatTakesTooLongEndsNobodyElsesProcess) {
  const pid_t stranger = fork();
  if (stranger == 0) {
    pause();
    _exit(0);
  }
  server.answer("/exec", FalseEngine::json_answer(R"({"Id":"e1"})"));
  server.answer("/exec/e1/start",
                std::string("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n") +
                    FalseEngine::kHold);
  server.answer("/exec/e1/json", FalseEngine::json_answer(Json{{"Running", true}, {"Pid", stranger}}.dump()));
  Tasks tasks(base, images, networks, records);
  sdk::Exec exec;
  exec.instance = "shop.d1.web.1";
  exec.argv = {"sleep", "1000"};
  exec.timeout_ms = 50;
  try {
    (void)tasks.exec(call, exec);
    ADD_FAILURE();
  } catch (const sdk::Failure& failure) {
    EXPECT_EQ(failure.status(), DAVIT_TIMEOUT);
  }
  EXPECT_THAT(heard.log, ElementsAre(HasSubstr("shop.d1.web.1")));
  EXPECT_EQ(waitpid(stranger, nullptr, WNOHANG), 0) << "it lives";
  kill(stranger, SIGKILL);
  waitpid(stranger, nullptr, 0);
}

TEST_F(Scripted, AnExecWhoseReaderHasGoneEndsAsIfByASignal) {
  signal(SIGPIPE, SIG_IGN);  // as in a worker
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  server.answer("/exec", FalseEngine::json_answer(R"({"Id":"e1"})"));
  server.answer("/exec/e1/start",
                std::string("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n") +
                    log_of({"one\n", "two\n"}) + FalseEngine::kHold);
  server.answer("/exec/e1/json", FalseEngine::json_answer(R"({"Running":false,"ExitCode":0})"));
  Tasks tasks(base, images, networks, records);
  sdk::Exec exec;
  exec.instance = "shop.d1.web.1";
  exec.argv = {"yes"};
  exec.fds = {-1, ends[1], -1};
  EXPECT_EQ(tasks.exec(call, exec), 128 + SIGPIPE);
  EXPECT_THAT(records.execs(), IsEmpty());
  close(ends[1]);
  signal(SIGPIPE, SIG_DFL);
}

// The text of a container's id is all that tells its processes: ":/" is in each process's list of cgroups.
TEST_F(Scripted, ASweepEndsWhatAKilledDavitRanInAnInstance) {
  const pid_t left = fork();
  if (left == 0) {
    pause();
    _exit(0);
  }
  server.answer("/exec/", FalseEngine::json_answer(Json{{"Running", true}, {"Pid", left}}.dump()));
  server.answer("/exec/gone/json", FalseEngine::json_answer("{}", "404 Not Found"));
  Tasks tasks(base, images, networks, records);
  records.keep_exec({"gone", id, "other-boot 1 1"});
  records.keep_exec({"waited-for", ":/", this_runner()});
  records.keep_exec({"elsewhere", id, "other-boot 1 1"});
  tasks.sweep(call);
  EXPECT_EQ(waitpid(left, nullptr, WNOHANG), 0) << "it lives";
  EXPECT_THAT(heard.log, ElementsAre(HasSubstr("cannot be ended from here")));
  records.keep_exec({"left", ":/", "other-boot 1 1"});
  tasks.sweep(call);
  ASSERT_EQ(records.execs().size(), 1U);
  EXPECT_EQ(records.execs().front().id, "waited-for");
  int status = 0;
  EXPECT_EQ(waitpid(left, &status, WNOHANG), left);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

}  // namespace
}  // namespace davit::docker_plugin
