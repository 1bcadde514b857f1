// The process runtime in a home of its own, for the conformance suite (tests/conformance/runtime).
#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "firewall.hpp"
#include "tests/conformance/runtime/suite.hpp"
#include "tests/temp_folder.hpp"
#include "trees.hpp"

namespace davit::test {

namespace fs = std::filesystem;

inline constexpr uid_t kAppUid = 61234;

std::string build_folder();

/// Programs and plugin where every user can reach them: a build folder may be closed to the test's users.
class Installed {
 public:
  Installed() {
    fs::permissions(folder_.path(), fs::perms(0755));
    fs::create_directories(folder_ / "libexec");
    for (const char* name : {"davit-unit", "davit-adopt", "davit-init", "davit-sandbox"}) {
      fs::copy_file(build_folder() + "/libexec/davit/" + name, folder_ / "libexec" / name);
    }
    fs::copy_file(build_folder() + "/lib/davit/plugins/process.so", folder_ / "process.so");
  }
  [[nodiscard]] std::string libexec() const { return folder_ / "libexec"; }
  [[nodiscard]] std::string plugin() const { return folder_ / "process.so"; }

 private:
  TempFolder folder_;
};

class ProcessWorld : public World {
 public:
  explicit ProcessWorld(std::map<std::string, std::string> settings = {}) {
    // As `init` makes it: the way through is open, the home itself is not.
    fs::permissions(home_.path(), fs::perms(0711));
    fs::create_directories(home_ / "run");
    fs::permissions(home_ / "run", fs::perms(0711));
    const char* isolation = std::getenv("DAVIT_TEST_ISOLATION");
    if (isolation != nullptr) settings["isolation"] = isolation;
    host_ = std::make_unique<FakeHost>(FakeHostSettings{home_.path(), installed_.libexec(),
                                                        RunAs{kAppUid, kAppUid, {}}, std::move(settings)});
    restart_plugin();
  }

  ~ProcessWorld() override {
    for (const char* owner : {"shop", "shop.example"}) {
      EXPECT_EQ(runtime_->remove(sdk::Selector{DAVIT_OWNER_APP, owner, "", "", 0}, true), DAVIT_OK)
          << runtime_->call().message;
    }
    expect_nothing_left();
    runtime_.reset();
    host_.reset();
    EXPECT_FALSE(process_with_argument(home_.path())) << "a process outlives its home";
  }

  RuntimeUnderTest& runtime() override { return *runtime_; }
  void restart_plugin() override {
    runtime_.reset();
    runtime_ = std::make_unique<RuntimeUnderTest>(*host_, installed_.plugin());
  }

  sdk::Artifact artifact(const std::map<std::string, std::string>& files) override {
    const std::string name = "slug" + std::to_string(++slugs_);
    const std::string tree = home_ / name;
    for (const auto& [file, content] : files) {
      fs::create_directories((fs::path(tree) / file).parent_path());
      std::ofstream(fs::path(tree) / file, std::ios::binary) << content;
      fs::permissions(fs::path(tree) / file, fs::perms(0755));
    }
    Command tar;
    tar.argv = {"/usr/bin/tar", "--create", "--zstd", "--file", tree + ".tar.zst", "-C", tree, "."};
    tar.env = {"PATH=/usr/bin:/bin"};
    const auto made = host_->runner().run(tar);
    EXPECT_TRUE(made && made->ok());
    // The same content is the same slug: the digest stands for it.
    std::string digest;
    for (const auto& [file, content] : files)
      digest += file + std::to_string(std::hash<std::string>()(content));
    const auto [known, fresh] = by_content_.try_emplace(digest, tree + ".tar.zst");
    return sdk::Artifact{DAVIT_ARTIFACT_SLUG, known->second, digest, "debian-12"};
  }

  std::string host_folder(const std::string& name) override {
    const std::string path = home_ / name;
    fs::create_directories(path);
    return path;
  }

  void break_instance(const std::string& id) override {
    (void)host_->supervisor().remove(id, 30'000);
    fs::remove(home_ / ("run/plugins/process/instances/" + id + "/record"));
  }

  bool isolated() override {
    sdk::Pairs facts;
    EXPECT_EQ(runtime_->describe(facts), DAVIT_OK) << runtime_->call().message;
    for (const auto& [key, value] : facts) {
      if (key == "isolation") return value == "bubblewrap";
    }
    return false;
  }

  FakeHost& host() { return *host_; }
  [[nodiscard]] std::string home() const { return home_.path(); }
  [[nodiscard]] std::string libexec() const { return installed_.libexec(); }

 private:
  void expect_nothing_left() {
    const std::string run = home_ / "run/plugins/process/";
    EXPECT_TRUE(process_plugin::names_in(run + "instances").empty());
    EXPECT_TRUE(process_plugin::names_in(run + "groups").empty());
    EXPECT_TRUE(process_plugin::names_in(run + "tasks").empty());
    EXPECT_TRUE(host_->leases().empty()) << host_->leases().begin()->first << " still has its port";
    const auto units = host_->supervisor().list();
    EXPECT_TRUE(!units || units->empty());
    if (geteuid() != 0) return;
    Command nft;
    nft.argv = {"/usr/sbin/nft", "list", "table", "inet", process_plugin::firewall_table(home_.path())};
    nft.out = OutputNone{};
    nft.err = OutputNone{};
    const auto listed = host_->runner().run(nft);
    EXPECT_TRUE(listed && !listed->ok()) << "the firewall's table is left";
  }

  TempFolder home_;
  Installed installed_;
  std::unique_ptr<FakeHost> host_;
  std::unique_ptr<RuntimeUnderTest> runtime_;
  std::map<std::string, std::string> by_content_;
  int slugs_ = 0;
};

}  // namespace davit::test
