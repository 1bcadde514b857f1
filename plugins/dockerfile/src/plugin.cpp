// dockerfile: davit.builder/1 for apps with a Dockerfile. This file reads settings and tells the host; the
// build is in build.hpp.
#include <davit/runtime_images.h>
#include <davit/plugin.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "build.hpp"
#include "build_cache.hpp"
#include "engine/engine_address.hpp"
#include "engine/labels.hpp"
#include "source/files.hpp"
#include "source/procfile.hpp"

namespace davit::dockerfile {
namespace fs = std::filesystem;
namespace {

constexpr const char* kGroup = "builder-dockerfile";
constexpr const char* kDefaultPath = "Dockerfile";
constexpr std::uint64_t kLargestText = 1 << 20;
// Buildpacks that were chosen for an app score 90, those that were found 40 and less.
constexpr std::int32_t kScore = 60;
constexpr std::int32_t kScoreWithoutImages = 30;

class DockerfileBuilder : public sdk::Plugin, public sdk::Builder, public sdk::Hooks {
 public:
  sdk::Detection detect(const sdk::Call& call, const sdk::Build& build) override {
    const std::string path = path_of(call, build);
    std::error_code error;
    if (!fs::is_regular_file(fs::path(build.source_dir) / path, error)) {
      if (host().properties(call).get_own(build.app, kGroup, "dockerfile-path"))
        call.warning(fmt::format("dockerfile-path is {}, and there is no such file", path));
      return {0, fmt::format("the app has no {}", path)};
    }
    if (runs_images(call, build.app)) return {kScore, fmt::format("the app has a {}", path)};
    return {kScoreWithoutImages, fmt::format("the app has a {}, and a runtime that runs no images", path)};
  }

  void build(const sdk::Call& call, const sdk::Build& build, const sdk::BuildResult& result) override {
    require_images(call, build.app);
    const BuildSpec spec = spec_for(call, build);
    for (const auto& [key, value] : spec.options.arguments) {
      if (!value)
        call.warning(
            fmt::format("{} is taken from the app's environment: whoever has the image can read it", key));
    }
    docker::Engine engine(socket(call));
    const BuiltImage image = build_image(host(), call, engine, spec, build.env);
    result.artifact({DAVIT_ARTIFACT_IMAGE, image.id, image.id, ""});
    for (const auto& [type, command] : process_types(build, image)) result.process_type(type, command);
    std::string bases;
    for (const std::string& base : spec.text.bases) bases += (bases.empty() ? " FROM " : ", ") + base;
    result.describe(spec.context.dockerfile + bases);
  }

  void on_event(const sdk::Call& call, const sdk::Event& event) override {
    if (event.which() != sdk::EventId::kSystemCollect) return;
    if (host().kv(call).all("").empty()) return;  // no engine is asked where nothing was built
    docker::Engine engine(socket(call));
    try {
      BuildCache(host(), call, engine).collect(event.collect());
    } catch (const docker::EngineFailure& failure) {
      call.warning(failure.message() + ": steps of builds were left alone");
    }
  }

 private:
  /// What git:from-image makes: a Dockerfile of one line, and nothing else. Somebody's push may be no more
  /// than a Dockerfile, too, but says more in it.
  static bool is_from_image(const fs::path& tree) {
    std::error_code error;
    fs::directory_iterator entry(tree, error);
    if (error || entry == fs::directory_iterator() || entry->path().filename() != kDefaultPath ||
        entry.increment(error) != fs::directory_iterator() ||
        !fs::is_regular_file(fs::symlink_status(tree / kDefaultPath, error)))
      return false;
    return is_from_alone(source::read_small_file(tree / kDefaultPath, kLargestText, tree).value_or(""));
  }

  [[nodiscard]] std::string path_of(const sdk::Call& call, const sdk::Build& build) const {
    const std::string& app = build.app;
    const std::string path = host().properties(call).get(app, kGroup, "dockerfile-path").value_or("");
    if (path.empty() || is_from_image(build.source_dir)) return kDefaultPath;
    const fs::path plain = fs::path(path).lexically_normal();
    if (plain.is_absolute() || *plain.begin() == ".." || !plain.has_filename())
      throw sdk::Failure(
          DAVIT_INVALID, "dockerfile-path",
          fmt::format("dockerfile-path is {}, which is no file of the app", path),
          fmt::format("davit builder-dockerfile:set {} dockerfile-path docker/Dockerfile", app));
    return plain.string();
  }

  [[nodiscard]] sdk::Strings image_runtimes(const sdk::Call& call) const {
    return host().registry(call).providers(DAVIT_RUNTIME_IMAGES_ID);
  }
  [[nodiscard]] std::string runtime_of(const sdk::Call& call, const std::string& app) const {
    for (const auto& [key, value] : host().apps(call).report(app)) {
      if (key == "runtime") return value;
    }
    return {};
  }
  [[nodiscard]] bool runs_images(const sdk::Call& call, const std::string& app) const {
    const sdk::Strings able = image_runtimes(call);
    return std::ranges::find(able, runtime_of(call, app)) != able.end();
  }
  void require_images(const sdk::Call& call, const std::string& app) const {
    if (runs_images(call, app)) return;
    const sdk::Strings able = image_runtimes(call);
    throw sdk::Failure(
        DAVIT_UNSUPPORTED, "runtime-without-images",
        fmt::format("{} becomes an image, and its runtime {} runs no images", app, runtime_of(call, app)),
        able.empty() ? std::string("enable one that does: davit plugin:enable docker")
                     : fmt::format("davit ps:set {} runtime {}, then do it again", app, able.front()));
  }

  [[nodiscard]] std::string socket(const sdk::Call& call) const {
    return docker::choose_socket(host().settings(call).get_or("socket", ""), docker::usual_sockets());
  }

  BuildSpec spec_for(const sdk::Call& call, const sdk::Build& build) const {
    const sdk::Settings settings = host().settings(call);
    const sdk::Properties properties = host().properties(call);
    BuildSpec spec;
    spec.app = build.app;
    spec.home_id = docker::home_id_of(host().paths(call).home());
    spec.build_tag = fmt::format("building-{}-{}", docker::short_hash(build.app), host().now_unix_ms());
    spec.context = {build.source_dir, build.work_dir, path_of(call, build), build.source_unix_ms / 1000};
    const auto text =
        source::read_small_file(spec.context.tree / spec.context.dockerfile, kLargestText, spec.context.tree);
    spec.text = read_dockerfile(text.value_or(""));
    std::vector<docker::Option> options;
    for (const std::string& item : properties.list(build.app, "docker-options", "build")) {
      for (docker::Option& option : docker::parse_options(item, docker::Phase::kBuild))
        options.push_back(std::move(option));
    }
    spec.options = docker::build_options(options);
    spec.logins = docker::Registries(properties).effective(build.app);
    spec.limits.time_ms = settings.duration_ms("build-timeout", 0);
    spec.limits.disk_bytes = settings.size_bytes("build-disk", 0);
    spec.network = settings.get_or("build-network", "default");
    return spec;
  }

  /// The Procfile's, and for web the image's own command where the Procfile has none.
  static sdk::Pairs process_types(const sdk::Build& build, const BuiltImage& image) {
    const fs::path tree = build.source_dir;
    const auto text = source::read_small_file(tree / "Procfile", kLargestText, tree);
    sdk::Pairs types = text ? source::parse_procfile(*text) : sdk::Pairs();
    const auto is_web = [](const auto& type) { return type.first == "web"; };
    if (std::ranges::none_of(types, is_web) && image.has_command) types.emplace(types.begin(), "web", "");
    if (types.empty())
      throw sdk::Failure(DAVIT_FAILED, "no-command", "The image has no command, and the app has no Procfile",
                         "end the Dockerfile with CMD, or name the processes in a Procfile");
    return types;
  }
};

}  // namespace
}  // namespace davit::dockerfile

DAVIT_PLUGIN(davit::dockerfile::DockerfileBuilder, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0);
