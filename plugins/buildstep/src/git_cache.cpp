// git by argv with an environment of our own: no configuration of the machine or of a user, no prompts, no
// hooks, only the protocols that make sense. Credentials travel in the environment, never on a command line.
#include "git_cache.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/core.h>

#include "davit/failure.hpp"

namespace davit::buildstep {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostSaid = 8192;
/// ssh looks for keys in the folder of its user's account, whatever HOME says: the owner's own. These are
/// relative to where git runs, so that no path stands in what git gives to a shell.
constexpr const char* kSsh =
    "ssh -F none -oBatchMode=yes -oIdentityAgent=none -oIdentitiesOnly=yes -oIdentityFile=.ssh/id_ed25519 "
    "-oIdentityFile=.ssh/id_ecdsa -oIdentityFile=.ssh/id_rsa -oUserKnownHostsFile=.ssh/known_hosts";

std::string base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    const std::size_t count = std::min<std::size_t>(3, text.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < count ? static_cast<unsigned char>(text[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? kDigits[bits >> (18 - 6 * k) & 63U] : '=';
  }
  return out;
}

sdk::Pairs credentials(const BuildpackSpec& spec) {
  if (spec.user.empty() && spec.password.empty()) return {};
  return {{"GIT_CONFIG_COUNT", "1"},
          {"GIT_CONFIG_KEY_0", "http.extraHeader"},
          {"GIT_CONFIG_VALUE_0", "Authorization: Basic " + base64(spec.user + ":" + spec.password)}};
}

bool is_hex(std::string_view text, std::size_t least, std::size_t most) {
  return text.size() >= least && text.size() <= most &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::string last_line(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  const std::size_t begin = text.rfind('\n');
  return begin == std::string::npos ? text : text.substr(begin + 1);
}

/// git says "fatal: ..." in one of its last lines; what follows is advice.
std::string reason(const std::string& said) {
  const std::size_t fatal = said.rfind("fatal: ");
  if (fatal == std::string::npos) return last_line(said);
  return said.substr(fatal + 7, said.find('\n', fatal) - fatal - 7);
}

/// Where an update leaves what it found, so that it is there when the source is not.
std::string kept_ref(const BuildpackSpec& spec) {
  if (spec.ref.empty()) return "refs/davit/HEAD";
  std::string name = "refs/davit/r/";
  for (const char c : spec.ref) name += c == '/' ? "%2F" : std::string(1, c);  // a and a/b must both fit
  return name;
}

}  // namespace

GitCache::Answer GitCache::git(sdk::Strings argv, const sdk::Pairs& more_env) {
  Answer answer;
  Program program;
  program.argv = {"git", "-C", home_.string(), "--git-dir=" + folder_.string()};
  program.argv.insert(program.argv.end(), argv.begin(), argv.end());
  program.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                 {"HOME", home_.string()},
                 {"LC_ALL", "C"},
                 {"GIT_CONFIG_NOSYSTEM", "1"},
                 {"GIT_CONFIG_GLOBAL", "/dev/null"},
                 {"GIT_TERMINAL_PROMPT", "0"},
                 {"GIT_ASKPASS", "/bin/false"},
                 {"GIT_SSH_COMMAND", kSsh},
                 {"GIT_ALLOW_PROTOCOL", "https:http:git:ssh:file"},
                 {"GIT_HTTP_LOW_SPEED_LIMIT", "1000"},
                 {"GIT_HTTP_LOW_SPEED_TIME", "60"}};
  program.env.insert(program.env.end(), more_env.begin(), more_env.end());
  program.timeout_ms = timeout_ms_;
  program.out = [&answer](std::string_view chunk) { answer.out.append(chunk); };
  program.err = [&answer](std::string_view chunk) {
    answer.err.append(chunk);
    if (answer.err.size() > kMostSaid) answer.err.erase(0, answer.err.size() - kMostSaid);
  };
  answer.code = programs_.run(program);
  return answer;
}

std::string GitCache::find_commit(const std::string& name) {
  const Answer answer = git({"rev-parse", "--quiet", "--verify", "--end-of-options", name + "^{commit}"});
  return answer.code == 0 ? last_line(answer.out) : std::string();
}

bool GitCache::fetch(const BuildpackSpec& spec, const std::string& url, const sdk::Strings& refspecs,
                     std::string& why) {
  sdk::Strings argv{
      "fetch", "--quiet", "--force", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"};
  if (refspecs.size() == 1) {
    argv.emplace_back("--depth=1");
  } else if (fs::exists(folder_ / "shallow")) {
    argv.emplace_back("--unshallow");
  }
  argv.insert(argv.end(), {"--", url});
  argv.insert(argv.end(), refspecs.begin(), refspecs.end());
  const Answer answer = git(std::move(argv), credentials(spec));
  if (answer.code != 0) why = reason(answer.err);
  return answer.code == 0;
}

std::string GitCache::update(const BuildpackSpec& spec, const std::string& url, std::string& warning) {
  if (!fs::exists(folder_ / "HEAD")) {
    fs::create_directories(folder_.parent_path());
    if (const Answer made = git({"init", "--bare", "--quiet", "--template="}); made.code != 0) {
      throw sdk::Failure(
          DAVIT_INTERNAL, "buildpack-unavailable",
          fmt::format("No cache for buildpack {} could be made: {}", spec.label(), reason(made.err)));
    }
  }
  if (is_hex(spec.ref, 40, 40)) {
    if (const std::string known = find_commit(spec.ref); !known.empty()) return known;
  }
  std::string why;
  const std::string kept = kept_ref(spec);
  const std::string wanted = spec.ref.empty() ? "HEAD" : spec.ref;
  if (fetch(spec, url, {"+" + wanted + ":" + kept}, why)) return find_commit(kept);
  // A server does not look abbreviated commits up, and some not even whole ones: all branches and tags must
  // come.
  if (is_hex(spec.ref, 7, 40) &&
      fetch(spec, url, {"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"}, why)) {
    if (const std::string found = find_commit(spec.ref); !found.empty()) return found;
  }
  if (const std::string earlier = find_commit(kept); !earlier.empty()) {
    warning = fmt::format("Buildpack {} could not be updated ({}): using the copy from earlier, {}",
                          spec.label(), why, earlier.substr(0, 12));
    return earlier;
  }
  std::string hint =
      "Look whether its address and what stands after # are right, and whether this machine reaches it";
  if (url.starts_with("ssh://") || url.starts_with("git@"))
    hint += fmt::format("; ssh has its keys and known_hosts in {}", (home_ / ".ssh").string());
  throw sdk::Failure(DAVIT_FAILED, "buildpack-unavailable",
                     fmt::format("Buildpack {} could not be fetched: {}", spec.label(), why), hint);
}

void GitCache::check_out(const std::string& commit, const fs::path& target) {
  const std::string index = target.string() + ".index";
  const Answer answer =
      git({"--work-tree=" + target.string(), "checkout", "--quiet", "--force", commit, "--", "."},
          {{"GIT_INDEX_FILE", index}});
  std::error_code ignored;
  fs::remove(index, ignored);
  if (answer.code != 0) {
    throw sdk::Failure(
        DAVIT_INTERNAL, "buildpack-unavailable",
        fmt::format("A buildpack's commit {} could not be checked out: {}", commit, reason(answer.err)));
  }
}

}  // namespace davit::buildstep
