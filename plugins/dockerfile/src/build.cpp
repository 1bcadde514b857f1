// See build.hpp. The engine ends a build whose connection ends: that is how a limit, a cancel and the death
// of davit end it.
#include "build.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "build_cache.hpp"
#include "build_trace.hpp"
#include "engine/disk.hpp"
#include "engine/labels.hpp"
#include "engine/pull.hpp"

namespace davit::dockerfile {
namespace {

using docker::EngineFailure;
using docker::Json;
using docker::text_in;

/// The messages of either builder.
class Conversation {
 public:
  Conversation(const sdk::Call& call, BuildWatch& watch)
      : call_(call), watch_(watch), lines_(call), trace_(call) {}

  void use(const Json& message) {
    if (message.contains("aux")) aux(message);
    if (const std::string text = text_in(message, "stream"); !text.empty()) stream(text);
    if (message.contains("status")) docker::show_pull_progress(call_, message);
  }
  [[nodiscard]] const std::string& image() const { return image_; }
  [[nodiscard]] const BuildSteps& steps() const { return steps_; }

 private:
  void aux(const Json& message) {
    if (text_in(message, "id") == "moby.buildkit.trace") {
      trace_.feed(text_in(message, "aux"));
    } else if (const std::string id = text_in(message["aux"], "ID"); !id.empty()) {
      image_ = id;
    }
  }
  void stream(const std::string& text) {
    steps_.read(text);
    watch_.in_container(steps_.container());
    lines_.write(text);
  }

  const sdk::Call call_;
  BuildWatch& watch_;
  sdk::DetailLines lines_;
  BuildTrace trace_;
  BuildSteps steps_;
  std::string image_;
};

/// The engine takes any base, and calls what it makes of it its own platform's.
void check_platform(docker::Engine& engine, const sdk::Call& call, const std::string& base) {
  Json image;
  if (base.empty() || !engine.find("/images/" + base + "/json", {}, image, docker::patience(call))) return;
  const std::string platform = text_in(image, "Os") + "/" + text_in(image, "Architecture");
  const std::string here = engine.version(docker::patience(call)).os_arch;
  if (platform != here && platform != "/" && here != "/")
    throw sdk::Failure(DAVIT_FAILED, "image-platform",
                       fmt::format("the image {} is for {}, and this engine runs {}", base, platform, here),
                       "choose or build it for this platform");
}

/// BuildKit takes a login through a session only, of which davit has none; but it asks no registry for what
/// the engine has. So where a base needs a login, all bases are here before it begins.
void fetch_private_bases(docker::Engine& engine, const sdk::Call& call, const BuildSpec& spec,
                         docker::Query& query) {
  const auto login_for = [&spec](const std::string& image) -> std::optional<docker::Login> {
    const auto found = std::ranges::find(spec.logins, docker::registry_of(image), &docker::Login::server);
    return found == spec.logins.end() ? std::nullopt : std::optional(*found);
  };
  std::vector<std::string> bases = spec.text.bases;
  std::erase_if(bases, [](const std::string& base) { return base.find('$') != std::string::npos; });
  if (std::ranges::none_of(bases, [&](const std::string& base) { return login_for(base).has_value(); }))
    return;
  const bool anew = std::erase_if(query, [](const auto& pair) { return pair.first == "pull"; }) != 0;
  for (const std::string& base : bases) {
    Json image;
    if (anew || !engine.find("/images/" + base + "/json", {}, image, docker::patience(call)))
      docker::pull(engine, call, base, login_for(base));
  }
}

std::string repository(const BuildSpec& spec) {
  return docker::repository_of(spec.home_id, "app");
}

/// By its digest; the name that the build gave it goes.
void name_image(docker::Engine& engine, const sdk::Call& call, const BuildSpec& spec, const std::string& id) {
  (void)engine.post("/images/" + id + "/tag", {{"repo", repository(spec)}, {"tag", docker::short_digest(id)}},
                    nullptr, docker::patience(call));
  try {
    engine.remove("/images/" + repository(spec) + ":" + spec.build_tag, {}, docker::patience(call));
  } catch (const EngineFailure& failure) {
    call.log_warn("the image keeps its build's name, too: " + failure.message());
  }
}

/// Whether a RUN step ended badly. The words hold its command, which may speak of registries and of disks.
bool is_failed_run(const std::string& words) {
  const std::size_t at = std::min(words.find_first_of("'\"["), words.size());
  const std::string_view head = std::string_view(words).substr(0, at);
  return head == "The command " || head.ends_with("process ") ||
         head.ends_with("executor failed running ") ||                                  // an older BuildKit
         (head.ends_with("building at STEP ") && words.compare(at, 5, "\"RUN ") == 0);  // Podman
}

/// Whether a line of the Dockerfile is at fault, whose words are among these: a file's name, an address.
/// Bases are not told of like this.
bool is_about_line(const std::string& words) {
  return words.starts_with("COPY failed: ") || words.starts_with("ADD failed: ") ||
         words.starts_with("dockerfile parse error");
}

/// After a build that failed: the first failure is the one to tell.
void leave(const sdk::Call& call, const BuildCache& cache, const std::string& app, const BuildSteps& steps,
           std::int64_t since_unix_ms) {
  try {
    cache.settle(app, steps, false, since_unix_ms);
  } catch (const std::exception& error) {
    call.log_warn(std::string("steps of a failed build stay with the engine: ") + error.what());
  }
}

}  // namespace

docker::Query build_query(const BuildSpec& spec, const sdk::Pairs& env, bool with_buildkit) {
  docker::Query query = spec.options.query;
  query.emplace_back("dockerfile", spec.context.dockerfile);
  query.emplace_back("t", repository(spec) + ":" + spec.build_tag);
  query.emplace_back("rm", "1");
  query.emplace_back("forcerm", "1");
  if (with_buildkit) query.emplace_back("version", "2");
  if (spec.network != "default") query.emplace_back("networkmode", spec.network);
  Json arguments = Json::object();
  for (const auto& [key, value] : spec.options.arguments) {
    const auto known = std::ranges::find(env, key, &std::pair<std::string, std::string>::first);
    if (value) {
      arguments[key] = *value;
    } else if (known != env.end()) {
      arguments[key] = known->second;
    }
  }
  query.emplace_back("buildargs", arguments.dump(-1, ' ', false, Json::error_handler_t::replace));
  query.emplace_back(
      "labels",
      Json{{docker::kLabelHome, spec.home_id}, {docker::kLabelKind, "app"}, {docker::kLabelOwner, spec.app}}
          .dump());
  return query;
}

sdk::Failure build_failure(const EngineFailure& failure) {
  const std::string& words = failure.words();
  if (failure.http_status() == 0) return failure;
  const bool failed_run = is_failed_run(words);
  if (!failed_run && !is_about_line(words) && docker::is_about_pull(words))
    return docker::pull_failure("", words);
  // Behind its command an engine may say so of itself.
  const std::size_t own = failed_run ? words.find_last_of("'\"]") : 0;
  if (words.find("no space left on device", own) != std::string::npos)
    return {DAVIT_UNAVAILABLE, "engine-full", "The engine's disk is full: " + words,
            "see what can go with `davit system:collect --dry-run`, or free space where the engine keeps its "
            "data"};
  return {DAVIT_FAILED, "dockerfile-failed", "The Dockerfile could not be built: " + words,
          "the output of its last step is above; the running release is not touched"};
}

BuiltImage build_image(const sdk::Host& host, const sdk::Call& call, docker::Engine& engine,
                       const BuildSpec& spec, const sdk::Pairs& env) {
  docker::require_free_disk(engine, "a build of " + spec.app, docker::kBuildBytes, docker::patience(call));
  const bool with_buildkit =
      !spec.text.needs_buildkit.empty() && !engine.version(docker::patience(call)).podman;
  if (with_buildkit) call.step(fmt::format("BuildKit builds it, because of {}", spec.text.needs_buildkit));
  BuildWatch watch(host, call, engine, spec.limits, !with_buildkit);
  Conversation said(call, watch);
  const BuildCache cache(host, call, engine);
  const std::int64_t since_unix_ms = host.now_unix_ms();
  try {
    docker::Query query = build_query(spec, env, with_buildkit);
    if (with_buildkit) fetch_private_bases(engine, call, spec, query);
    const auto answer = engine.upload(
        "POST", "/build", query, "application/x-tar",
        [&](const docker::BodySink& sink) {
          send_context(
              host, call, spec.context, [&watch] { watch.check(); }, sink);
        },
        watch.patience(), docker::config_header(spec.logins));
    docker::read_messages(*answer, [&said](const Json& message) { said.use(message); });
  } catch (...) {
    leave(call, cache, spec.app, said.steps(), since_unix_ms);
    try {
      throw;
    } catch (const EngineFailure& failure) {
      throw build_failure(failure);
    }
  }
  if (said.image().empty())
    throw sdk::Failure(DAVIT_UNAVAILABLE, "engine-garbled",
                       "The engine built the Dockerfile, and names no image", "see the engine's own log");
  check_platform(engine, call, spec.text.final_base);
  name_image(engine, call, spec, said.image());
  cache.settle(spec.app, said.steps(), true, since_unix_ms);
  const Json image = engine.get("/images/" + said.image() + "/json", {}, docker::patience(call));
  const Json& config = docker::object_in(image, "Config");
  return {text_in(image, "Id"),
          !docker::words_in(config, "Cmd").empty() || !docker::words_in(config, "Entrypoint").empty()};
}

}  // namespace davit::dockerfile
