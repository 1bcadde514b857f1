// What a client asked for over ssh: see the header.
#include "cli/ssh_words.hpp"

#include <fmt/format.h>

namespace davit {
namespace {

constexpr std::size_t kMaxCommandBytes = 128 * 1024;  // what a kernel passes as one string

/// Reads one word at a time; `position` stands on its first character.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : text_(text) {}

  Result<std::vector<std::string>> all() {
    std::vector<std::string> words;
    for (skip_blanks(); at_ < text_.size(); skip_blanks()) {
      std::string word;
      while (at_ < text_.size() && !is_blank(text_[at_])) DAVIT_TRY(piece(word));
      words.push_back(std::move(word));
    }
    return words;
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  Result<> piece(std::string& word) {
    const char c = text_[at_++];
    if (c == '\'') {
      const auto end = text_.find('\'', at_);
      if (end == std::string_view::npos) return open_quote();
      word += text_.substr(at_, end - at_);
      at_ = end + 1;
    } else if (c == '"') {
      return double_quoted(word);
    } else if (c == '\\') {
      if (at_ < text_.size()) word += text_[at_++];
    } else {
      word += c;
    }
    return {};
  }

  Result<> double_quoted(std::string& word) {
    while (at_ < text_.size() && text_[at_] != '"') {
      const bool escapes = text_[at_] == '\\' && at_ + 1 < text_.size() &&
                           std::string_view("\"\\$`\n").find(text_[at_ + 1]) != std::string_view::npos;
      if (escapes) ++at_;
      word += text_[at_++];
    }
    if (at_ >= text_.size()) return open_quote();
    ++at_;
    return {};
  }

  static tl::unexpected<Error> open_quote() {
    return fail(Code::kInvalid, "The command has a quote that is not closed",
                "Quote it for ssh as well: ssh HOST \"config:set APP 'A=b c'\"");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<std::string>> split_ssh_command(std::string_view text) {
  if (text.size() > kMaxCommandBytes)
    return fail(Code::kInvalid, "The command is too long",
                "128 KiB at most; run it on the server, or give a file by stdin where the command takes one");
  if (text.find('\0') != std::string_view::npos) return fail(Code::kInvalid, "The command has a NUL byte");
  return WordReader(text).all();
}

bool is_git_request(const std::vector<std::string>& words) {
  if (words.empty()) return false;
  const std::string& first = words.front();
  return first == "git-receive-pack" || first == "git-upload-pack" || first == "git-upload-archive" ||
         (first == "git" && words.size() > 1 &&
          (words[1] == "receive-pack" || words[1] == "upload-pack" || words[1] == "upload-archive"));
}

Result<GitRequest> git_request(const std::vector<std::string>& words) {
  const bool spaced = words.front() == "git";  // `git receive-pack X`, as some clients send it
  const std::size_t name_at = spaced ? 2 : 1;
  if (words.size() != name_at + 1)
    return fail(Code::kInvalid, "A git request names one repository", "Use HOST:APP as the remote");
  std::string_view app = words[name_at];
  if (app.starts_with("~/")) app.remove_prefix(2);
  while (app.starts_with('/')) app.remove_prefix(1);
  while (app.ends_with('/')) app.remove_suffix(1);
  if (app.ends_with(".git")) app.remove_suffix(4);
  if (app.empty() || app.find('/') != std::string_view::npos) {
    return fail(Code::kInvalid, "The repository is the name of an app", "Use HOST:APP as the remote");
  }
  return GitRequest{spaced ? "git-" + words[1] : words.front(), std::string(app)};
}

}  // namespace davit
