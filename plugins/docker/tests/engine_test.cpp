// The client against a false engine on a unix socket: good answers, and all the bad ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/disk.hpp"
#include "engine/engine.hpp"
#include "engine/engine_failure.hpp"
#include "false_engine.hpp"
#include "parts.hpp"
#include "pump.hpp"

namespace davit::docker_plugin {
namespace {

using testing::HasSubstr;

struct EngineTest : testing::Test {
  FalseEngine server;
  Engine engine{server.path()};

  EngineFailure failure_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const EngineFailure& failure) {
      EXPECT_NE(failure.hint(), "") << failure.message();
      return failure;
    }
    ADD_FAILURE() << "no failure";
    return EngineFailure(DAVIT_OK, 0, "", "");
  }
};

TEST(Versions, TheHighestThatBothKnowIsSpoken) {
  EXPECT_EQ(negotiate("1.12", "1.41"), "1.41");
  EXPECT_EQ(negotiate("1.24", "1.47"), "1.47");
  EXPECT_EQ(negotiate("1.44", "1.99"), "1.47");
  EXPECT_THROW(negotiate("1.12", "1.40"), EngineFailure);
  EXPECT_THROW(negotiate("1.50", "1.52"), EngineFailure);
  EXPECT_THROW(negotiate("", "new"), EngineFailure);
  EXPECT_THROW(negotiate("1.24", "1.9"), EngineFailure) << "numbers, not text";
}

TEST_F(EngineTest, SpeaksTheVersionThatItNegotiated) {
  server.answer("/info", FalseEngine::json_answer(R"({"Name":"x"})"));
  EXPECT_EQ(text_in(engine.get("/info", {{"a", "b c"}}, steady()), "Name"), "x");
  EXPECT_THAT(server.last_request(), HasSubstr("GET /v1.43/info?a=b%20c HTTP/1.1"));
  EXPECT_EQ(engine.version(steady()).engine, "99.1");
}

TEST_F(EngineTest, AnEngineThatWasUpgradedIsAskedInItsVersion) {
  server.answer("/v1.43/info", FalseEngine::json_answer(R"({"Name":"old"})"));
  EXPECT_EQ(text_in(engine.get("/info", {}, steady()), "Name"), "old");
  const std::string too_old = FalseEngine::json_answer(
      R"({"message":"client version 1.43 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version"})",
      "400 Bad Request");
  server.answer("/v1.43/", too_old);
  server.answer("GET /version",
                FalseEngine::json_answer(R"({"Version":"29.0","ApiVersion":"1.52","MinAPIVersion":"1.44"})"));
  server.answer("/v1.47/info", FalseEngine::json_answer(R"({"Name":"new"})"));
  EXPECT_EQ(text_in(engine.get("/info", {}, steady()), "Name"), "new");
  EXPECT_EQ(engine.version(steady()).engine, "29.0");
  server.answer("/v1.47/", too_old);
  EXPECT_EQ(failure_of([&] { (void)engine.get("/info", {}, steady()); }).http_status(), 400)
      << "asked once more, and no more";
}

TEST_F(EngineTest, AnEngineThatWasGoneIsAskedForItsVersionAgain) {
  EXPECT_EQ(engine.version(steady()).engine, "99.1");
  server.answer("/info", "");
  EXPECT_EQ(failure_of([&] { (void)engine.get("/info", {}, steady()); }).http_status(), 0);
  server.answer("GET /version",
                FalseEngine::json_answer(R"({"Version":"100","ApiVersion":"1.45","MinAPIVersion":"1.24"})"));
  EXPECT_EQ(engine.version(steady()).engine, "100");
}

TEST_F(EngineTest, AnErrorIsTheEnginesOwnWords) {
  server.answer("/bad", FalseEngine::json_answer(R"({"message":"no space left on device"})",
                                                 "500 Internal Server Error"));
  const EngineFailure failure = failure_of([&] { (void)engine.get("/bad", {}, steady()); });
  EXPECT_EQ(failure.http_status(), 500);
  EXPECT_THAT(failure.message(), HasSubstr("no space left on device"));
  EXPECT_THAT(failure.hint(), HasSubstr("free disk space"));
  server.answer("/gone", FalseEngine::json_answer("<html>nothing", "404 Not Found"));
  EXPECT_EQ(failure_of([&] { (void)engine.get("/gone", {}, steady()); }).status(), DAVIT_NOT_FOUND);
  Json found;
  EXPECT_FALSE(engine.find("/gone", {}, found, steady()));
}

struct EngineDisk : EngineTest {
  EngineDisk() {
    char own[256] = {};
    EXPECT_EQ(gethostname(own, sizeof own - 1), 0);
    machine = own;
  }
  void put(const std::string& path, const std::string& text) const {
    const std::string file = server.folder() + path;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file) << text;
  }
  void says(const std::string& root, const std::string& name) {
    const Json info = {{"DockerRootDir", root}, {"ID", "our-id"}, {"Name", name}, {"Driver", "overlay2"}};
    server.answer("/info", FalseEngine::json_answer(info.dump()));
  }
  /// The words of a refusal where nothing would be enough.
  std::string refusal() {
    try {
      require_free_disk(engine, "a build of shop", ~0ULL, steady());
    } catch (const sdk::Failure& failure) {
      EXPECT_EQ(failure.status(), DAVIT_UNAVAILABLE);
      return failure.message();
    }
    return "";
  }

  std::string machine;
};

TEST_F(EngineDisk, WithoutRoomIsRefusedWithTheFigures) {
  put("/data/engine-id", "our-id");
  says(server.folder() + "/data", "whatever");
  EXPECT_THAT(refusal(),
              testing::MatchesRegex("The engine's disk \\(.*/data\\) has [0-9]+ MiB free, and a build "
                                    "of shop needs about 17592186044415 MiB"));
  EXPECT_NO_THROW(require_free_disk(engine, "a build", 0, steady()));
}

TEST_F(EngineDisk, OfEnginesThatKeepNoIdIsKnownByTheMachineAndTheFolder) {
  put("/docker/image/overlay2/repositories.json", "{}");
  put("/podman/overlay2-images/images.json", "[]");
  for (const char* root : {"/docker", "/podman"}) {
    says(server.folder() + root, machine);
    EXPECT_NE(refusal(), "") << root;
    says(server.folder() + root, "docker-desktop");
    EXPECT_EQ(refusal(), "") << root;
  }
}

TEST_F(EngineDisk, OfAnEngineElsewhereIsNotThisMachines) {
  put("/other/engine-id", "another-id");
  put("/other/image/overlay2/repositories.json", "{}");
  for (const std::string& root : {std::string("/proc"), std::string("/no/such/folder"), std::string(),
                                  server.folder(), server.folder() + "/other"}) {
    says(root, machine);
    EXPECT_EQ(refusal(), "") << root;
  }
  server.answer("/info", FalseEngine::json_answer("{}"));
  EXPECT_EQ(refusal(), "");
}

TEST_F(EngineTest, GarbageIsSaidToBeGarbage) {
  for (const std::string& bad : {std::string("SSH-2.0-OpenSSH\r\n"), std::string(""),
                                 std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{..}}"),
                                 std::string("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"a\":"),
                                 FalseEngine::chunked("5\r\n{\"a\":"), FalseEngine::chunked("zz\r\n{}")}) {
    server.answer("/garbage", bad);
    const EngineFailure failure = failure_of([&] { (void)engine.get("/garbage", {}, steady()); });
    EXPECT_EQ(failure.slug(), "engine-garbled") << bad << failure.message();
  }
}

TEST_F(EngineTest, ASlowEngineIsNotWaitedForForEver) {
  server.answer("/slow", std::string("HTTP/1.1 200 OK\r\n") + FalseEngine::kHold);
  EXPECT_EQ(failure_of([&] { (void)engine.get("/slow", {}, steady(300)); }).slug(), "engine-slow");
}

TEST_F(EngineTest, AWaitEndsWhenTheUserWantsIt) {
  server.answer("/slow", FalseEngine::kHold);
  int looks = 0;
  const Patience until_asked_twice{[&looks] { return ++looks > 3; }, 60'000};
  (void)engine.version(steady());
  try {
    (void)engine.get("/slow", {}, until_asked_twice);
    ADD_FAILURE();
  } catch (const sdk::Failure& failure) {
    EXPECT_EQ(failure.status(), DAVIT_CANCELLED);
  }
}

TEST_F(EngineTest, NoEngineIsNamedWithTheWayToStartIt) {
  Engine none("/no/such/docker.sock");
  const EngineFailure failure = failure_of([&] { (void)none.get("/info", {}, steady()); });
  EXPECT_EQ(failure.slug(), "engine-down");
  EXPECT_THAT(failure.message(), HasSubstr("/no/such/docker.sock"));
  EXPECT_THAT(failure.hint(), HasSubstr("dockerd -H unix:///no/such/docker.sock"));
  EXPECT_EQ(cannot_connect("/s", EACCES).status(), DAVIT_DENIED);
  EXPECT_THAT(cannot_connect("/s", EACCES).hint(), HasSubstr("group"));
}

TEST_F(EngineTest, AStreamComesInPiecesAndSaysWhenItIsCut) {
  server.answer("/events", FalseEngine::chunked("4\r\n{}\n{\r\n2\r\n}\n\r\n0\r\n\r\n"));
  int messages = 0;
  read_messages(*engine.stream("GET", "/events", {}, nullptr, steady()), [&](const Json&) { ++messages; });
  EXPECT_EQ(messages, 2);
  server.answer("/events", FalseEngine::chunked("3\r\n{}\n\r\n"));
  const auto cut = engine.stream("GET", "/events", {}, nullptr, steady());
  EXPECT_EQ(failure_of([&] { read_messages(*cut, {}); }).slug(), "engine-garbled");
  const std::string error = "{\"error\":\"disk on fire\"}\n";
  server.answer("/pull", FalseEngine::json_answer(error));
  EXPECT_THAT(failure_of([&] {
                read_messages(*engine.stream("POST", "/pull", {}, nullptr, steady()), {});
              }).message(),
              HasSubstr("disk on fire"));
}

TEST_F(EngineTest, AnUploadThatIsRefusedOnTheWaySaysWhy) {
  server.answer("/archive", FalseEngine::json_answer(R"({"message":"read-only"})", "403 Forbidden"));
  const EngineFailure failure = failure_of([&] {
    (void)engine.upload(
        "PUT", "/archive", {}, "application/x-tar",
        [](const BodySink& sink) {
          const std::string chunk(1 << 20, 'x');
          for (int i = 0; i < 64; ++i) sink(chunk);
        },
        steady());
  });
  // The answer may be lost when the connection is reset under the upload; then that is what is said.
  EXPECT_TRUE(failure.http_status() == 403 || failure.slug() == "engine-garbled") << failure.message();
}

TEST_F(EngineTest, AHijackedConnectionCarriesBytesBothWays) {
  server.answer("/attach",
                std::string("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n") +
                    std::string("\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x03"
                                "err",
                                22));
  const auto connection = engine.hijack("/attach", {}, nullptr, steady());
  std::string out;
  std::string err;
  Pump pump(*connection, PumpSpec{false,
                                  sdk::kNoFds,
                                  [&](std::string_view text) { out.append(text); },
                                  [&](std::string_view text) { err.append(text); },
                                  {}});
  EXPECT_TRUE(pump.run_until([] { return false; }));
  EXPECT_EQ(out, "out");
  EXPECT_EQ(err, "err");
  server.answer("/attach", FalseEngine::json_answer(R"({"message":"is not running"})", "409 Conflict"));
  EXPECT_EQ(failure_of([&] { (void)engine.hijack("/attach", {}, nullptr, steady()); }).status(),
            DAVIT_CONFLICT);
}

}  // namespace
}  // namespace davit::docker_plugin
