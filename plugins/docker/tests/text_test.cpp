// What is pure: names, containers' JSON, frames, logs, tar.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "container_spec.hpp"
#include "containers.hpp"
#include "engine/engine_address.hpp"
#include "engine/engine_failure.hpp"
#include "engine/tar_stream.hpp"
#include "engine/times.hpp"
#include "frames.hpp"
#include "images.hpp"
#include "listening.hpp"
#include "networks.hpp"
#include "runner.hpp"
#include "saved_logs.hpp"
#include "stacks.hpp"

namespace davit::docker_plugin {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Names, AreReadBackFromTheRightAndFromLabels) {
  const auto name = parse_instance("shop.example.d12.web.3");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->owner, "shop.example");
  EXPECT_EQ(name->live(), "shop.example.web.3");
  EXPECT_EQ(name_in("home", instance_labels("home", *name)), *name);
  EXPECT_FALSE(name_in("other", instance_labels("home", *name)));
  Labels stranger = instance_labels("home", *name);
  stranger.erase("davit.home");
  EXPECT_FALSE(name_in("home", stranger));
  for (const char* bad : {"", "web.1", "shop.d1.web.0", "shop.d1.web.x", "../x.d1.web.1", "shop.d1.w/b.1"})
    EXPECT_FALSE(parse_instance(bad)) << bad;
}

TEST(Names, OfDetachedRunsHaveTheirOwnRevisions) {
  EXPECT_TRUE(is_detached_run("r12", "run"));
  EXPECT_FALSE(is_detached_run("d12", "run")) << "an app's own type";
  EXPECT_FALSE(is_detached_run("r12", "web"));
  for (const char* bad : {"", "r", "r1x", "12"}) EXPECT_FALSE(is_detached_run(bad, "run")) << bad;
}

TEST(Names, SortByTheNumberOfTheDeployment) {
  const InstanceName nine{"shop", "d9", "web", 2, 1};
  const InstanceName ten{"shop", "d10", "web", 1, 1};
  EXPECT_TRUE(comes_before(nine, ten));
  EXPECT_FALSE(comes_before(ten, nine));
}

TEST(Names, ThatAreFreeGoToTheOldest) {
  const auto container = [](const char* instance, const char* container_name) {
    Found found;
    found.name = parse_instance(instance).value();
    found.container_name = container_name;
    return found;
  };
  const auto heirs = [](const std::vector<Found>& containers) {
    std::vector<std::string> names;
    for (const Found& heir : heirs_of_free_names(containers)) names.push_back(heir.name.text());
    return names;
  };
  const Found live = container("shop.d1.web.1", "shop.web.1");
  const Found other = container("shop.d1.web.2", "shop.d1.web.2");
  const Found next = container("shop.d2.web.1", "shop.d2.web.1");
  const Found next_other = container("shop.d2.web.2", "shop.d2.web.2");
  EXPECT_THAT(heirs({live, next}), testing::IsEmpty()) << "one that drains has it still";
  EXPECT_THAT(heirs({live, next, next_other}), ElementsAre("shop.d2.web.2"));
  EXPECT_THAT(heirs({live, other, next, next_other}), ElementsAre("shop.d1.web.2"))
      << "d2 may be one that only launches";
  EXPECT_THAT(heirs({next}), ElementsAre("shop.d2.web.1"));
  EXPECT_THAT(heirs({}), testing::IsEmpty());
}

TEST(Times, OfTheEngineMayBeOfAnotherClock) {
  EXPECT_TRUE(is_made_since(1'700'000'000'000, 1'700'000'000'900)) << "whole seconds";
  EXPECT_TRUE(is_made_since(1'700'000'005'000, 1'700'000'000'900));
  EXPECT_FALSE(is_made_since(1'700'000'000'000, 1'700'000'003'000));
  EXPECT_FALSE(is_made_since(1'700'000'000'000, 0)) << "nobody said since when";
}

TEST(Listening, IsReadFromTheKernelsTable) {
  const std::string v4 =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
      "   0: 0B00007F:9803 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
      "   1: 00000000:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000 61234\n"
      "   2: 0306850A:1F90 0106850A:A62E 01 00000000:00000000 00:00000000 00000000 61234\n";
  EXPECT_TRUE(listens(v4, 5000));
  EXPECT_FALSE(listens(v4, 0x9803)) << "on loopback, where no relay comes";
  EXPECT_FALSE(listens(v4, 8080)) << "a connection is nobody who listens";
  EXPECT_FALSE(listens("", 5000));
  const std::string v6 =
      "  sl  local_address                         remote_address                        st\n"
      "   0: 00000000000000000000000000000000:1388 00000000000000000000000000000000:0000 0A\n"
      "   1: 00000000000000000000000001000000:1389 00000000000000000000000000000000:0000 0A";
  EXPECT_TRUE(listens(v6, 5000));
  EXPECT_FALSE(listens(v6, 5001));
  EXPECT_FALSE(listens("sl\n 0: 0000000000000000FFFF00000100007F:1388 0:0 0A\n", 5000))
      << "127.0.0.1, as a JVM asks for it";
  EXPECT_TRUE(listens("sl\n 0: 0000000000000000FFFF00000306850A:1388 0:0 0A\n", 5000));
}

TEST(Listening, IsUnknownOfProcessesThatAreNotTheContainers) {
  EXPECT_EQ(listening(getpid(), std::string(64, 'a'), 5000), DAVIT_LISTENING_UNKNOWN);
  EXPECT_EQ(listening(0, "", 5000), DAVIT_LISTENING_UNKNOWN);
}

TEST(Names, OnlyTextCanBeAVariable) {
  EXPECT_NO_THROW(check_environment({{"A", "grün \xf0\x9f\x8d\x8b"}}));
  for (const std::string& bad : {std::string("\xff"), std::string("\xc0\xaf"), std::string("\xed\xa0\x80"),
                                 std::string("a\0b", 3), std::string("\xe2\x82")})
    EXPECT_THROW(check_environment({{"A", bad}}), sdk::Failure);
  EXPECT_THROW(check_environment({{"A=B", "x"}}), sdk::Failure);
}

TEST(ContainerJson, HasWhatWasAskedFor) {
  ContainerSpec spec;
  spec.image = "i";
  spec.argv = {"bash", "-c", "run"};
  spec.env = {{"K", "v=w"}};
  spec.user = "7:8";
  spec.init_folder = "/init";
  spec.mounts = {{"/a", "/b", DAVIT_MOUNT_READ_ONLY}};
  spec.limits.memory_bytes = 1000;
  spec.limits.cpu_millis = 1500;
  spec.limits.pids = 9;
  spec.limits.file_bytes = 77;
  spec.network = "net";
  spec.aliases = {"x"};
  spec.host_port = 1234;
  spec.inner_port = 5000;
  spec.stop_timeout_ms = 1001;
  spec.stop_signal = 2;
  spec.restart = DAVIT_RESTART_ON_FAILURE;
  spec.max_retries = 3;
  const auto json = container_json(spec);
  const auto& host = json["HostConfig"];
  EXPECT_EQ(json["Entrypoint"],
            (nlohmann::json{"/run/davit/davit-init", "--stop-signal", "2", "--stop-code", "143", "--"}));
  EXPECT_EQ(json["Cmd"], (nlohmann::json{"bash", "-c", "run"}));
  EXPECT_EQ(json["Env"][0], "K=v=w");
  EXPECT_EQ(json["StopTimeout"], 2);
  EXPECT_EQ(host["Mounts"][0]["Source"], "/init");
  EXPECT_EQ(host["Mounts"][1]["ReadOnly"], true);
  EXPECT_EQ(host["MemorySwap"], 1000);
  EXPECT_EQ(host["NanoCpus"], 1'500'000'000);
  EXPECT_EQ(host["PortBindings"]["5000/tcp"][0]["HostIp"], "127.0.0.1");
  EXPECT_EQ(host["RestartPolicy"]["MaximumRetryCount"], 3);
  EXPECT_EQ(host["LogConfig"]["Type"], "none");
  EXPECT_FALSE(host.contains("CapAdd"));
  EXPECT_EQ(json["NetworkingConfig"]["EndpointsConfig"]["net"]["Aliases"][0], "x");
  spec.mounts.push_back({"/run/sockets/1", DAVIT_SERVICES "/20001", DAVIT_MOUNT_READ_ONLY});
  EXPECT_EQ(container_json(spec)["Entrypoint"],
            (nlohmann::json{"/run/davit/davit-init", "--stop-signal", "2", "--stop-code", "143", "--services",
                            DAVIT_SERVICES, "--"}));
  spec.batch = true;
  EXPECT_EQ(container_json(spec)["Entrypoint"][5], "--batch");
  EXPECT_LT(container_json(spec)["HostConfig"]["CpuShares"], 1024);
  spec.user.clear();
  EXPECT_THAT(container_json(spec)["HostConfig"]["CapAdd"], Contains("SETUID"));
}

TEST(ContainerJson, TheHashIsOfEverythingButTheCount) {
  sdk::Group group;
  group.argv = {"a"};
  const std::string one = group_hash(group, "1:1");
  group.count = 5;
  EXPECT_EQ(group_hash(group, "1:1"), one);
  group.env = {{"A", "1"}};
  EXPECT_NE(group_hash(group, "1:1"), one);
}

std::string frame(char stream, const std::string& text) {
  std::string out{stream, 0, 0, 0, 0, 0, 0, static_cast<char>(text.size())};
  return out + text;
}

TEST(FramesTest, AreFoundInPiecesOfAnySize) {
  const std::string bytes = frame(1, "out") + frame(2, "error") + frame(1, "");
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    Frames frames;
    std::string seen;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      frames.feed(std::string_view(bytes).substr(at, step), [&](int stream, std::string_view text) {
        seen += std::to_string(stream) + std::string(text) + ";";
      });
    }
    EXPECT_EQ(seen, "1out;2error;1;");
    EXPECT_EQ(frames.rest(), 0U);
  }
  Frames frames;
  EXPECT_THROW(frames.feed("HTTP/1.1 200 OK\r\n", [](int, std::string_view) {}), EngineFailure);
}

TEST(LogDecoderTest, JoinsTheParts) {
  std::vector<std::string> lines;
  std::vector<std::int64_t> times;
  LogDecoder decoder([&](const LogEntry& entry) {
    lines.push_back(entry.text);
    times.push_back(entry.unix_ns);
  });
  decoder.feed(1, "2026-11-23T04:35:01.000000005Z long ");
  decoder.feed(2, "2026-11-23T04:35:02Z err\n");
  decoder.feed(1, "2026-11-23T04:35:03Z line\n");
  decoder.feed(1, "2026-11-23T04:35:04Z rest");
  decoder.finish();
  EXPECT_THAT(lines, ElementsAre("err", "long line", "rest"));
  EXPECT_EQ(times[1] % 1'000'000'000, 5);
  EXPECT_EQ(unix_ms_of("1970-01-01T01:00:01.5+01:00"), 1500);
  EXPECT_EQ(unix_ms_of("0001-01-01T00:00:00Z"), 0);
}

TEST(Tar, OwnersAreReplacedAndNothingElse) {
  std::string archive = tar_entry("dir/", 0755, 0, 0, "") +
                        tar_entry("dir/file", 0644, 12, 34, std::string(700, 'x')) + tar_end();
  for (const std::size_t step : {std::size_t{1}, std::size_t{511}, std::size_t{513}, archive.size()}) {
    std::string out;
    TarOwner owner(4'000'000, 61234, [&out](std::string_view bytes) { out.append(bytes); });
    for (std::size_t at = 0; at < archive.size(); at += step)
      owner.feed(std::string_view(archive).substr(at, step));
    EXPECT_NO_THROW(owner.finish());
    EXPECT_EQ(out, tar_entry("dir/", 0755, 4'000'000, 61234, "") +
                       tar_entry("dir/file", 0644, 4'000'000, 61234, std::string(700, 'x')) + tar_end());
    EXPECT_EQ(first_file(out), std::string(700, 'x'));
  }
  std::string out;
  TarOwner padded(1, 1, [&out](std::string_view bytes) { out.append(bytes); });
  padded.feed(tar_end() + std::string(10240, '\0'));
  EXPECT_EQ(out, tar_end()) << "nothing behind the end, where a reader may be gone";
  TarOwner cut(1, 1, [](std::string_view) {});
  cut.feed(std::string_view(archive).substr(0, 1200));
  EXPECT_THROW(cut.finish(), sdk::Failure);
  TarOwner no_tar(1, 1, [](std::string_view) {});
  EXPECT_THROW(no_tar.feed(std::string(512, 'a')), sdk::Failure);
}

TEST(Accounts, AreAddedOnceAndOnlyIfTheNumberIsFree) {
  EXPECT_EQ(with_account("root:x:0:0::/:/bin/sh", "7", "app:x:7:7::/app:/bin/sh"),
            "root:x:0:0::/:/bin/sh\napp:x:7:7::/app:/bin/sh\n");
  EXPECT_EQ(with_account("www:x:7:7::/:/bin/sh\n", "7", "app:x:7:7:"), "www:x:7:7::/:/bin/sh\n");
  EXPECT_EQ(with_account("", "7", "app:x:7:"), "app:x:7:\n");
}

TEST(ExposedPorts, AreThoseOfTcp) {
  const Json config = {{"ExposedPorts",
                        {{"8080", Json::object()},
                         {"80/tcp", Json::object()},
                         {"53/udp", Json::object()},
                         {"0/tcp", Json::object()},
                         {"70000", Json::object()},
                         {"http", Json::object()}}}};
  EXPECT_THAT(exposed_ports(config), ElementsAre(80U, 8080U));
  EXPECT_THAT(exposed_ports({{"ExposedPorts", nullptr}}), testing::IsEmpty());
  EXPECT_THAT(exposed_ports(Json::object()), testing::IsEmpty());
}

TEST(Images, NameTheirStopSignal) {
  EXPECT_EQ(signal_number("SIGQUIT"), 3);
  EXPECT_EQ(signal_number("WINCH"), 28);
  EXPECT_EQ(signal_number("15"), 15);
  EXPECT_EQ(signal_number("SIGRTMIN+3"), 37);
  for (const char* none : {"", "SIG", "SIGNONE", "-1", "65", "SIGRTMIN+99", "3x", "99999999999"})
    EXPECT_EQ(signal_number(none), 0) << none;
}

TEST(Subnets, AreCutFromThePool) {
  EXPECT_EQ(subnet_of("10.88.0.0/16", 0), "10.88.0.0/24");
  EXPECT_EQ(subnet_of("10.88.3.9/16", 255), "10.88.255.0/24");
  EXPECT_EQ(subnet_of("10.88.0.0/16", 256), "");
  for (const char* bad : {"10.88.0.0", "10.88.0.0/30", "x/16", "10.88.0.0/x"})
    EXPECT_THROW(subnet_of(bad, 0), sdk::Failure) << bad;
}

TEST(Sockets, TheSettingWinsThenWhatIsThere) {
  EXPECT_EQ(choose_socket("/s", {"/u"}), "/s");
  EXPECT_EQ(choose_socket("unix:///h", {"/u"}), "/h");
  EXPECT_EQ(choose_socket("", {"/no/such", "/dev/null"}), "/dev/null");
  EXPECT_EQ(choose_socket("", {"/no/such", "/nor/this"}), "/no/such");
  EXPECT_THROW(choose_socket("tcp://10.0.0.1:2375", {"/u"}), sdk::Failure);
  EXPECT_THROW(choose_socket("ssh://host", {"/u"}), sdk::Failure);
}

TEST(StackWords, NoShellAndOnlyNames) {
  const auto argv = debootstrap_argv("/usr/bin/mmdebstrap", "bookworm", "/etc/apt/sources.list",
                                     packages_of_stack({"libvips42"}));
  EXPECT_EQ(argv.front(), "/usr/bin/mmdebstrap");
  EXPECT_EQ(argv.back(), "/etc/apt/sources.list");
  EXPECT_THAT(argv[2], HasSubstr(",zstd,libvips42"));
  EXPECT_TRUE(is_stack_name("debian-12"));
  for (const char* bad : {"", "-x", "a/b", "a:b", "A", "a b"}) EXPECT_FALSE(is_stack_name(bad)) << bad;
}

TEST(Runner, ThisProcessLivesAndOthersDoNot) {
  EXPECT_TRUE(runner_lives(this_runner()));
  EXPECT_FALSE(runner_lives("other-boot 1 1"));
  EXPECT_TRUE(runner_lives(""));
}

TEST(Runner, OneThatHasEndedDoesNotLiveUntilItIsReaped) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string runner = this_runner();
    _exit(write(ends[1], runner.data(), runner.size()) < 0 ? 1 : 0);
  }
  siginfo_t ended{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  char said[200];
  const ssize_t size = read(ends[0], said, sizeof(said));
  ASSERT_GT(size, 0);
  EXPECT_FALSE(runner_lives(std::string(said, static_cast<std::size_t>(size))));
  waitpid(child, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
}

TEST(Digests, AreShortAndStable) {
  EXPECT_EQ(short_digest("sha256:" + std::string(64, 'a')), std::string(24, 'a'));
  EXPECT_EQ(short_digest("no hex").size(), 24U);
}

}  // namespace
}  // namespace davit::docker_plugin
