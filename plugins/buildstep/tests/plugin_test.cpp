// The plugin through its C entry: commands and a build, with a host made of maps.
#include "davit/plugin.h"

#include <gmock/gmock.h>

#include "davit/commands.h"
#include "davit/hooks.h"
#include "fake_host.hpp"
#include "files.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::FakeHost;
using Pair = std::pair<std::string, std::string>;

struct Built {
  sdk::Artifact artifact;
  sdk::Pairs types;
  sdk::Strings launcher;
  sdk::Pairs config;
  std::string description;
};

davit_build_result collect_in(Built& built) {
  davit_build_result sink{};
  sink.struct_size = sizeof sink;
  sink.result_data = &built;
  sink.artifact = [](void* to, const davit_artifact* artifact) -> davit_status {
    static_cast<Built*>(to)->artifact = sdk::copy(*artifact);
    return DAVIT_OK;
  };
  sink.process_type = [](void* to, davit_str type, davit_str command) -> davit_status {
    static_cast<Built*>(to)->types.emplace_back(sdk::copy(type), sdk::copy(command));
    return DAVIT_OK;
  };
  sink.launcher = [](void* to, davit_strs argv) -> davit_status {
    static_cast<Built*>(to)->launcher = sdk::copy(argv);
    return DAVIT_OK;
  };
  sink.config_default = [](void* to, davit_str key, davit_str value) -> davit_status {
    static_cast<Built*>(to)->config.emplace_back(sdk::copy(key), sdk::copy(value));
    return DAVIT_OK;
  };
  sink.describe = [](void* to, davit_str text) -> davit_status {
    static_cast<Built*>(to)->description = sdk::copy(text);
    return DAVIT_OK;
  };
  return sink;
}

class PluginEntry : public testing_support::FolderTest {
 protected:
  void SetUp() override {
    const fs::path plugin = fs::path(DAVIT_SOURCE_DIR) / "plugins/buildstep";
    for (const char* name : {"share", "src", "work", "cache", "state"}) fs::create_directory(root_ / name);
    for (const char* name : {"driver.sh", "launcher.sh", "bin"}) {
      fs::create_symlink(plugin / "share" / name, root_ / "share" / name);
    }
    fs::create_symlink(plugin / "buildpacks", root_ / "share/buildpacks");
    host_.paths = {{"share", (root_ / "share").string()},
                   {"state", (root_ / "state").string()},
                   {"libexec", (root_ / "libexec").string()},
                   {"home", (root_ / "home").string()}};
    host_.setting_items["detect"] = {"davit/node", "davit/procfile"};
    host_.settings["stack"] = "heroku-22";
    host_.apps = {"shop", "web"};
    const davit_plugin_descriptor* descriptor = davit_plugin_v1();
    ASSERT_EQ(descriptor->create(host_.host(), host_.call("local:ada"), &plugin_), DAVIT_OK);
    ASSERT_EQ(descriptor->start(plugin_, host_.call("local:ada")), DAVIT_OK);
  }
  void TearDown() override {
    davit_plugin_v1()->stop(plugin_, host_.call("local:ada"));
    davit_plugin_v1()->destroy(plugin_);
  }
  template <class Table>
  const Table* table(const char* id) {
    return static_cast<const Table*>(davit_plugin_v1()->get_interface(plugin_, sdk::str(id)));
  }
  /// One command by the home's owner; its stdout, or "error: MESSAGE".
  std::string run(const std::string& name, const sdk::Strings& args, const sdk::Pairs& flags = {},
                  const std::string& actor = "local:ada") {
    const sdk::StrArray arg_array(args);
    const sdk::KvArray flag_array(flags);
    davit_command command{};
    command.struct_size = sizeof command;
    command.name = sdk::str(name);
    command.args = arg_array.get();
    command.flags = flag_array.get();
    std::int32_t code = -1;
    const davit_status status =
        table<davit_commands>(DAVIT_COMMANDS_ID)->run(plugin_, host_.call(actor), &command, &code);
    if (status != DAVIT_OK) return "error: " + host_.message;
    EXPECT_EQ(code, 0);
    return host_.result;
  }
  davit_status build(Built& built, const sdk::Pairs& env = {}) {
    const std::string source = (root_ / "src").string();
    const std::string cache = (root_ / "cache").string();
    const std::string work = (root_ / "work").string();
    const sdk::KvArray variables(env);
    davit_build request{};
    request.struct_size = sizeof request;
    request.app = sdk::str("shop");
    request.source_dir = sdk::str(source);
    request.cache_dir = sdk::str(cache);
    request.work_dir = sdk::str(work);
    request.env = variables.get();
    const davit_build_result sink = collect_in(built);
    return table<davit_builder>(DAVIT_BUILDER_ID)->build(plugin_, host_.call("ssh:ada"), &request, &sink);
  }

  /// For one more build.
  void renew_work() {
    fs::remove_all(root_ / "work");
    fs::create_directory(root_ / "work");
  }

  FakeHost host_;
  davit_plugin* plugin_ = nullptr;
};

TEST_F(PluginEntry, ListsInOrder) {
  EXPECT_EQ(run("buildpacks:add", {"shop", "heroku/nodejs"}), "");
  EXPECT_EQ(run("buildpacks:add", {"shop", "static"}, {{"index", "1"}}), "");
  EXPECT_EQ(run("buildpacks:list", {"shop"}),
            "       davit/static\n       https://github.com/heroku/heroku-buildpack-nodejs.git\n");
  EXPECT_EQ(host_.steps, "-----> shop buildpack urls\n");
  EXPECT_EQ(run("buildpacks:list", {"shop"}, {{"format", "json"}}),
            "[\"davit/static\",\"https://github.com/heroku/heroku-buildpack-nodejs.git\"]\n");
  run("buildpacks:set", {"shop", "davit/node"});
  run("buildpacks:remove", {"shop"}, {{"index", "2"}});
  EXPECT_EQ(run("buildpacks:list", {"shop"}), "       davit/node\n");
  run("buildpacks:clear", {"shop"});
  EXPECT_EQ(run("buildpacks:list", {"shop"}, {{"format", "json"}}), "[]\n");
}

TEST_F(PluginEntry, ErrorsHaveDokkusTexts) {
  EXPECT_EQ(run("buildpacks:add", {"shop"}), "error: Must specify a buildpack to add");
  EXPECT_EQ(run("buildpacks:remove", {"shop"}),
            "error: Must specify a buildpack to remove, either by index or URL");
  EXPECT_EQ(run("buildpacks:add", {"shop", "no pack"}),
            "error: Invalid buildpack specified: (text with blanks or control characters): it has blanks or "
            "control "
            "characters");
  EXPECT_EQ(run("buildpacks:list", {"shop"}, {{"format", "xml"}}), "error: Invalid format specified: xml");
  EXPECT_TRUE((host_.lists[{"shop", "list"}].empty()));
}

TEST_F(PluginEntry, ListsShowNoCredentials) {
  run("buildpacks:set", {"shop", "https://ada:s3cret@example.com/x.git"});
  EXPECT_EQ(run("buildpacks:list", {"shop"}), "       https://***@example.com/x.git\n");
  EXPECT_THAT(run("buildpacks:report", {"shop"}), testing::Not(HasSubstr("s3cret")));
}

TEST_F(PluginEntry, StackAndReport) {
  EXPECT_EQ(run("buildpacks:set-property", {"shop", "stack", "heroku-24"}), "");
  EXPECT_EQ(host_.steps, "=====> Setting stack to heroku-24\n");
  run("buildpacks:set-property", {"stack", "heroku-20"}, {{"global", ""}});
  EXPECT_EQ(run("buildpacks:report", {"shop"}),
            "       Buildpacks computed stack:     heroku-24\n"
            "       Buildpacks global stack:       heroku-20\n"
            "       Buildpacks list:\n"
            "       Buildpacks stack:              heroku-24\n");
  EXPECT_EQ(run("buildpacks:report", {"web"}, {{"buildpacks-computed-stack", ""}}), "heroku-20\n");
  EXPECT_THAT(run("buildpacks:report", {}, {{"format", "json"}}),
              HasSubstr("\"web\":{\"buildpacks-computed-stack\""));
  EXPECT_EQ(run("buildpacks:report", {"nope"}), "error: App nope does not exist");
  EXPECT_EQ(run("buildpacks:set-property", {"shop", "colour", "red"}),
            "error: Invalid property specified, valid properties include: stack");
  EXPECT_EQ(run("buildpacks:set-property", {"shop"}), "error: No property specified");
  run("buildpacks:set-property", {"shop", "stack"});
  EXPECT_EQ(host_.steps, "=====> Unsetting stack\n");
}

TEST_F(PluginEntry, OnlyTheOwnerMayNameWhatNotEverybodyMayRead) {
  put_pack("pack", "echo mine", "touch \"$1/made\"");
  fs::permissions(root_, fs::perms(0700));
  const std::string pack = (root_ / "pack").string();
  EXPECT_THAT(run("buildpacks:set", {"shop", pack}, {}, "ssh:eve"), HasSubstr("may not be used"));
  Built built;
  EXPECT_EQ(build(built, {{"BUILDPACK_URL", pack}}), DAVIT_DENIED);
  EXPECT_EQ(host_.slug, "buildpack-not-allowed");
  renew_work();
  EXPECT_EQ(run("buildpacks:set", {"shop", pack}), "");
  EXPECT_EQ(build(built), DAVIT_OK) << host_.message;
  EXPECT_TRUE(fs::exists(root_ / "src/made"));
}

TEST_F(PluginEntry, OnlyTheOwnerMayNameWhatIsInDavitsHome) {
  put_pack("home/storage/bad/pack", "echo mine", "touch \"$1/made\"");
  ASSERT_EQ(sh({"chmod", "-R", "a+rX", root_.string()}), 0) << said_;
  const std::string pack = (root_ / "home/storage/bad/pack").string();
  Built built;
  EXPECT_EQ(build(built, {{"BUILDPACK_URL", pack}}), DAVIT_DENIED);
  EXPECT_EQ(host_.slug, "buildpack-not-allowed");
  fs::create_symlink(pack, root_ / "elsewhere");
  put("src/.buildpacks", (root_ / "elsewhere").string() + "\n");
  renew_work();
  EXPECT_EQ(build(built), DAVIT_DENIED);
  EXPECT_EQ(run("buildpacks:set", {"shop", pack}), "");
  renew_work();
  EXPECT_EQ(build(built), DAVIT_OK) << host_.message;
}

TEST_F(PluginEntry, ABuildReportsEverything) {
  put("src/Procfile", "web: run it\nrelease: migrate\n");
  Built built;
  ASSERT_EQ(build(built), DAVIT_OK) << host_.message;
  EXPECT_EQ(built.artifact.kind, DAVIT_ARTIFACT_SLUG);
  EXPECT_TRUE(fs::exists(built.artifact.ref));
  EXPECT_EQ(built.artifact.stack, "heroku-22");
  EXPECT_THAT(built.types, ElementsAre(Pair{"web", "run it"}, Pair{"release", "migrate"}));
  ASSERT_EQ(built.launcher.size(), 6U);
  EXPECT_EQ(built.launcher[0], "/bin/bash");
  EXPECT_THAT(built.launcher[4], HasSubstr("exec \"${_davit_argv[@]}\""));
  EXPECT_EQ(built.description, "davit/procfile");
  EXPECT_THAT(host_.steps, HasSubstr("-----> Procfile app detected\n"));
}

TEST_F(PluginEntry, ABuildpacksOldPathDoesNotBecomeConfiguration) {
  put_pack("pack", "echo x", "true",
           "printf 'config_vars:\\n  PATH: bin:/usr/bin\\n  A: b\\n  \"no name\": x\\ndefault_process_types: "
           "{web: y}\\n'");
  run("buildpacks:set", {"shop", (root_ / "pack").string()});
  Built built;
  ASSERT_EQ(build(built), DAVIT_OK) << host_.message;
  EXPECT_THAT(built.config, ElementsAre(Pair{"A", "b"}));
}

TEST_F(PluginEntry, TheCacheIsEmptiedOnceWhenAsked) {
  put("src/Procfile", "web: x\n");
  put("cache/old/file", "x");
  run("buildpacks:purge-cache", {"shop"});
  EXPECT_TRUE(fs::exists(root_ / "cache/old/file"));
  Built built;
  ASSERT_EQ(build(built), DAVIT_OK) << host_.message;
  EXPECT_FALSE(fs::exists(root_ / "cache/old"));
  EXPECT_FALSE(host_.kv.contains({"shop", std::string("purge-cache")}));
}

bool has_mount(const sdk::Task& task, const std::string& target) {
  return std::ranges::any_of(task.mounts, [&](const sdk::Mount& mount) { return mount.target == target; });
}

TEST_F(PluginEntry, DownloadsAreKeptPerAppAndListed) {
  host_.settings["download-cache-size"] = "1M";
  put("src/Procfile", "web: x\n");
  Built built;
  ASSERT_EQ(build(built), DAVIT_OK) << host_.message;
  EXPECT_TRUE(has_mount(host_.sandbox.last, "/davit/wrappers"));
  EXPECT_TRUE(has_mount(host_.sandbox.last, "/davit/downloads"));
  const std::string id = host_.kv.at({"shop", "downloads-cache"});
  const std::string sum = std::string(64, 'a');
  const std::string folder = "state/downloads/" + id;
  put(folder + "/b-" + sum, "body");
  put(folder + "/m-x",
      "davit-download 1\nurl: https://u:p@host/x?y\nsha256: " + sum + "\nbytes: 4\nstored: 0\n");
  EXPECT_THAT(run("downloads:list", {"shop"}), HasSubstr("https://host/x\n"));
  EXPECT_THAT(run("downloads:list", {"shop"}, {{"format", "json"}}),
              HasSubstr(R"([{"url":"https://host/x","bytes":4,)"));
  EXPECT_EQ(run("downloads:report", {"shop"}, {{"downloads-bytes", ""}}), "4\n");
  EXPECT_EQ(run("downloads:report", {}, {{"global", ""}, {"downloads-count", ""}}), "1\n");
  EXPECT_EQ(run("downloads:list", {"web"}, {{"format", "json"}}), "[]\n");
  EXPECT_EQ(run("downloads:purge", {}), "error: Please specify an app to run the command on");
  run("downloads:purge", {"shop"});
  EXPECT_EQ(host_.steps, "-----> Removed 1 download\n");
  EXPECT_FALSE(fs::exists(root_ / folder / ("b-" + sum)));
}

TEST_F(PluginEntry, ACloneHasADownloadCacheOfItsOwn) {
  for (const char* app : {"shop", "web"}) host_.kv[{app, "downloads-cache"}] = "id";
  davit_ev_app app{};
  app.struct_size = sizeof app;
  app.app = sdk::str("web");
  app.source_app = sdk::str("shop");
  davit_event event{};
  event.struct_size = sizeof event;
  event.kind = DAVIT_EVENT_STEP;
  event.id = sdk::str(DAVIT_EV_APP_COPY);
  event.payload = &app;
  const auto* hooks = table<davit_hooks>(DAVIT_HOOKS_ID);
  app.is_rename = 1;
  ASSERT_EQ(hooks->apply(plugin_, host_.call("local:ada"), &event, sdk::str("")), DAVIT_OK);
  EXPECT_EQ(host_.kv.at({"web", "downloads-cache"}), "id");
  app.is_rename = 0;
  ASSERT_EQ(hooks->apply(plugin_, host_.call("local:ada"), &event, sdk::str("")), DAVIT_OK);
  EXPECT_FALSE(host_.kv.contains({"web", std::string("downloads-cache")}));
  EXPECT_EQ(host_.kv.at({"shop", "downloads-cache"}), "id");
}

TEST_F(PluginEntry, TheDownloadCacheAndTheWrapperCanBeTurnedOff) {
  host_.settings["download-cache-size"] = "1M";
  host_.properties[{"", "cache"}] = "false";
  put("src/Procfile", "web: x\n");
  Built built;
  ASSERT_EQ(build(built), DAVIT_OK) << host_.message;
  EXPECT_TRUE(has_mount(host_.sandbox.last, "/davit/wrappers"));
  EXPECT_FALSE(has_mount(host_.sandbox.last, "/davit/downloads"));
  renew_work();
  host_.properties[{"shop", "wrapper"}] = "false";
  ASSERT_EQ(build(built), DAVIT_OK) << host_.message;
  EXPECT_FALSE(has_mount(host_.sandbox.last, "/davit/wrappers"));
}

TEST_F(PluginEntry, AFailedBuildIsTheUsersFault) {
  Built built;
  EXPECT_EQ(build(built), DAVIT_FAILED);
  EXPECT_EQ(host_.slug, "no-buildpack");
  EXPECT_EQ(built.artifact.kind, DAVIT_ARTIFACT_NONE);
}

TEST_F(PluginEntry, DetectionScores) {
  const std::string source = (root_ / "src").string();
  davit_build request{};
  request.struct_size = sizeof request;
  request.app = sdk::str("shop");
  request.source_dir = sdk::str(source);
  const auto score = [&] {
    std::int32_t value = -1;
    sdk::TextSink why;
    EXPECT_EQ(
        table<davit_builder>(DAVIT_BUILDER_ID)->detect(plugin_, host_.call("x"), &request, &value, why.get()),
        DAVIT_OK);
    return value;
  };
  EXPECT_EQ(score(), 10);
  put("src/package.json", "{}");
  EXPECT_EQ(score(), 40);
  put("src/.buildpacks", "davit/node");
  EXPECT_EQ(score(), 90);
}

}  // namespace
}  // namespace davit::buildstep
