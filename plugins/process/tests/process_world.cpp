// The process runtime in a home of its own, for the conformance suite (tests/conformance/runtime). Run as
// root it is a home of root with an app user without an account; with DAVIT_TEST_UID set, root drops to that
// uid first and it is a normal user's home.
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <thread>

#include "firewall.hpp"
#include "process_world.hpp"

namespace davit::test {
namespace {

/// Tries to connect as the given user, in a child.
bool can_connect_as(uid_t uid, std::uint32_t port) {
  const pid_t child = fork();
  if (child == 0) {
    if (setgroups(0, nullptr) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)
      _exit(9);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    _exit(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_NE(WEXITSTATUS(status), 9);
  return status == 0;
}

/// Listens on all addresses as long as it lives.
class Listener {
 public:
  explicit Listener(std::uint32_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int yes = 1;  // old connections of other tests do not count
    setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(fd_, 1), 0);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { close(fd_); }

 private:
  int fd_;
};

// What is only true of this runtime.

TEST_F(RuntimeSuite, AHomeOfRootClosesItsPortsToOtherUsers) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  sdk::Pairs facts;
  ASSERT_EQ(runtime().describe(facts), DAVIT_OK);
  if (std::ranges::find(facts, std::pair<std::string, std::string>("firewall", "nftables")) == facts.end()) {
    GTEST_SKIP() << "no nftables here";
  }
  ASSERT_EQ(runtime().apply(web(1)), DAVIT_OK) << runtime().call().message;
  for (const std::string& warning : runtime().call().warnings) {
    EXPECT_EQ(warning.find("ports"), std::string::npos) << warning;
  }
  ASSERT_TRUE(wait_up(1));
  const std::uint32_t port = inspect()[0].endpoints[0].port;
  ASSERT_TRUE(eventually([&] { return !http_get(port).empty(); }));
  EXPECT_FALSE(can_connect_as(61999, port));
  EXPECT_FALSE(can_connect_as(kAppUid, port)) << "one app reaches another past the proxy";
  EXPECT_TRUE(can_connect_as(33, port)) << "www-data, the proxy's workers, must get through";
}

TEST_F(RuntimeSuite, InstancesWhoseRecordsAPowerLossEmptiedAreSeenReplacedAndRemoved) {
  ASSERT_EQ(runtime().apply(web(2)), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(2));
  const fs::path run = fs::path(dynamic_cast<ProcessWorld&>(*world).home()) / "run/plugins/process";
  const auto empty_all = [&run] {
    for (const auto& group : fs::directory_iterator(run / "groups")) std::ofstream(group.path());
    for (const auto& one : fs::directory_iterator(run / "instances")) std::ofstream(one.path() / "record");
  };
  empty_all();
  EXPECT_EQ(inspect().size(), 2U);
  EXPECT_EQ(runtime().apply(web(2)), DAVIT_OK) << runtime().call().message;
  EXPECT_TRUE(wait_up(2));
  empty_all();  // the world sees to it that nothing is left
}

TEST_F(RuntimeSuite, AccountsThatAPowerLossEmptiedAreWrittenAgain) {
  if (geteuid() != 0 || !world->isolated()) GTEST_SKIP() << "needs root and a sandbox";
  const fs::path passwd =
      fs::path(dynamic_cast<ProcessWorld&>(*world).home()) / "run/plugins/process/etc/61777/passwd";
  auto group = web(1);
  group.user = "61777";
  ASSERT_EQ(runtime().apply(group), DAVIT_OK) << runtime().call().message;
  ASSERT_GT(fs::file_size(passwd), 0U);
  std::ofstream(passwd).close();
  group.env.emplace_back("AGAIN", "1");
  ASSERT_EQ(runtime().apply(group), DAVIT_OK) << runtime().call().message;
  EXPECT_GT(fs::file_size(passwd), 0U);
}

TEST_F(RuntimeSuite, AfterARebootTheFirewallComesBackWithTheSystem) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  auto& world_here = dynamic_cast<ProcessWorld&>(*world);
  ASSERT_EQ(runtime().apply(web(1)), DAVIT_OK) << runtime().call().message;
  Command nft;
  nft.argv = {"/usr/sbin/nft", "delete", "table", "inet", process_plugin::firewall_table(world_here.home())};
  const auto deleted = world_here.host().runner().run(nft);
  if (!deleted || !deleted->ok()) GTEST_SKIP() << "no nftables here";
  ASSERT_EQ(runtime().system_start(), DAVIT_OK) << runtime().call().message;
  nft.argv[1] = "list";
  nft.out = OutputCapture{};
  const auto listed = world_here.host().runner().run(nft);
  ASSERT_TRUE(listed && listed->ok());
  EXPECT_THAT(listed->out, testing::HasSubstr(std::to_string(inspect()[0].endpoints[0].port)));

  ASSERT_EQ(runtime().system_stop(), DAVIT_OK) << runtime().call().message;
  const auto gone = world_here.host().runner().run(nft);
  EXPECT_TRUE(gone && !gone->ok()) << "a stopped home still closes ports";
  ASSERT_EQ(runtime().system_stop(), DAVIT_OK) << "an undo works twice";
}

/// Runs nft with a script; what it printed, nullopt if it refused.
std::optional<std::string> nft_said(ProcessWorld& world, std::vector<std::string> words,
                                    const std::string& script = {}) {
  Command nft;
  nft.argv = {"/usr/sbin/nft"};
  nft.argv.insert(nft.argv.end(), words.begin(), words.end());
  if (!script.empty()) nft.in = InputBytes{script};
  nft.out = OutputCapture{};
  nft.err = OutputNone{};
  const auto ended = world.host().runner().run(nft);
  if (!ended || !ended->ok()) return std::nullopt;
  return ended->out;
}

TEST_F(RuntimeSuite, APortThatIsOursNowIsTakenOutOfAnotherHomesTable) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  auto& here = dynamic_cast<ProcessWorld&>(*world);
  const TempFolder other;
  const std::string table = process_plugin::firewall_table(other.path());
  // The other home once had all the ports that we may get.
  std::set<std::uint32_t> ports;
  PortBlock& block = here.host().ports();
  while (ports.insert(block.next()).second) {
  }
  if (!nft_said(here, {"-f", "-"}, process_plugin::firewall_script(other.path(), ports, {0}))) {
    GTEST_SKIP() << "no nftables here";
  }
  ASSERT_EQ(runtime().apply(web(1)), DAVIT_OK) << runtime().call().message;
  ASSERT_TRUE(wait_up(1));
  const std::uint32_t port = inspect()[0].endpoints[0].port;
  EXPECT_TRUE(eventually([&] { return !http_get(port).empty(); }));
  EXPECT_TRUE(eventually([&] { return can_connect_as(33, port); })) << "the other home cuts our proxy off";
  const auto theirs = nft_said(here, {"list", "table", "inet", table});
  ASSERT_TRUE(theirs);
  const auto kept = process_plugin::read_tables(*theirs);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].home, other.path());
  EXPECT_EQ(ports.erase(port), 1U);
  EXPECT_EQ(kept[0].ports, ports);
  (void)nft_said(here, {"delete", "table", "inet", table});
}

TEST_F(RuntimeSuite, TheTableOfAHomeThatIsGoneGoes) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  auto& here = dynamic_cast<ProcessWorld&>(*world);
  std::string gone;
  {
    const TempFolder home;
    gone = home /
           "a home with \"quotes\" and a name that is longer than one comment of nftables can be, which has "
           "128 bytes";
  }
  const std::uint32_t port = here.host().ports().next();
  const std::string table = process_plugin::firewall_table(gone);
  const std::string script = process_plugin::firewall_script(gone, {port}, {0});
  if (!nft_said(here, {"-f", "-"}, script)) GTEST_SKIP() << "no nftables here";
  {
    const Listener listener(port);  // somebody sees that home, though we do not
    sdk::Strings findings;
    ASSERT_EQ(runtime().examine(findings), DAVIT_OK) << runtime().call().message;
    EXPECT_THAT(findings, testing::Contains(testing::StartsWith("1 the nftables table " + table)));
    EXPECT_TRUE(nft_said(here, {"list", "table", "inet", table}));
  }
  // Every home's doctor on this machine takes such a table away, another suite's too: then we lay it out once
  // more.
  const std::string said = "0 the nftables table " + table + " of " + gone + ", which is gone, is removed";
  EXPECT_TRUE(eventually([&] {
    sdk::Strings findings;
    EXPECT_EQ(runtime().examine(findings), DAVIT_OK) << runtime().call().message;
    EXPECT_FALSE(nft_said(here, {"list", "table", "inet", table}));
    if (std::ranges::find(findings, said) != findings.end()) return true;
    EXPECT_TRUE(nft_said(here, {"-f", "-"}, script));
    return false;
  }));

  ASSERT_TRUE(nft_said(here, {"-f", "-"}, script));
  ASSERT_EQ(runtime().system_start(), DAVIT_OK) << runtime().call().message;
  EXPECT_FALSE(nft_said(here, {"list", "table", "inet", table}));
}

TEST_F(RuntimeSuite, TheDoctorSaysWhatHoldsHere) {
  sdk::Strings findings;
  ASSERT_EQ(runtime().examine(findings), DAVIT_OK) << runtime().call().message;
  const char* sandbox =
      world->isolated() ? "0 apps run in bubblewrap sandboxes" : "1 apps run without a sandbox";
  EXPECT_THAT(findings, testing::Contains(testing::StartsWith(sandbox)));
  EXPECT_THAT(findings, testing::Contains(testing::HasSubstr("free for copies of slugs")));
  EXPECT_THAT(findings, testing::Each(testing::Not(testing::StartsWith("2"))))
      << "a problem on a good machine";
  if (geteuid() != 0) {
    EXPECT_THAT(findings, testing::Contains(testing::StartsWith("1 every local user can reach")));
  }
}

TEST_F(RuntimeSuite, ATaskWhoseDavitWasKilledIsSweptByTheNext) {
  auto& world_here = dynamic_cast<ProcessWorld&>(*world);
  const std::string left = world_here.home() + "/run/plugins/process/tasks/tLEFT42";
  fs::create_directories(left + "/app/some");
  EXPECT_EQ(task_output(task("echo fine")), "fine\n");
  EXPECT_FALSE(fs::exists(left));
}

TEST_F(RuntimeSuite, TheFilesOfAnInstanceBelongToTheAppUser) {
  ASSERT_EQ(runtime().apply(
                group("worker", "stat -c '%u %a' hello.txt; echo x > new && echo wrote; id -un; sleep 1000")),
            DAVIT_OK);
  ASSERT_TRUE(wait_log("wrote"));
  const uid_t uid = geteuid() == 0 ? kAppUid : geteuid();
  EXPECT_EQ(log_texts()[0], std::to_string(uid) + " 755");
  if (world->isolated()) {
    EXPECT_TRUE(wait_log("app"));
  }
}

TEST_F(RuntimeSuite, StdoutMayBeOpenedAnew) {
  ASSERT_EQ(
      runtime().apply(group("worker", "echo through > /dev/stdout; echo and > /dev/stderr; sleep 1000")),
      DAVIT_OK);
  EXPECT_TRUE(wait_log("through"));
  EXPECT_TRUE(wait_log("and"));
}

TEST_F(RuntimeSuite, ADamagedSlugSaysSo) {
  sdk::Group damaged = group("worker", "sleep 1000");
  damaged.artifact = world->artifact({{"other", "x"}});
  std::ofstream(damaged.artifact->ref, std::ios::binary) << "no archive";
  EXPECT_EQ(runtime().apply(damaged), DAVIT_FAILED);
  EXPECT_THAT(runtime().call().message, testing::HasSubstr("could not be unpacked"));
}

TEST_F(RuntimeSuite, AnImageIsNotForThisRuntime) {
  sdk::Group image = group("worker", "true");
  image.artifact->kind = DAVIT_ARTIFACT_IMAGE;
  EXPECT_EQ(runtime().apply(image), DAVIT_UNSUPPORTED);
  EXPECT_NE(runtime().call().hint, "");
}

TEST_F(RuntimeSuite, NothingRunsAsRoot) {
  sdk::Task wanted = task("id -u");
  wanted.user = "root";
  TestCall call;
  int code = -1;
  EXPECT_EQ(runtime().run_task(call, wanted, code), DAVIT_DENIED);
}

}  // namespace

std::string build_folder() {
  return DAVIT_BUILD_DIR;
}

std::unique_ptr<World> make_world() {
  return std::make_unique<ProcessWorld>();
}

}  // namespace davit::test

int main(int argc, char** argv) {
  if (const char* uid = std::getenv("DAVIT_TEST_UID"); uid != nullptr && geteuid() == 0) {
    const auto id = static_cast<uid_t>(std::atoi(uid));
    if (setgroups(0, nullptr) != 0 || setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0) {
      std::perror("drop to DAVIT_TEST_UID");
      return 1;
    }
    // Out of the build folder, which the user may not even enter.
    if (chdir("/") != 0) return 1;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
