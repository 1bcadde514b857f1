// docker-options: the allow-list.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "davit/failure.hpp"
#include "engine/options.hpp"

namespace davit::docker {
namespace {

using testing::HasSubstr;

nlohmann::json applied(const std::string& text, Phase phase = Phase::kDeploy) {
  nlohmann::json container = {{"Env", {"A=1"}}, {"HostConfig", {{"CapDrop", {"ALL"}}}}};
  apply_options(parse_options(text, phase), container);
  return container;
}

std::string refusal(const std::string& text, Phase phase = Phase::kDeploy) {
  try {
    (void)parse_options(text, phase);
  } catch (const sdk::Failure& failure) {
    EXPECT_EQ(failure.status(), DAVIT_INVALID);
    return failure.message() + " | " + failure.hint();
  }
  return {};
}

TEST(Options, BecomeFieldsOfTheApi) {
  const auto container = applied(
      "-m 512m --cpus=1.5 --ulimit nofile=64:128 --tmpfs=/scratch:size=1m -e 'B=two words' --label "
      "tier=front --read-only --add-host db:10.0.0.5");
  const auto& host = container["HostConfig"];
  EXPECT_EQ(host["Memory"], 512U << 20);
  EXPECT_EQ(host["MemorySwap"], 512U << 20);
  EXPECT_EQ(host["NanoCpus"], 1'500'000'000);
  EXPECT_EQ(host["Ulimits"][0], (nlohmann::json{{"Name", "nofile"}, {"Soft", 64}, {"Hard", 128}}));
  EXPECT_EQ(host["Tmpfs"]["/scratch"], "size=1m");
  EXPECT_EQ(host["ReadonlyRootfs"], true);
  EXPECT_EQ(host["ExtraHosts"][0], "db:10.0.0.5");
  EXPECT_EQ(host["CapDrop"][0], "ALL");
  EXPECT_EQ(container["Env"], (nlohmann::json{"A=1", "B=two words"}));
  EXPECT_EQ(container["Labels"]["tier"], "front");
}

TEST(Options, WhatReachesPastTheContainerIsRefusedWithTheReason) {
  for (const char* bad : {"--privileged",
                          "--device=/dev/sda",
                          "-v /:/host",
                          "--volume=/etc:/etc",
                          "--mount type=bind,src=/,dst=/x",
                          "--pid=host",
                          "--network=host",
                          "--security-opt seccomp=unconfined",
                          "--user=0",
                          "-p 80:80",
                          "--link db:db",
                          "--cap-add=SYS_ADMIN",
                          "--cap-add ALL",
                          "--sysctl kernel.core_pattern=|/x",
                          "--label davit.home=x",
                          "--log-opt=tag=x",
                          "--entrypoint sh",
                          "--ulimit rtprio=99",
                          "--ulimit=nice=40",
                          "--ulimit=rttime=1",
                          "--ulimit=NOFILE=1"}) {
    EXPECT_NE(refusal(bad), "") << bad;
    EXPECT_EQ(refusal(bad).find("| \n"), std::string::npos);
  }
  EXPECT_THAT(refusal("--link db:db"), HasSubstr("APP.TYPE.N"));
  EXPECT_THAT(refusal("--nonsense=1"), HasSubstr("known are --memory"));
}

TEST(Options, BadValuesAreNamed) {
  EXPECT_THAT(refusal("--memory=lots"), HasSubstr("--memory takes a size, not 'lots'"));
  EXPECT_THAT(refusal("--memory=99999999999g"), HasSubstr("takes a size"));
  for (const char* text : {"--cpus=-1", "--cpus=nan", "--cpus=0.0000000001"})
    EXPECT_THAT(refusal(text), HasSubstr("--cpus takes")) << text;
  EXPECT_THAT(refusal("--memory=1m"), HasSubstr("too little"));
  for (const char* text : {"--tmpfs=/run/davit", "--tmpfs=/run/davit/x:size=1m"})
    EXPECT_THAT(refusal(text), HasSubstr("davit's own")) << text;
  EXPECT_THAT(refusal("--pids-limit=ten"), HasSubstr("whole number"));
  EXPECT_THAT(refusal("--memory"), HasSubstr("lacks its value"));
  EXPECT_THAT(refusal("--env 'A=1"), HasSubstr("not closed"));
  EXPECT_THAT(refusal("--read-only=no"), HasSubstr("takes no value"));
  EXPECT_THAT(refusal("  "), HasSubstr("no option"));
  EXPECT_THAT(refusal("--env A=1", Phase::kBuild), HasSubstr("phase build"));
  EXPECT_THAT(refusal("word"), HasSubstr("does not know"));
}

TEST(Options, SwapIsWhatWasSaidOfItInEitherOrder) {
  for (const char* text : {"--memory-swap=2g --memory=1g", "--memory=1g --memory-swap=2g"}) {
    EXPECT_EQ(applied(text)["HostConfig"]["Memory"], 1ULL << 30) << text;
    EXPECT_EQ(applied(text)["HostConfig"]["MemorySwap"], 2ULL << 30) << text;
    EXPECT_THAT(build_options(parse_options(text, Phase::kBuild)).query,
                testing::Contains(testing::Pair("memswap", "2147483648")));
  }
}

TEST(Options, NoneTakesALimitAway) {
  EXPECT_THAT(refusal("--pids-limit=0"), HasSubstr("take the limit away"));
  EXPECT_THAT(refusal("--pids-limit=-1"), HasSubstr("whole number"));
  EXPECT_THAT(refusal("--log-opt max-size=-1"), HasSubstr("--log-opt max-size takes a size, not '-1'"));
  EXPECT_THAT(refusal("--log-opt max-size=0"), HasSubstr("takes a size"));
  EXPECT_THAT(refusal("--log-opt max-file=0"), HasSubstr("at least 1"));
  EXPECT_EQ(applied("--log-opt=max-size=5m --log-opt=max-file=2")["HostConfig"]["LogConfig"]["Config"],
            (nlohmann::json{{"max-size", "5m"}, {"max-file", "2"}}));
}

TEST(Options, AreReadAgainAsTheyAreWritten) {
  const std::vector<std::string> pieces = {"a", " ", "\t", "\n", "'", "\"", "\\", "=", "$x", "-", "--env"};
  std::vector<Option> all;
  for (const std::string& first : pieces) {
    for (const std::string& second : pieces) {
      for (const std::string& third : pieces) {
        const Option option{"--env", "KEY=" + first + second + third};
        EXPECT_EQ(parse_options(option.text(), Phase::kDeploy), std::vector{option}) << option.text();
        all.push_back(option);
      }
    }
  }
  std::string text;
  for (const Option& option : all) text += option.text() + " ";
  EXPECT_EQ(parse_options(text, Phase::kDeploy), all);
  EXPECT_EQ((Option{"--env", "A=1"}.text()), "--env=A=1");
  EXPECT_EQ((Option{"--env", "A=hello world"}.text()), "--env='A=hello world'");
  EXPECT_EQ((Option{"--read-only", ""}.text()), "--read-only");
  EXPECT_EQ(parse_options(R"(--build-arg "A=it's")", Phase::kBuild).front().text(),
            R"(--build-arg='A=it'"'"'s')");
}

TEST(Options, WhatDavitTellsAnInstanceIsNotAddedAnew) {
  const auto refused = [](const std::string& text, Phase phase) -> std::string {
    try {
      (void)parse_new_options(text, phase);
    } catch (const sdk::Failure& failure) {
      return failure.message() + " | " + failure.hint();
    }
    return {};
  };
  for (const char* text : {"--env PORT=8099", "--env=PORT=8099", "-e PORT=", "-e A=1 --env PORT"})
    EXPECT_THAT(refused(text, Phase::kDeploy), HasSubstr("davit docker:set APP port N")) << text;
  EXPECT_THAT(refused("-e DAVIT_INSTANCE=x", Phase::kDeploy), HasSubstr("davit's own"));
  for (const char* text : {"--env PORTS=1", "--env A=PORT=1", "--label PORT=1"})
    EXPECT_EQ(refused(text, Phase::kDeploy), "") << text;
  EXPECT_EQ(refused("--env PORT=1", Phase::kRun), "") << "davit tells tasks no port";
  EXPECT_EQ(refused("--build-arg PORT=1", Phase::kBuild), "");
}

TEST(Options, OfAnOlderDavitDoNotOverrideWhatItTellsAnInstance) {
  nlohmann::json container = {{"Env", {"PORT=5000", "DAVIT_INSTANCE=shop.d1.web.1", "A=1"}},
                              {"HostConfig", {{"PortBindings", {{"5000/tcp", nlohmann::json::array()}}}}}};
  apply_options(parse_options("-e PORT=8099 -e DAVIT_INSTANCE=x -e A=2", Phase::kDeploy), container);
  EXPECT_EQ(container["Env"], (nlohmann::json{"PORT=5000", "DAVIT_INSTANCE=shop.d1.web.1", "A=1", "A=2"}));
  EXPECT_EQ(applied("-e PORT=1", Phase::kRun)["Env"], (nlohmann::json{"A=1", "PORT=1"}));
  nlohmann::json task = {{"Env", {"PORT=3000"}}};  // by the app's config
  apply_options(parse_options("-e PORT=1", Phase::kRun), task);
  EXPECT_EQ(task["Env"].back(), "PORT=1");
}

TEST(Options, PhasesComeAloneOrTogether) {
  EXPECT_EQ(parse_phases("build,run,build"), (std::vector<Phase>{Phase::kBuild, Phase::kRun}));
  EXPECT_THROW(parse_phases("start"), sdk::Failure);
  EXPECT_THROW(parse_phases(""), sdk::Failure);
}

}  // namespace
}  // namespace davit::docker
