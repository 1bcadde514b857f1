// See stacks.hpp.
#include "stacks.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "engine/disk.hpp"
#include "engine/pull.hpp"
#include "files/files.hpp"
#include "names.hpp"

namespace davit::docker_plugin {
namespace {

// What buildpacks expect to find (docs of buildstep), and what tells one what goes on.
constexpr const char* kPackages[] = {"bash",         "bzip2",    "ca-certificates",
                                     "coreutils",    "curl",     "file",
                                     "findutils",    "g++",      "gawk",
                                     "gcc",          "git",      "gzip",
                                     "iproute2",     "jq",       "libc6-dev",
                                     "libssl-dev",   "make",     "nginx",
                                     "nodejs",       "npm",      "openssh-client",
                                     "openssl",      "patch",    "perl",
                                     "procps",       "python3",  "python3-pip",
                                     "python3-venv", "ruby",     "sed",
                                     "tar",          "tzdata",   "unzip",
                                     "util-linux",   "xz-utils", "zip",
                                     "zlib1g-dev",   "zstd"};
constexpr std::uint64_t kStackBytes = 2ULL << 30;
constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string suite_of_this_machine() {
  const std::string text = files::read_file("/etc/os-release").value_or("");
  constexpr std::string_view kKey = "VERSION_CODENAME=";
  const std::size_t at = text.find(kKey);
  if (at == std::string::npos) return "bookworm";
  const std::size_t begin = at + kKey.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::string sources_of_this_machine() {
  for (const char* file : {"/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"}) {
    if (access(file, R_OK) == 0 && files::read_file(file).value_or("").find("deb") != std::string::npos)
      return file;
  }
  return {};
}

sdk::Pairs environment_of_this_machine() {
  sdk::Pairs env{{"PATH", kPath}, {"HOME", "/root"}, {"LANG", "C.UTF-8"}};
  for (const char* name : {"http_proxy", "https_proxy", "no_proxy"}) {
    if (const char* value = std::getenv(name); value != nullptr) env.emplace_back(name, value);
  }
  return env;
}

bool is_image_name(const std::string& wanted) {
  return wanted.find_first_of("/:@") != std::string::npos;
}

}  // namespace

bool is_stack_name(const std::string& name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= 60 && std::ranges::all_of(name, good) && name.front() != '-' &&
         name.front() != '.';
}

sdk::Strings debootstrap_argv(const std::string& program, const std::string& suite,
                              const std::string& sources, const std::vector<std::string>& packages) {
  std::string list;
  for (const std::string& package : packages) list += (list.empty() ? "" : ",") + package;
  sdk::Strings argv{program, "--variant=minbase", "--include=" + list};
  argv.emplace_back("--dpkgopt=force-unsafe-io");  // what is lost with the machine is made again
  for (const char* kind : {"man", "doc", "locale", "info"})
    argv.push_back(fmt::format("--dpkgopt=path-exclude=/usr/share/{}/*", kind));
  argv.insert(argv.end(), {suite, "-"});
  if (!sources.empty()) argv.push_back(sources);
  return argv;
}

std::vector<std::string> packages_of_stack(const std::vector<std::string>& more) {
  std::vector<std::string> packages(std::begin(kPackages), std::end(kPackages));
  packages.insert(packages.end(), more.begin(), more.end());
  return packages;
}

std::string Stacks::reference(const std::string& name) const {
  return repository_of(base_.config.home_id, "stack") + ":" + name;
}

std::string Stacks::wanted(const sdk::Call& call, const std::string& app) const {
  const auto set = base_.host.properties(call).get(app, "stack", "image");
  return set && !set->empty() ? *set : base_.config.default_stack;
}

std::string Stacks::find(const sdk::Call& call, const std::string& reference) {
  Json image;
  if (!base_.engine.find("/images/" + reference + "/json", {}, image, patience(call))) return {};
  return text_in(image, "Id");
}

/// The id of a stack or image that the engine has; empty if it has none of that name.
std::string Stacks::known(const sdk::Call& call, const std::string& wanted) {
  if (is_stack_name(wanted)) {
    if (std::string id = find(call, reference(wanted)); !id.empty()) return id;
  }
  return find(call, wanted);
}

std::string Stacks::image_of(const sdk::Call& call, const std::string& wanted, const std::string& app) {
  const bool image_name = is_image_name(wanted);
  if (std::string id = known(call, wanted); !id.empty()) return id;
  if (image_name) {
    pull(base_.engine, call, wanted, Registries(base_.host.properties(call)).for_image(app, wanted));
    if (const std::string id = find(call, wanted); !id.empty()) return id;
  } else if (wanted == base_.config.default_stack) {
    call.step(fmt::format("The stack {} is not there yet: it is built once, from Debian packages", wanted));
    return build(call, wanted, "", packages_of_stack({}));
  }
  throw sdk::Failure(
      DAVIT_NOT_FOUND, "no-such-stack", fmt::format("There is no stack or image {}", wanted),
      fmt::format("build it with `davit stack:build {}`, or choose another with `davit stack:set`", wanted));
}

std::string Stacks::build(const sdk::Call& call, const std::string& name, const std::string& suite,
                          const std::vector<std::string>& packages) {
  if (!is_stack_name(name))
    call.fail(DAVIT_INVALID, "stack-name", fmt::format("'{}' cannot be a stack's name", name),
              "use a-z, 0-9, dots and dashes");
  if (access(base_.config.mmdebstrap.c_str(), X_OK) != 0)
    call.fail(DAVIT_UNAVAILABLE, "no-mmdebstrap",
              fmt::format("{} is not installed, and stacks are built with it", base_.config.mmdebstrap),
              "apt-get install mmdebstrap, or use an image with `davit stack:set APP IMAGE`");
  require_free_disk(base_.engine, "the stack " + name, kStackBytes, patience(call));
  const files::FileLock one_at_a_time(base_.config.state + "/stack.lock");
  sdk::Process process;
  process.argv = debootstrap_argv(base_.config.mmdebstrap, suite.empty() ? suite_of_this_machine() : suite,
                                  sources_of_this_machine(), packages);
  process.env = environment_of_this_machine();
  process.timeout_ms = 3'600'000;
  process.stop_timeout_ms = 30'000;
  sdk::DetailLines lines(call);
  process.err = lines.sink();
  std::uint64_t bytes = 0;
  call.step(fmt::format("Building the stack {} (one to five minutes)", name));
  const BodySource source = [&](const BodySink& sink) {
    process.out = [&](std::string_view chunk) {
      bytes += chunk.size();
      call.progress("packing", bytes, 0, "bytes");
      sink(chunk);
    };
    const int code = base_.host.processes(call).run(process);
    if (code != 0)
      call.fail(DAVIT_FAILED, "stack-build",
                fmt::format("mmdebstrap ended with code {}; its words are above", code),
                "check the machine's apt sources, network and disk");
  };
  const auto answer =
      base_.engine.upload("POST", "/images/create",
                          {{"fromSrc", "-"},
                           {"repo", repository_of(base_.config.home_id, "stack")},
                           {"tag", name},
                           {"changes", "ENV PATH=" + std::string(kPath)},
                           {"changes", fmt::format("LABEL {}={}", kLabelHome, base_.config.home_id)},
                           {"changes", fmt::format("LABEL {}=stack", kLabelKind)},
                           {"changes", fmt::format("LABEL {}={}", kLabelStack, name)}},
                          "application/x-tar", source, patience(call, kLongMs));
  std::string imported;
  read_messages(*answer, [&imported](const Json& message) {
    if (text_in(message, "status").starts_with("sha256:")) imported = text_in(message, "status");
  });
  std::string id = find(call, reference(name));
  if (!imported.empty() && id != imported) {  // Podman calls it "latest", whatever it was told
    (void)base_.engine.post("/images/" + imported + "/tag",
                            {{"repo", repository_of(base_.config.home_id, "stack")}, {"tag", name}}, nullptr,
                            patience(call));
    id = imported;
  }
  if (id.empty())
    call.fail(DAVIT_FAILED, "stack-build", "the engine took the stack, and does not know it",
              "see the engine's log");
  call.step(fmt::format("The stack {} is there: {} MiB packed", name, bytes >> 20));
  return id;
}

std::vector<StackInfo> Stacks::list(const sdk::Call& call) {
  const Json images =
      base_.engine.get("/images/json",
                       {{"filters", label_filter({std::string(kLabelHome) + "=" + base_.config.home_id,
                                                  std::string(kLabelKind) + "=stack"})}},
                       patience(call));
  std::vector<StackInfo> stacks;
  const std::string prefix = reference("");
  for (const Json& image : images) {
    if (!image.contains("RepoTags") || !image["RepoTags"].is_array()) continue;
    for (const Json& tag : image["RepoTags"]) {
      std::string text = tag.get<std::string>();
      if (text.starts_with("docker.io/")) text.erase(0, 10);  // Podman names the registry, too
      if (!text.starts_with(prefix)) continue;
      stacks.push_back({text.substr(prefix.size()), text_in(image, "Id"),
                        static_cast<std::uint64_t>(number_in(image, "Size")), number_in(image, "Created")});
    }
  }
  std::ranges::sort(stacks, {}, &StackInfo::name);
  return stacks;
}

}  // namespace davit::docker_plugin
