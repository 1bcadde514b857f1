// git ls-remote and git fetch, by argv.
#include "git/remote.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "base/text.hpp"

namespace davit {
namespace {

constexpr std::int64_t kFetchLimitMs = 15 * 60 * 1000;
constexpr std::string_view kHeads = "refs/heads/";
constexpr std::array<std::string_view, 4> kSchemes{"https://", "http://", "ssh://", "git://"};

bool is_http(std::string_view url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

/// Where user:password of a URL with a scheme stands: begin and size; size 0: none.
std::pair<std::size_t, std::size_t> credentials(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {0, 0};
  const auto begin = scheme + 3;
  const auto at = url.substr(0, url.find('/', begin)).rfind('@');
  return at == std::string_view::npos || at < begin ? std::pair<std::size_t, std::size_t>{0, 0}
                                                    : std::pair{begin, at + 1 - begin};
}

std::string without_credentials(std::string_view url) {
  const auto [begin, size] = credentials(url);
  return std::string(url.substr(0, begin)).append(url.substr(begin + size));
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const std::string_view digits = text[i] == '%' ? text.substr(i + 1, 2) : std::string_view();
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() == 2 && error == std::errc{} && end == digits.data() + 2) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// For git: what may be fetched from, and who we are there. In the environment, which others cannot read.
std::vector<std::string> environment(const FetchSpec& spec) {
  std::vector<std::string> env{
      fmt::format("GIT_ALLOW_PROTOCOL=https:http:ssh:git{}", spec.local_too ? ":file" : ""),
      "GIT_SSH_COMMAND=ssh -oBatchMode=yes"};
  if (const char* home = std::getenv("HOME"); home != nullptr) env.push_back(fmt::format("HOME={}", home));
  const auto [begin, size] = credentials(spec.url);
  if (size > 1 && is_http(spec.url)) {
    const std::string who = percent_decoded(std::string_view(spec.url).substr(begin, size - 1));
    env.emplace_back("GIT_CONFIG_COUNT=1");
    env.emplace_back("GIT_CONFIG_KEY_0=http.extraHeader");
    env.push_back(fmt::format("GIT_CONFIG_VALUE_0=Authorization: Basic {}", base64_encode(who)));
  }
  return env;
}

/// The line of git's that says why. With ssh that is ssh's own, before git says that it could not read.
std::string reason_in(std::string_view said) {
  constexpr std::string_view kFatal = "fatal: ";
  const auto lines = split_lines(trim(said));
  const auto fatal = std::ranges::find_if(lines, [&](const auto& line) { return line.starts_with(kFatal); });
  if (fatal == lines.end()) return lines.empty() ? "git does not say why" : lines.back();
  const bool is_vague = fatal->find("Could not read from remote repository") != std::string::npos;
  std::string reason = is_vague && fatal != lines.begin() ? *std::prev(fatal) : fatal->substr(kFatal.size());
  if (reason.ends_with('.')) reason.pop_back();
  return reason;
}

tl::unexpected<Error> cannot_fetch(const FetchSpec& spec, std::string_view why) {
  return fail(Code::kFailed, fmt::format("{} cannot be fetched: {}", shown_url(spec.url), reason_in(why)),
              "Check the address, and that this account may read it: by its ssh key, or as "
              "https://USER:TOKEN@HOST/...",
              "fetch-failed");
}

Result<std::string> run(const GitCommand& git, ProcessRunner& processes, const FetchSpec& spec,
                        const std::vector<std::string>& args) {
  Command command = git.command(args, environment(spec));
  command.deadline_ms = kFetchLimitMs;
  DAVIT_TRY_ASSIGN(Exit exit, processes.run(command));
  if (!exit.ok()) return cannot_fetch(spec, exit.code >= 0 ? exit.err : exit.text());
  return std::move(exit.out);
}

/// The full name of `spec.ref` there: "refs/heads/main"; "" if the remote lists no such name.
Result<std::string> full_name(const GitCommand& git, ProcessRunner& processes, const FetchSpec& spec,
                              const std::string& url) {
  DAVIT_TRY_ASSIGN(const std::string listing,
                   run(git, processes, spec, {"ls-remote", "--symref", "--", url}));
  const std::string wanted = spec.ref.empty() ? "HEAD" : spec.ref;
  std::vector<std::string> names;
  for (const std::string& line : split_lines(listing)) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos) continue;
    const std::string name = line.substr(tab + 1);
    // "ref: refs/heads/main\tHEAD"
    if (line.starts_with("ref: ") && name == wanted) return line.substr(5, tab - 5);
    names.push_back(name);
  }
  for (const std::string& candidate : {wanted, std::string(kHeads) + wanted, "refs/tags/" + wanted}) {
    if (std::ranges::find(names, candidate) != names.end()) return candidate;
  }
  return std::string();
}

}  // namespace

std::string shown_url(std::string_view url) {
  const auto [begin, size] = credentials(url);
  return size == 0 ? std::string(url)
                   : std::string(url.substr(0, begin)).append("***@").append(url.substr(begin + size));
}

Result<> check_fetch(const FetchSpec& spec) {
  const std::string& url = spec.url;
  const auto colon = url.find(':');
  const bool known = std::ranges::any_of(kSchemes, [&](auto scheme) { return url.starts_with(scheme); });
  const bool scp_like = url.find("::") == std::string::npos && url.find("://") == std::string::npos &&
                        colon != std::string::npos && colon > 0 && url.find('/') > colon;
  const bool local = url.starts_with('/') || url.starts_with("file://");
  const bool odd = url.empty() || url.front() == '-' ||
                   std::ranges::any_of(url, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
  if (odd || !(known || scp_like || (local && spec.local_too))) {
    return fail(Code::kInvalid,
                fmt::format("{} is no address of a git repository", json_quote(shown_url(url))),
                local ? "Over ssh only repositories elsewhere can be fetched: https://HOST/PATH.git"
                      : "Use https://HOST/PATH.git or USER@HOST:PATH.git",
                "url-invalid");
  }
  const bool bad_ref = spec.ref.starts_with('-') || spec.ref.find("..") != std::string::npos ||
                       std::ranges::any_of(spec.ref, [](char c) {
                         return static_cast<unsigned char>(c) <= ' ' ||
                                std::string_view("~^:?*[\\\x7f").find(c) != std::string_view::npos;
                       });
  if (!bad_ref) return {};
  return fail(Code::kInvalid,
              fmt::format("{} is no name of a branch, a tag or a commit", json_quote(spec.ref)),
              "Give one as it is called there, for example main", "ref-invalid");
}

Result<FetchedRef> fetch_ref(const GitCommand& git, ProcessRunner& processes, const FetchSpec& spec) {
  DAVIT_TRY(check_fetch(spec));
  const std::string url = is_http(spec.url) ? without_credentials(spec.url) : spec.url;
  DAVIT_TRY_ASSIGN(const std::string name, full_name(git, processes, spec, url));
  if (name.empty() && !is_object_id(spec.ref)) {
    return fail(Code::kNotFound,
                fmt::format("{} has no {}", shown_url(spec.url), spec.ref.empty() ? "commits" : spec.ref),
                "Give a branch, a tag, or the 40 digits of a commit", "no-such-ref");
  }
  const std::string here = fmt::format("refs/davit/import/{}", ::getpid());
  DAVIT_TRY(run(git, processes, spec,
                {"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--",
                 url, fmt::format("+{}:{}", name.empty() ? spec.ref : name, here)}));
  auto commit = git.run({"rev-parse", "--verify", "-q", here + "^{commit}"});
  DAVIT_TRY(git.run({"update-ref", "-d", here}));
  if (!commit)
    return fail(Code::kInvalid, fmt::format("{} is no commit", spec.ref), "Give a branch, a tag or a commit");
  FetchedRef fetched{std::string(trim(*commit)), {}};
  if (name.starts_with(kHeads)) fetched.branch = name.substr(kHeads.size());
  return fetched;
}

}  // namespace davit
