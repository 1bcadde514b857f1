// The docker runtime in a home of its own, on a real dockerd that this program starts, for the conformance
// suite (tests/conformance/runtime). Runs as root with an app user without an account.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "names.hpp"
#include "parts.hpp"
#include "test_engine.hpp"
#include "tests/conformance/runtime/suite.hpp"

namespace davit::test {
namespace {

namespace fs = std::filesystem;
using docker_plugin::Json;
using docker_plugin::steady;
using docker_plugin::TestEngine;
using docker_plugin::text_in;

constexpr uid_t kAppUid = 61234;
constexpr const char* kImage = "davit-tests/python:1";

class DockerWorld : public World {
 public:
  explicit DockerWorld(std::map<std::string, std::string> settings = {}) {
    fs::permissions(home_.path(), fs::perms(0711));
    fs::create_directories(home_ / "libexec");
    fs::copy_file(std::string(DAVIT_BUILD_DIR) + "/libexec/davit/davit-init", home_ / "libexec/davit-init");
    settings.try_emplace("socket", TestEngine::shared()->socket());
    settings.try_emplace("stack", kImage);
    FakeHostSettings host{home(), home_ / "libexec", RunAs{kAppUid, kAppUid, {}}, std::move(settings)};
    host.plugin = "docker";
    host_ = std::make_unique<FakeHost>(std::move(host));
    home_id_ = docker_plugin::short_hash(home());
    restart_plugin();
  }

  ~DockerWorld() override {
    for (const char* owner : {"shop", "shop.example"}) {
      EXPECT_EQ(runtime_->remove(sdk::Selector{DAVIT_OWNER_APP, owner, "", "", 0}, true), DAVIT_OK)
          << runtime_->call().message;
    }
    EXPECT_EQ(labelled("/containers/json", {{"all", "1"}}).size(), 0U);
    EXPECT_EQ(labelled("/networks", {}).size(), 0U);
    EXPECT_TRUE(host_->leases().empty());
    runtime_.reset();
    host_.reset();
    remove_images("slug");  // first: the base is their parent
    remove_images("base");
  }

  RuntimeUnderTest& runtime() override { return *runtime_; }
  void restart_plugin() override {
    runtime_.reset();
    runtime_ = std::make_unique<RuntimeUnderTest>(
        *host_, std::string(DAVIT_BUILD_DIR) + "/lib/davit/plugins/docker.so");
  }

  sdk::Artifact artifact(const std::map<std::string, std::string>& files) override {
    std::string digest;
    for (const auto& [file, content] : files) digest += file + content;
    digest = docker_plugin::sha256_hex(digest);
    const std::string tree = home_ / "trees" / digest;
    const std::string slug = home_ / "slugs/shop" / (digest + ".tar.zst");  // as a home has them
    if (fs::exists(slug)) return {DAVIT_ARTIFACT_SLUG, slug, "sha256:" + digest, "debian-12"};
    for (const auto& [file, content] : files) {
      fs::create_directories((fs::path(tree) / file).parent_path());
      std::ofstream(fs::path(tree) / file, std::ios::binary) << content;
      fs::permissions(fs::path(tree) / file, fs::perms(0755));
    }
    fs::create_directories(fs::path(slug).parent_path());
    EXPECT_EQ(docker_plugin::run_program(
                  {"/usr/bin/tar", "--create", "--zstd", "--file", slug, "-C", tree, "."}, "/dev/null"),
              0);
    return {DAVIT_ARTIFACT_SLUG, slug, "sha256:" + digest, "debian-12"};
  }

  std::string host_folder(const std::string& name) override {
    fs::create_directories(home_ / name);
    return home_ / name;
  }

  /// What a davit that was killed between create and start leaves.
  void break_instance(const std::string& id) override {
    for (const Json& container : labelled("/containers/json", {{"all", "1"}})) {
      const Json facts = engine().get("/containers/" + text_in(container, "Id") + "/json", {}, steady());
      Json labels = facts["Config"]["Labels"];
      const std::string name = text_in(labels, "davit.owner") + "." + text_in(labels, "davit.revision") +
                               "." + text_in(labels, "davit.type") + "." + text_in(labels, "davit.number");
      if (name != id) continue;
      docker_plugin::remove_container(engine(), text_in(container, "Id"));
      labels["davit.spec"] = "half";
      (void)engine().post("/containers/create", {},
                          {{"Image", kImage},
                           {"Cmd", {"/never"}},
                           {"Labels", labels},
                           {"HostConfig", {{"Mounts", facts["HostConfig"]["Mounts"]}}}},
                          steady());
    }
  }

  bool isolated() override { return true; }
  std::string listen_address() override { return "0.0.0.0"; }
  bool sees_listeners() override { return true; }

  docker_plugin::Engine& engine() { return TestEngine::shared()->engine(); }
  FakeHost& host() { return *host_; }
  Json labelled(const std::string& what, docker_plugin::Query query) {
    query.emplace_back("filters", docker_plugin::label_filter({"davit.home=" + home_id_}));
    return engine().get(what, query, steady());
  }
  Json facts_of(const std::string& type) {
    for (const Json& container : labelled("/containers/json", {{"all", "1"}})) {
      if (text_in(container["Labels"], "davit.type") == type)
        return engine().get("/containers/" + text_in(container, "Id") + "/json", {}, steady());
    }
    return nullptr;
  }
  std::string home() const { return home_.path(); }
  /// What every container of davit's has.
  std::string init_bind() const { return home() + "/libexec:/run/davit:ro"; }

 private:
  void remove_images(const std::string& kind) {
    for (const Json& image : labelled("/images/json", {})) {
      if (text_in(image["Labels"], "davit.kind") != kind) continue;
      try {
        engine().remove("/images/" + text_in(image, "Id"), {{"force", "1"}}, steady());
      } catch (const docker_plugin::EngineFailure& failure) {
        ADD_FAILURE() << failure.message();
      }
    }
  }

  TempFolder home_;
  std::string home_id_;
  std::unique_ptr<FakeHost> host_;
  std::unique_ptr<RuntimeUnderTest> runtime_;
};

// What is only true of this runtime.

DockerWorld& here(World& world) {
  return dynamic_cast<DockerWorld&>(world);
}

TEST_F(RuntimeSuite, AContainerIsClosedIn) {
  ASSERT_EQ(runtime().apply(web(1)), DAVIT_OK) << runtime().call().message;
  const Json facts = here(*world).facts_of("web");
  const Json& host = facts["HostConfig"];
  EXPECT_EQ(host["CapDrop"], Json({"ALL"}));
  EXPECT_TRUE(host["CapAdd"].is_null());
  EXPECT_EQ(host["SecurityOpt"], Json({"no-new-privileges"}));
  EXPECT_FALSE(host["Privileged"].get<bool>());
  EXPECT_EQ(facts["Config"]["User"], "61234:61234");
  EXPECT_EQ(host["PortBindings"]["5000/tcp"][0]["HostIp"], "127.0.0.1");
  EXPECT_EQ(host["LogConfig"]["Type"], "json-file");
  EXPECT_EQ(host["LogConfig"]["Config"]["max-file"], "5");
  EXPECT_EQ(host["RestartPolicy"]["Name"], "unless-stopped");
}

TEST_F(RuntimeSuite, TheLiveInstanceIsFoundByItsName) {
  ASSERT_EQ(runtime().apply(web(1, "d1")), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(text_in(here(*world).facts_of("web"), "Name"), "/shop.web.1");
  ASSERT_EQ(runtime().apply(web(1, "d2")), DAVIT_OK) << runtime().call().message;
  ASSERT_EQ(runtime().remove(all("d1"), true), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(text_in(here(*world).facts_of("web"), "Name"), "/shop.web.1");
  sdk::Group client = group("client",
                            "for i in 1 2 3 4 5 6 7 8 9; do python3 -c \"import socket; "
                            "print(socket.gethostbyname('shop.web.1') == "
                            "socket.gethostbyname('shop.d2.web.1'))\"; sleep 1; done; sleep 1000");
  ASSERT_EQ(runtime().apply(client), DAVIT_OK) << runtime().call().message;
  EXPECT_TRUE(wait_log("True"));
}

TEST_F(RuntimeSuite, ANameThatWasHandedOnHalfwayIsTaken) {
  const auto rename = [&](const std::string& from, const std::string& to) {
    (void)here(*world).engine().post("/containers/" + from + "/rename", {{"name", to}}, nullptr, steady());
  };
  ASSERT_EQ(runtime().apply(web(1, "d1")), DAVIT_OK) << runtime().call().message;
  ASSERT_EQ(runtime().apply(web(1, "d2")), DAVIT_OK) << runtime().call().message;
  rename("shop.web.1", "shop.d1.web.1");
  ASSERT_EQ(runtime().remove(all("d1"), true), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(text_in(here(*world).facts_of("web"), "Name"), "/shop.web.1");
  rename("shop.web.1", "shop.d2.web.1");
  ASSERT_EQ(runtime().apply(web(1, "d2")), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(text_in(here(*world).facts_of("web"), "Name"), "/shop.web.1");
}

TEST_F(RuntimeSuite, ARedeployOfTheSameSlugAddsNoImage) {
  ASSERT_EQ(runtime().apply(web(1, "d1")), DAVIT_OK) << runtime().call().message;
  const std::size_t before = here(*world).labelled("/images/json", {}).size();
  world->restart_plugin();
  ASSERT_EQ(runtime().apply(web(1, "d2")), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(here(*world).labelled("/images/json", {}).size(), before);
  EXPECT_EQ(before, 2U) << "the stack with the app user, and the slug";
}

TEST_F(RuntimeSuite, TheImageGoesWithItsSlug) {
  sdk::Group wanted = group("worker", "sleep 1000");
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  fs::remove(wanted.artifact->ref);
  ASSERT_EQ(runtime().remove(all(), true), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(here(*world).labelled("/images/json", {}).size(), 1U);
}

TEST_F(RuntimeSuite, StrangersAreNotTouched) {
  docker_plugin::Engine& engine = here(*world).engine();
  const std::string image = "davit-tests/python:1";
  const Json stranger = engine.post(
      "/containers/create", {{"name", "shop.web.1"}},
      {{"Image", image}, {"Cmd", {"sleep", "1000"}}, {"HostConfig", {{"NetworkMode", "none"}}}}, steady());
  const std::string id = text_in(stranger, "Id");
  (void)engine.post("/containers/" + id + "/start", {}, nullptr, steady());
  (void)engine.post("/networks/create", {}, {{"Name", "shop"}}, steady());
  ASSERT_EQ(runtime().apply(web(1)), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(1));
  ASSERT_EQ(runtime().remove(all(), true), DAVIT_OK) << runtime().call().message;
  const Json facts = engine.get("/containers/" + id + "/json", {}, steady());
  EXPECT_EQ(facts["State"]["Status"], "running");
  EXPECT_EQ(facts["Name"], "/shop.web.1");
  Json network;
  EXPECT_TRUE(engine.find("/networks/shop", {}, network, steady()));
  docker_plugin::remove_container(engine, id);
  engine.remove("/networks/shop", {}, steady());
}

TEST_F(RuntimeSuite, AnAppAndAServiceHaveNetworksOfTheirOwnWhateverTheirNames) {
  sdk::Group app = group("worker", "sleep 1000");
  sdk::Group service = app;
  app.owner = "service-shop";
  service.owner_kind = DAVIT_OWNER_SERVICE;
  const sdk::Selector of_app{app.owner_kind, app.owner, "", "", 0};
  const sdk::Selector of_service{service.owner_kind, service.owner, "", "", 0};
  const auto owners = [&] {
    std::set<std::string> found;
    for (const Json& network : here(*world).labelled("/networks", {}))
      found.insert(text_in(network["Labels"], "davit.owner"));
    return found;
  };
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_EQ(runtime().apply(service), DAVIT_OK) << runtime().call().message;
    ASSERT_EQ(runtime().apply(app), DAVIT_OK) << runtime().call().message;
    EXPECT_EQ(owners(), (std::set<std::string>{"service-shop", "shop"}));
    ASSERT_EQ(runtime().remove(twice == 0 ? of_app : of_service, true), DAVIT_OK) << runtime().call().message;
    EXPECT_EQ(owners().size(), 1U);
  }
  ASSERT_EQ(runtime().remove(of_app, true), DAVIT_OK) << runtime().call().message;
  EXPECT_TRUE(owners().empty());
}

TEST_F(RuntimeSuite, ANetworkThatWasMadeBeforehandIsUsedAndStays) {
  DockerWorld& docker = here(*world);
  const std::string name = "davit-" + docker_plugin::short_hash(docker.home()) + "-shop";
  (void)docker.engine().post("/networks/create", {}, {{"Name", name}}, steady());
  ASSERT_EQ(runtime().apply(group("worker", "sleep 1000")), DAVIT_OK) << runtime().call().message;
  EXPECT_TRUE(docker.facts_of("worker")["NetworkSettings"]["Networks"].contains(name));
  EXPECT_EQ(docker.labelled("/networks", {}).size(), 0U) << "no second one";
  ASSERT_EQ(runtime().remove(all(), true), DAVIT_OK) << runtime().call().message;
  Json network;
  EXPECT_TRUE(docker.engine().find("/networks/" + name, {}, network, steady()));
  docker.engine().remove("/networks/" + name, {}, steady());
}

TEST_F(RuntimeSuite, WhatOthersMakeOfAnInstanceIsNotTouched) {
  DockerWorld& docker = here(*world);
  docker_plugin::Engine& engine = docker.engine();
  const sdk::Group wanted = web(1);
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  const std::string one = text_in(docker.facts_of("web"), "Id");
  const Json image = engine.post("/commit", {{"container", one}, {"repo", "davit-tests/mine"}, {"tag", "1"}},
                                 Json::object(), steady());
  const Json copy = engine.post("/containers/create", {},
                                {{"Image", "davit-tests/mine:1"},
                                 {"Entrypoint", {"sleep"}},
                                 {"Cmd", {"1000"}},
                                 {"HostConfig", {{"NetworkMode", "none"}}}},
                                steady());
  const std::string id = text_in(copy, "Id");
  (void)engine.post("/containers/" + id + "/start", {}, nullptr, steady());
  EXPECT_EQ(inspect().size(), 1U);
  ASSERT_EQ(runtime().apply(web(2)), DAVIT_OK) << runtime().call().message;
  fs::remove(wanted.artifact->ref);
  ASSERT_EQ(runtime().remove(all(), true), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(engine.get("/containers/" + id + "/json", {}, steady())["State"]["Status"], "running");
  docker_plugin::remove_container(engine, id);
  ASSERT_EQ(runtime().remove(all(), true), DAVIT_OK) << "which sweeps images";
  Json found;
  EXPECT_TRUE(engine.find("/images/davit-tests/mine:1/json", {}, found, steady()));
  engine.remove("/images/davit-tests/mine:1", {}, steady());
}

// One with the policy on-failure would be: its exit code is that of a stop.
TEST_F(RuntimeSuite, WhatWasStoppedIsNotStartedByAnEngineThatStartsAgain) {
  const auto policy = [&] {
    return docker::object_in(docker::object_in(here(*world).facts_of("web"), "HostConfig"), "RestartPolicy");
  };
  sdk::Group kept = web(1);
  kept.restart = DAVIT_RESTART_ON_FAILURE;
  kept.max_retries = 7;
  ASSERT_EQ(runtime().apply(kept), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(1));
  for (int time = 0; time < 2; ++time) {
    ASSERT_EQ(runtime().stop(all()), DAVIT_OK) << runtime().call().message;
    EXPECT_EQ(text_in(policy(), "Name"), "no");
  }
  ASSERT_EQ(runtime().start(all()), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(text_in(policy(), "Name"), "on-failure");
  EXPECT_EQ(docker::number_in(policy(), "MaximumRetryCount"), 7);
  EXPECT_TRUE(wait_up(1));
  ASSERT_EQ(runtime().stop(all()), DAVIT_OK) << runtime().call().message;
  ASSERT_EQ(runtime().apply(kept), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(text_in(policy(), "Name"), "on-failure");
}

TEST_F(RuntimeSuite, AnExecThatTakesTooLongIsEndedWithAllThatItStarted) {
  ASSERT_EQ(runtime().apply(group("worker", "sleep 1000")), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(1));
  sdk::Exec exec;
  exec.instance = "shop.d1.worker.1";
  const std::string seconds = own_seconds(7);
  exec.argv = {"bash", "-c", "trap '' TERM; sleep " + seconds + " & sleep " + seconds};
  exec.timeout_ms = 2'000;
  int code = 0;
  EXPECT_EQ(runtime().exec(exec, code), DAVIT_TIMEOUT);
  EXPECT_TRUE(eventually([&] { return !process_with_argument(seconds); }));
  EXPECT_TRUE(wait_up(1));
}

TEST_F(RuntimeSuite, AContainerThatSomebodyRemovedComesBackWithTheNextApply) {
  ASSERT_EQ(runtime().apply(web(1)), DAVIT_OK) << runtime().call().message;
  docker_plugin::remove_container(here(*world).engine(), text_in(here(*world).facts_of("web"), "Id"));
  EXPECT_EQ(inspect().size(), 0U);
  ASSERT_EQ(runtime().apply(web(1)), DAVIT_OK) << runtime().call().message;
  EXPECT_TRUE(wait_up(1));
}

TEST_F(RuntimeSuite, ATaskWhoseDavitWasKilledIsSweptByTheNext) {
  DockerWorld& docker = here(*world);
  (void)docker.engine().post("/containers/create", {},
                             {{"Image", kImage},
                              {"Cmd", {"sleep", "1000"}},
                              {"HostConfig", {{"NetworkMode", "none"}, {"Binds", {docker.init_bind()}}}},
                              {"Labels",
                               {{"davit.home", docker_plugin::short_hash(docker.home())},
                                {"davit.kind", "task"},
                                {"davit.runner", "another-boot 1 1"}}}},
                             steady());
  ASSERT_EQ(docker.labelled("/containers/json", {{"all", "1"}}).size(), 1U);
  EXPECT_EQ(task_output(task("echo fine")), "fine\n");
  EXPECT_EQ(docker.labelled("/containers/json", {{"all", "1"}}).size(), 0U);
}

TEST_F(RuntimeSuite, TheSweepOfAnotherDavitLeavesInstancesAlone) {
  DockerWorld& docker = here(*world);
  ASSERT_EQ(runtime().apply(group("worker", "sleep 1000")), DAVIT_OK) << runtime().call().message;
  EXPECT_EQ(text_in(docker.facts_of("worker")["Config"]["Labels"], "davit.runner"), "")
      << "from the container that its image was made in";
  // As an instance of an image that hands the label on.
  (void)docker.engine().post("/containers/create", {},
                             {{"Image", kImage},
                              {"Cmd", {"sleep", "1000"}},
                              {"HostConfig", {{"Binds", {docker.init_bind()}}}},
                              {"Labels",
                               {{"davit.home", docker_plugin::short_hash(docker.home())},
                                {"davit.kind", "instance"},
                                {"davit.owner-kind", "app"},
                                {"davit.owner", "shop"},
                                {"davit.revision", "d1"},
                                {"davit.type", "other"},
                                {"davit.number", "1"},
                                {"davit.runner", "another-boot 1 1"}}}},
                             steady());
  EXPECT_EQ(task_output(task("echo fine")), "fine\n");
  EXPECT_EQ(docker.labelled("/containers/json", {{"all", "1"}}).size(), 2U);
}

TEST_F(RuntimeSuite, AnImageRunsAsItIs) {
  TestEngine::shared()->import_busybox();
  sdk::Group wanted;
  wanted.owner = "shop";
  wanted.revision = "d1";
  wanted.process_type = "worker";
  wanted.count = 1;
  wanted.artifact = sdk::Artifact{DAVIT_ARTIFACT_IMAGE, "busybox:1", "", ""};
  wanted.argv = {"sh", "-c", "id -u; sleep 1000"};
  ASSERT_EQ(runtime().apply(wanted), DAVIT_OK) << runtime().call().message;
  EXPECT_TRUE(wait_log("0"));
  wanted.process_type = "other";
  wanted.artifact->ref = "no-such-image:1";
  EXPECT_EQ(runtime().apply(wanted), DAVIT_NOT_FOUND);
  EXPECT_THAT(runtime().call().message, testing::HasSubstr("no-such-image:1"));
}

TEST_F(RuntimeSuite, ADamagedSlugSaysSo) {
  sdk::Group damaged = group("worker", "sleep 1000");
  damaged.artifact = world->artifact({{"other", "x"}});
  std::ofstream(damaged.artifact->ref, std::ios::binary) << "no archive";
  EXPECT_EQ(runtime().apply(damaged), DAVIT_FAILED);
  EXPECT_THAT(runtime().call().message, testing::HasSubstr("could not be unpacked"));
}

TEST_F(RuntimeSuite, OptionsReachTheContainer) {
  here(*world).host().lists()["shop/docker-options/deploy"] = {"--memory=300m", "--ulimit=nofile=512"};
  ASSERT_EQ(runtime().apply(group("worker", "ulimit -n; sleep 1000")), DAVIT_OK) << runtime().call().message;
  EXPECT_TRUE(wait_log("512"));
  EXPECT_EQ(here(*world).facts_of("worker")["HostConfig"]["Memory"].get<std::int64_t>(), 300 << 20);
}

TEST_F(RuntimeSuite, AnEngineThatIsDownIsNamed) {
  const TempFolder folder;
  DockerWorld down({{"socket", folder / "none.sock"}});
  std::vector<sdk::Instance> found;
  EXPECT_EQ(down.runtime().inspect(all(), found), DAVIT_UNAVAILABLE);
  EXPECT_THAT(down.runtime().call().message, testing::HasSubstr("none.sock"));
  EXPECT_THAT(down.runtime().call().hint, testing::HasSubstr("dockerd"));
  sdk::Strings findings;
  EXPECT_EQ(down.runtime().examine(findings), DAVIT_OK);
  EXPECT_THAT(findings, testing::Contains(testing::StartsWith("2 ")));
  down.host().change("socket", TestEngine::shared()->socket());
  down.restart_plugin();  // so that the end of this world finds an engine
}

TEST_F(RuntimeSuite, TheDoctorSaysWhatHoldsHere) {
  sdk::Strings findings;
  ASSERT_EQ(runtime().examine(findings), DAVIT_OK) << runtime().call().message;
  EXPECT_THAT(findings, testing::Contains(testing::HasSubstr("answers")));
  EXPECT_THAT(findings, testing::Each(testing::Not(testing::StartsWith("2"))))
      << "a problem on a good machine";
}

TEST_F(RuntimeSuite, NothingOfASlugRunsAsRoot) {
  sdk::Task wanted = task("id -u");
  wanted.user = "root";
  TestCall call;
  int code = -1;
  EXPECT_EQ(runtime().run_task(call, wanted, code), DAVIT_DENIED);
  EXPECT_EQ(task_output(task("id -u; id -un; touch /app/x && echo wrote")), "61234\napp\nwrote\n");
}

}  // namespace

std::unique_ptr<World> make_world() {
  return std::make_unique<DockerWorld>();
}

}  // namespace davit::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  using davit::docker_plugin::TestEngine;
  std::string reason = TestEngine::missing();
  if (reason.empty()) reason = TestEngine::shared()->import_python();
  if (!reason.empty()) {
    std::printf("SKIPPED: the docker runtime's suite: %s\n", reason.c_str());
    return 77;
  }
  return RUN_ALL_TESTS();
}
