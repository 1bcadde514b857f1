// See curl_words.hpp. An option that is missing in the table costs its users the retries; one that is wrong
// in it could break their build. So the table has only what downloads are known to use.
#include "curl_words.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace davit::downloads {
namespace {

enum class Kind {
  kKeep,     // passed on; has no part in the answer
  kKeyed,    // passed on, and decides about the answer
  kPrivate,  // passed on; the answer is for this user alone
  kDropped,  // retries and minimum speed: ours instead
  kHeader,
  kUrl,
  kOutput,
  kRemoteName,
  kOutputFolder,
  kMakeFolders,
  kWriteOut,
  kFail,
  kFailWithBody,
  kSilent,
  kShowError,
  kMaxTime,
  kConnectTimeout,
  kMethod,
  kGlobOff,
};

struct Option {
  std::string_view name;
  char letter;  // 0: none
  bool takes;   // a value
  Kind kind;
};

constexpr std::array kOptions{
    Option{"disable", 'q', false, Kind::kKeep},
    Option{"progress-bar", '#', false, Kind::kKeep},
    Option{"no-progress-meter", 0, false, Kind::kKeep},
    Option{"verbose", 'v', false, Kind::kKeep},
    Option{"ipv4", '4', false, Kind::kKeep},
    Option{"ipv6", '6', false, Kind::kKeep},
    Option{"http1.0", '0', false, Kind::kKeep},
    Option{"http1.1", 0, false, Kind::kKeep},
    Option{"http2", 0, false, Kind::kKeep},
    Option{"tlsv1", '1', false, Kind::kKeep},
    Option{"tlsv1.0", 0, false, Kind::kKeep},
    Option{"tlsv1.1", 0, false, Kind::kKeep},
    Option{"tlsv1.2", 0, false, Kind::kKeep},
    Option{"tlsv1.3", 0, false, Kind::kKeep},
    Option{"tls-max", 0, true, Kind::kKeep},
    Option{"proto", 0, true, Kind::kKeep},
    Option{"proto-redir", 0, true, Kind::kKeep},
    Option{"max-redirs", 0, true, Kind::kKeep},
    Option{"max-filesize", 0, true, Kind::kKeep},
    Option{"limit-rate", 0, true, Kind::kKeep},
    Option{"keepalive-time", 0, true, Kind::kKeep},
    Option{"no-keepalive", 0, false, Kind::kKeep},
    Option{"noproxy", 0, true, Kind::kKeep},
    Option{"fail-early", 0, false, Kind::kKeep},
    Option{"styled-output", 0, false, Kind::kKeep},
    Option{"no-styled-output", 0, false, Kind::kKeep},
    Option{"tcp-nodelay", 0, false, Kind::kKeep},
    Option{"ciphers", 0, true, Kind::kKeep},
    Option{"location", 'L', false, Kind::kKeyed},
    Option{"compressed", 0, false, Kind::kKeyed},
    Option{"insecure", 'k', false, Kind::kKeyed},
    Option{"user-agent", 'A', true, Kind::kKeyed},
    Option{"referer", 'e', true, Kind::kKeyed},
    Option{"proxy", 'x', true, Kind::kKeyed},
    Option{"cacert", 0, true, Kind::kKeyed},
    Option{"capath", 0, true, Kind::kKeyed},
    Option{"resolve", 0, true, Kind::kKeyed},
    Option{"connect-to", 0, true, Kind::kKeyed},
    Option{"location-trusted", 0, false, Kind::kPrivate},
    Option{"user", 'u', true, Kind::kPrivate},
    Option{"netrc", 'n', false, Kind::kPrivate},
    Option{"netrc-optional", 0, false, Kind::kPrivate},
    Option{"netrc-file", 0, true, Kind::kPrivate},
    Option{"oauth2-bearer", 0, true, Kind::kPrivate},
    Option{"basic", 0, false, Kind::kPrivate},
    Option{"digest", 0, false, Kind::kPrivate},
    Option{"anyauth", 0, false, Kind::kPrivate},
    Option{"cookie", 'b', true, Kind::kPrivate},
    Option{"proxy-user", 'U', true, Kind::kPrivate},
    Option{"cert", 'E', true, Kind::kPrivate},
    Option{"key", 0, true, Kind::kPrivate},
    Option{"retry", 0, true, Kind::kDropped},
    Option{"retry-delay", 0, true, Kind::kDropped},
    Option{"retry-max-time", 0, true, Kind::kDropped},
    Option{"retry-connrefused", 0, false, Kind::kDropped},
    Option{"retry-all-errors", 0, false, Kind::kDropped},
    Option{"speed-time", 'y', true, Kind::kDropped},
    Option{"speed-limit", 'Y', true, Kind::kDropped},
    Option{"header", 'H', true, Kind::kHeader},
    Option{"url", 0, true, Kind::kUrl},
    Option{"output", 'o', true, Kind::kOutput},
    Option{"remote-name", 'O', false, Kind::kRemoteName},
    Option{"output-dir", 0, true, Kind::kOutputFolder},
    Option{"create-dirs", 0, false, Kind::kMakeFolders},
    Option{"write-out", 'w', true, Kind::kWriteOut},
    Option{"fail", 'f', false, Kind::kFail},
    Option{"fail-with-body", 0, false, Kind::kFailWithBody},
    Option{"silent", 's', false, Kind::kSilent},
    Option{"show-error", 'S', false, Kind::kShowError},
    Option{"max-time", 'm', true, Kind::kMaxTime},
    Option{"connect-timeout", 0, true, Kind::kConnectTimeout},
    Option{"request", 'X', true, Kind::kMethod},
    Option{"globoff", 'g', false, Kind::kGlobOff},
};

const Option* find_option(std::string_view name) {
  const auto found = std::ranges::find(kOptions, name, &Option::name);
  return found == kOptions.end() ? nullptr : &*found;
}

const Option* find_option(char letter) {
  const auto found = std::ranges::find(kOptions, letter, &Option::letter);
  return found == kOptions.end() || letter == 0 ? nullptr : &*found;
}

class Parser {
 public:
  explicit Parser(const Words& words) : words_(words) {}
  std::optional<Request> parse();

 private:
  bool take_word(std::size_t& at);
  bool take_letters(std::size_t& at);
  bool apply(const Option& option, const std::string& value);
  bool take_header(const std::string& header);
  void pass_on(const Option& option, const std::string& value);
  bool settle();

  const Words& words_;
  Request request_;
  Words urls_;
  Words outputs_;
  Words key_;
  std::string folder_;
  bool only_urls_ = false;
  bool remote_name_ = false;
  bool silent_ = false;
  bool show_error_ = false;
  bool globbing_ = true;
};

std::optional<Request> Parser::parse() {
  for (std::size_t at = 0; at < words_.size(); ++at) {
    if (!take_word(at)) return std::nullopt;
  }
  if (!settle()) return std::nullopt;
  return std::move(request_);
}

bool Parser::take_word(std::size_t& at) {
  const std::string& word = words_[at];
  if (word == "--" && !only_urls_) {
    only_urls_ = true;
    return true;
  }
  if (only_urls_ || !word.starts_with('-')) {
    urls_.push_back(word);
    return true;
  }
  if (!word.starts_with("--")) return take_letters(at);
  const Option* option = find_option(std::string_view(word).substr(2));
  if (option == nullptr || (option->takes && at + 1 == words_.size())) return false;
  return apply(*option, option->takes ? words_[++at] : std::string());
}

// -sSfLo FILE, -oFILE
bool Parser::take_letters(std::size_t& at) {
  const std::string& word = words_[at];
  if (word.size() == 1) return false;
  for (std::size_t i = 1; i < word.size(); ++i) {
    const Option* option = find_option(word[i]);
    if (option == nullptr) return false;
    if (!option->takes) {
      if (!apply(*option, "")) return false;
      continue;
    }
    if (i + 1 < word.size()) return apply(*option, word.substr(i + 1));
    if (at + 1 == words_.size()) return false;
    return apply(*option, words_[++at]);
  }
  return true;
}

void Parser::pass_on(const Option& option, const std::string& value) {
  request_.options.push_back("--" + std::string(option.name));
  if (option.takes) request_.options.push_back(value);
}

bool Parser::take_header(const std::string& header) {
  if (header.starts_with('@') || is_conditional_header(header)) return false;
  request_.may_cache = request_.may_cache && is_harmless_header(header);
  key_.push_back("header " + header);
  return true;
}

bool Parser::apply(const Option& option, const std::string& value) {
  switch (option.kind) {
    case Kind::kKeyed:
      key_.push_back(std::string(option.name) + " " + value);
      break;
    case Kind::kPrivate:
      request_.may_cache = false;
      break;
    case Kind::kHeader:
      if (!take_header(value)) return false;
      break;
    case Kind::kFail:
      request_.body_of_errors = false;
      break;
    case Kind::kFailWithBody:
      request_.body_of_errors = true;
      break;
    case Kind::kSilent:
      silent_ = true;
      break;
    case Kind::kShowError:
      show_error_ = true;
      break;
    case Kind::kGlobOff:
      globbing_ = false;
      break;
    case Kind::kMethod:
      if (value != "GET") return false;
      break;
    case Kind::kKeep:
      break;
    case Kind::kDropped:
      return true;
    case Kind::kUrl:
      urls_.push_back(value);
      return true;
    case Kind::kOutput:
      outputs_.push_back(value);
      return true;
    case Kind::kRemoteName:
      remote_name_ = true;
      return true;
    case Kind::kOutputFolder:
      folder_ = value;
      return true;
    case Kind::kMakeFolders:
      request_.make_folders = true;
      return true;
    case Kind::kWriteOut:
      if (value.starts_with('@')) return false;
      request_.write_out = value;
      break;
    case Kind::kMaxTime:
    case Kind::kConnectTimeout: {
      const auto seconds = seconds_of(value);
      if (!seconds) return false;
      (option.kind == Kind::kMaxTime ? request_.max_time_s : request_.connect_timeout_s) = *seconds;
      return true;
    }
  }
  pass_on(option, value);
  return true;
}

bool Parser::settle() {
  if (urls_.size() != 1 || outputs_.size() + (remote_name_ ? 1 : 0) > 1) return false;
  bool user = false;
  request_.url = urls_.front();
  if (!is_plain_url(request_.url, user)) return false;
  if (globbing_ && request_.url.find_first_of("{}[]") != std::string::npos) return false;
  if (user) request_.may_cache = false;
  std::string file = outputs_.empty() ? "" : outputs_.front();
  if (!outputs_.empty() && file.empty()) return false;
  if (remote_name_) {
    file = last_part(request_.url);
    if (file.empty()) return false;
  }
  if (!file.empty() && (remote_name_ || file != "-"))
    request_.file = folder_.empty() || file.starts_with('/') ? file : folder_ + "/" + file;
  request_.quiet = silent_ && !show_error_;
  std::ranges::sort(key_);
  request_.key = request_.url.substr(0, request_.url.find('#'));
  for (const std::string& part : key_) request_.key += "\n" + part;
  return true;
}

}  // namespace

std::optional<Request> parse_curl(const Words& words) {
  return Parser(words).parse();
}

}  // namespace davit::downloads
