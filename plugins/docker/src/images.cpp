// See images.hpp. An image is made from a container that never runs: files are put into it by the archive
// API, then it is committed. That works on every engine, with and without BuildKit, and needs no layer
// format of ours.
#include "images.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <set>

#include "davit/failure.hpp"
#include "engine/disk.hpp"
#include "engine/tar_stream.hpp"
#include "files/files.hpp"
#include "names.hpp"
#include "runner.hpp"

namespace davit::docker_plugin {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLayout = "1";  // of what base_image() puts in: another number makes new images

/// Removes the scratch container, whatever happens.
class Scratch {
 public:
  Scratch(Engine& engine, std::string id) : engine_(engine), id_(std::move(id)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    try {
      remove_container(engine_, id_);
    } catch (const std::exception&) {  // the next sweep finds it by its label
    }
  }

 private:
  Engine& engine_;
  std::string id_;
};

/// An app that is renamed takes its slugs along into another folder; the image's label stays.
bool slug_is_there(const fs::path& slug) {
  std::error_code error;
  for (fs::directory_iterator app(slug.parent_path().parent_path(), error), end; !error && app != end;
       app.increment(error)) {
    std::error_code ignored;
    if (fs::exists(app->path() / slug.filename(), ignored)) return true;
  }
  return error && error != std::errc::no_such_file_or_directory;
}

}  // namespace

std::string with_account(std::string text, const std::string& number, const std::string& line) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    const std::string entry = text.substr(at, end - at);
    const std::size_t first = entry.find(':');
    const std::size_t second = first == std::string::npos ? first : entry.find(':', first + 1);
    if (second != std::string::npos &&
        entry.substr(second + 1, entry.find(':', second + 1) - second - 1) == number)
      return text;
    at = end + 1;
  }
  return text + line + "\n";
}

std::set<std::uint32_t> exposed_ports(const Json& config) {
  std::set<std::uint32_t> ports;
  for (const auto& [port, unused] : object_in(config, "ExposedPorts").items()) {
    const auto number = static_cast<std::uint32_t>(std::strtoul(port.c_str(), nullptr, 10));
    const bool is_tcp = port.ends_with("/tcp") || port.find('/') == std::string::npos;  // OCI: "8080"
    if (is_tcp && number != 0 && number < 65536) ports.insert(number);
  }
  return ports;
}

int signal_number(const std::string& text) {
  constexpr std::string_view kRealTime = "RTMIN+";
  constexpr int kFirstRealTime = 34;  // as the C library of an image has it
  const std::string name = text.starts_with("SIG") ? text.substr(3) : text;
  for (int number = 1; number < kFirstRealTime; ++number) {
    const char* known = sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  const bool is_real_time = name.starts_with(kRealTime);
  const std::string_view digits = std::string_view(name).substr(is_real_time ? kRealTime.size() : 0);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 0 || number >= NSIG) return 0;
  number += is_real_time ? kFirstRealTime : 0;
  return number < NSIG ? number : 0;
}

std::string Images::repository(const char* kind) const {
  return repository_of(base_.config.home_id, kind);
}

std::string Images::scratch_container(const sdk::Call& call, const std::string& image) {
  const Json made = base_.engine.post(
      "/containers/create", {},
      {{"Image", image},
       {"Entrypoint", {"/never-run"}},
       {"Cmd", Json::array()},
       {"Labels",
        {{kLabelHome, base_.config.home_id}, {kLabelKind, "scratch"}, {kLabelRunner, this_runner()}}},
       {"HostConfig", {{"NetworkMode", "none"}}}},
      patience(call));
  return text_in(made, "Id");
}

void Images::put(const sdk::Call& call, const std::string& container, const std::string& path,
                 const BodySource& source) {
  const auto answer = base_.engine.upload("PUT", "/containers/" + container + "/archive", {{"path", path}},
                                          "application/x-tar", source, patience(call, kLongMs));
  (void)read_all(*answer);
}

std::string Images::file_of(const sdk::Call& call, const std::string& container, const std::string& path) {
  try {
    const auto answer = base_.engine.stream("GET", "/containers/" + container + "/archive", {{"path", path}},
                                            nullptr, patience(call));
    return first_file(read_all(*answer));
  } catch (const EngineFailure& failure) {
    if (failure.http_status() != 404) throw;
    return {};
  }
}

std::string Images::commit(const sdk::Call& call, const std::string& container, const std::string& repository,
                           const std::string& tag, const Json& config) {
  Json clean = config;
  clean["Labels"][kLabelRunner] = "";  // the scratch container's own, which the image would hand on
  const Json made = base_.engine.post(
      "/commit", {{"container", container}, {"repo", repository}, {"tag", tag}, {"pause", "0"}}, clean,
      patience(call, kLongMs));
  return text_in(made, "Id");
}

/// The stack with the app user in its accounts and an empty /app of that user.
std::string Images::base_image(const sdk::Call& call, const std::string& stack_id, const RunUser& user) {
  const std::string tag = short_digest(stack_id).substr(0, 16) + "-" + short_hash(user.text() + kLayout);
  const std::string reference = repository("base") + ":" + tag;
  Json image;
  if (base_.engine.find("/images/" + reference + "/json", {}, image, patience(call)))
    return text_in(image, "Id");
  const std::string container = scratch_container(call, stack_id);
  const Scratch scratch(base_.engine, container);
  const std::string uid = std::to_string(user.uid);
  const std::string gid = std::to_string(user.gid);
  const std::string passwd = with_account(file_of(call, container, "/etc/passwd"), uid,
                                          "app:x:" + uid + ":" + gid + ":app:/app:/bin/bash");
  const std::string group = with_account(file_of(call, container, "/etc/group"), gid, "app:x:" + gid + ":");
  put(call, container, "/", [&](const BodySink& sink) {
    sink(tar_entry("etc/", 0755, 0, 0, "") + tar_entry("etc/passwd", 0644, 0, 0, passwd) +
         tar_entry("etc/group", 0644, 0, 0, group) + tar_entry("app/", 0755, user.uid, user.gid, "") +
         tar_end());
  });
  return commit(
      call, container, repository("base"), tag,
      {{"Labels", {{kLabelHome, base_.config.home_id}, {kLabelKind, "base"}, {kLabelStackId, stack_id}}}});
}

/// zstd's output goes straight to the engine, with every owner replaced: the slug was packed by whoever
/// built it.
void Images::unpack(const sdk::Call& call, const std::string& container, const sdk::Artifact& slug,
                    const RunUser& user) {
  put(call, container, "/app", [&](const BodySink& sink) {
    TarOwner owner(user.uid, user.gid, sink);
    sdk::Process zstd;
    zstd.argv = {"/usr/bin/zstd", "--decompress", "--stdout", "--quiet", "--", slug.ref};
    std::string words;
    zstd.out = [&owner](std::string_view chunk) { owner.feed(chunk); };
    zstd.err = [&words](std::string_view chunk) {
      if (words.size() < 500) words.append(chunk);
    };
    const int code = base_.host.processes(call).run(zstd);
    if (code != 0)
      throw sdk::Failure(DAVIT_FAILED, "slug-damaged",
                         "the slug " + slug.ref + " could not be unpacked: " + words,
                         "deploy again: a new build makes a new slug");
    owner.finish();
  });
}

void Images::note_build(const sdk::Call& call, const std::string& owner) {
  files::make_dirs(base_.config.state + "/builds");
  files::write_file(base_.config.state + "/builds/" + owner,
                    stacks_.image_of(call, stacks_.wanted(call, owner), owner));
}

std::string Images::built_on(const std::string& owner) const {
  return files::read_file(base_.config.state + "/builds/" + owner).value_or("");
}

/// A release stays on the stack that it was built on, whatever is set later: it says which. One of an older
/// davit, or of a build on another runtime, does not: see the ADR.
std::string Images::stack_for(const sdk::Call& call, const std::string& owner, const sdk::Artifact& slug) {
  const std::string folder = base_.config.state + "/slugs";
  const std::string file = folder + "/" + short_digest(slug.digest);
  const std::string build = base_.config.state + "/builds/" + owner;
  std::string id;
  if (const auto bound = files::read_file(file)) id = *bound;
  const std::int64_t built_ns = files::modified_ns(build);
  if (built_ns != 0 && files::modified_ns(slug.ref) >= built_ns) id = files::read_file(build).value_or(id);
  if (slug.stack.starts_with("sha256:")) id = slug.stack;
  Json image;
  if (!id.empty() && !base_.engine.find("/images/" + id + "/json", {}, image, patience(call))) {
    call.warning(
        "The stack that this release was built on is gone from the engine; it runs on the present one");
    id.clear();
  }
  if (id.empty()) id = stacks_.image_of(call, stacks_.wanted(call, owner), owner);
  files::make_dirs(folder);
  files::write_file(file, id);
  return id;
}

std::string Images::slug_image(const sdk::Call& call, const std::string& owner, const sdk::Artifact& slug,
                               const RunUser& user) {
  if (access(slug.ref.c_str(), R_OK) != 0)
    throw sdk::Failure(DAVIT_NOT_FOUND, "slug-missing", "the slug " + slug.ref + " is not there",
                       "deploy again: a new build makes a new slug");
  const std::string base_id = base_image(call, stack_for(call, owner, slug), user);
  const std::string tag = short_digest(slug.digest) + "-" + short_digest(base_id).substr(0, 12);
  const std::string reference = repository("slug") + ":" + tag;
  Json image;
  if (base_.engine.find("/images/" + reference + "/json", {}, image, patience(call))) return reference;
  require_free_disk(base_.engine, "the image of " + owner, kBuildBytes, patience(call));
  call.progress("making the image", 0, 0, "");
  const std::string container = scratch_container(call, base_id);
  const Scratch scratch(base_.engine, container);
  unpack(call, container, slug, user);
  (void)commit(call, container, repository("slug"), tag,
               {{"WorkingDir", "/app"},
                {"User", user.text()},
                {"Labels",
                 {{kLabelHome, base_.config.home_id},
                  {kLabelKind, "slug"},
                  {kLabelOwner, owner},
                  {kLabelSlug, slug.ref}}}});
  return reference;
}

RunnableImage Images::as_it_is(const sdk::Call& call, const sdk::Artifact& artifact) {
  Json image;
  if (!base_.engine.find("/images/" + artifact.ref + "/json", {}, image, patience(call)))
    throw sdk::Failure(DAVIT_NOT_FOUND, "image-missing", "the engine has no image " + artifact.ref,
                       "deploy again, or pull it");
  const std::string os = text_in(image, "Os") + "/" + text_in(image, "Architecture");
  const std::string here = base_.engine.version(patience(call)).os_arch;
  if (os != "/" && here != "/" && os != here)
    throw sdk::Failure(DAVIT_INVALID, "image-platform",
                       "the image " + artifact.ref + " is for " + os + ", and this engine runs " + here,
                       "build it for this platform");
  const Json& config = object_in(image, "Config");
  return {artifact.ref, words_in(config, "Entrypoint"), words_in(config, "Cmd"),
          true,         exposed_ports(config),          signal_number(text_in(config, "StopSignal"))};
}

RunnableImage Images::runnable(const sdk::Call& call, const std::string& owner,
                               const std::optional<sdk::Artifact>& artifact, const RunUser& user) {
  if (artifact && artifact->kind == DAVIT_ARTIFACT_IMAGE) return as_it_is(call, *artifact);
  if (artifact && artifact->kind == DAVIT_ARTIFACT_SLUG)
    return {slug_image(call, owner, *artifact, user), {}, {}, false, {}, 0};
  const std::string stack =
      artifact && !artifact->stack.empty() ? artifact->stack : stacks_.wanted(call, owner);
  return {base_image(call, stacks_.image_of(call, stack, owner), user), {}, {}, false, {}, 0};
}

/// By its names: what others make of an image of davit's inherits the labels.
bool Images::is_ours(const Json& image, const char* kind) const {
  const sdk::Strings names = words_in(image, "RepoTags");
  return !names.empty() && std::ranges::all_of(names, [&](const std::string& name) {
    const std::string prefix = repository(kind) + ":";
    return name.starts_with(prefix) || name.starts_with("docker.io/" + prefix) ||  // Podman's way
           name.starts_with("localhost/" + prefix);
  });
}

/// False if something still needs it.
bool Images::remove_image(const sdk::Call& call, const std::string& reference) {
  try {
    base_.engine.remove("/images/" + reference, {}, steady());
    return true;
  } catch (const EngineFailure& failure) {
    if (failure.http_status() == 404) return true;
    if (failure.http_status() != 409) call.log_warn(failure.message());
    return false;
  }
}

void Images::sweep(const sdk::Call& call) {
  const auto of_kind = [&](const char* kind) {
    const std::string home = std::string(kLabelHome) + "=" + base_.config.home_id;
    return base_.engine.get(
        "/images/json", {{"filters", label_filter({home, std::string(kLabelKind) + "=" + kind})}}, steady());
  };
  for (const Json& image : of_kind("slug")) {
    const std::string slug = text_in(object_in(image, "Labels"), kLabelSlug);
    if (is_ours(image, "slug") && !slug.empty() && !slug_is_there(slug))
      remove_image(call, text_in(image, "Id"));
  }
  // A stack that was made anew: the old one has lost its name, and goes when no slug stands on it.
  for (const Json& image : of_kind("base")) {
    const std::string stack_id = text_in(object_in(image, "Labels"), kLabelStackId);
    Json stack;
    const bool there = base_.engine.find("/images/" + stack_id + "/json", {}, stack, steady());
    const bool has_name = there && stack.contains("RepoTags") && !stack["RepoTags"].empty();
    if (has_name || !is_ours(image, "base") || !remove_image(call, text_in(image, "Id")) || !there) continue;
    // Imported, and not made of one that was.
    const bool one_layer = words_in(object_in(stack, "RootFS"), "Layers").size() == 1;
    if (one_layer &&
        text_in(object_in(object_in(stack, "Config"), "Labels"), kLabelHome) == base_.config.home_id)
      remove_image(call, stack_id);
  }
}

void Images::collect(const sdk::Call& call, const sdk::CollectEvent& event) {
  // Names of slugs' files (their folder changes with the app's name), images' ids, and apps that are being
  // worked on.
  std::set<std::string> needed;
  std::set<std::string> busy;
  for (const auto& [key, who] : event.needed.all())
    (key.starts_with("busy/") ? busy : needed).insert(key.substr(key.rfind('/') + 1));
  std::set<std::string> used;
  for (const Json& container : base_.engine.get("/containers/json", {{"all", "1"}}, steady()))
    used.insert(text_in(container, "ImageID"));
  const auto sweep = [&](const char* kind, const std::function<bool(const Json&)>& is_needed,
                         const char* why) {
    const sdk::Strings labels = {std::string(kLabelHome) + "=" + base_.config.home_id,
                                 std::string(kLabelKind) + "=" + kind};
    for (const Json& image :
         base_.engine.get("/images/json", {{"filters", label_filter(labels)}}, steady())) {
      const std::string id = text_in(image, "Id");
      if (!is_ours(image, kind) || used.contains(id) || is_needed(image)) continue;
      if (is_made_since(number_in(image, "Created") * 1000, event.listed_unix_ms)) continue;
      // A build that was killed may leave two names; by its id only an image of one is removed.
      const auto untag = [&](const std::string& name) { return remove_image(call, name); };
      if (!event.dry_run && !std::ranges::all_of(words_in(image, "RepoTags"), untag)) continue;
      event.garbage.set("docker/image " + id.substr(id.find(':') + 1, 12),
                        std::to_string(number_in(image, "Size")) + " " + why);
    }
  };
  sweep(
      "slug",
      [&](const Json& image) {
        const std::string slug = text_in(object_in(image, "Labels"), kLabelSlug);
        return slug.empty() || needed.contains(slug.substr(slug.rfind('/') + 1));
      },
      "the image of a slug that no release needs");
  sweep(
      "app",
      [&](const Json& image) {
        return needed.contains(text_in(image, "Id")) ||
               busy.contains(text_in(object_in(image, "Labels"), kLabelOwner));
      },
      "the image of a Dockerfile that no release needs");
}

}  // namespace davit::docker_plugin
