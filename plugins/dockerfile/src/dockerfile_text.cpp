// See dockerfile_text.hpp. Lines are joined at the escape character, which a directive may change; comments
// and blank lines within a joined line are left out, as the engine does it.
#include "dockerfile_text.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>

#include "davit/failure.hpp"

namespace davit::dockerfile {
namespace {

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// The value of "# KEY=VALUE"; empty if the line is no such directive.
std::string directive(std::string_view line, std::string_view key) {
  if (!line.starts_with('#')) return {};
  line = trim(line.substr(1));
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || lower(trim(line.substr(0, equals))) != key) return {};
  return std::string(trim(line.substr(equals + 1)));
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// Reads instructions one after another.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
  }

  /// Comments at the very top, which may be directives.
  void directives(std::string& syntax) {
    while (trim(peek()).starts_with('#')) {
      const std::string_view line = trim(take());
      if (const std::string escape = directive(line, "escape"); escape == "`") escape_ = '`';
      if (const std::string said = directive(line, "syntax"); !said.empty()) syntax = said;
    }
  }
  bool next(std::string& instruction) {
    instruction.clear();
    while (!rest_.empty()) {
      std::string_view line = trim(take());
      if (line.empty() || line.starts_with('#')) continue;
      const bool goes_on = line.ends_with(escape_);
      if (goes_on) line.remove_suffix(1);
      instruction += (instruction.empty() ? "" : " ") + std::string(line);
      if (!goes_on) return true;
    }
    return !instruction.empty();
  }

 private:
  [[nodiscard]] std::string_view peek() const { return rest_.substr(0, rest_.find('\n')); }
  std::string_view take() {
    const std::string_view line = peek();
    rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
    return line;
  }

  std::string_view rest_;
  char escape_ = '\\';
};

std::string buildkit_word(const std::vector<std::string>& words) {
  const std::string name = lower(words.front());
  const bool copies = name == "copy" || name == "add";
  for (std::size_t i = 1; i < words.size() && words[i].starts_with("--"); ++i) {
    const std::string flag = words[i].substr(0, words[i].find('='));
    const bool special = name == "run" || (copies && flag != "--from" && flag != "--chown");
    if (special) return words.front() + " " + flag;
  }
  const auto heredoc = [](const std::string& word) { return word.starts_with("<<") && word.size() > 2; };
  if ((copies || name == "run") && std::ranges::any_of(words, heredoc)) return words.front() + " <<";
  return {};
}

}  // namespace

DockerfileText read_dockerfile(std::string_view text) {
  DockerfileText found;
  Lines lines(text);
  std::string syntax;
  lines.directives(syntax);
  if (!syntax.empty()) found.needs_buildkit = "# syntax=" + syntax;
  std::map<std::string, std::string> stages;  // what each stands on
  bool any = false;
  for (std::string line; lines.next(line);) {
    const std::vector<std::string> words = words_of(line);
    if (words.empty()) continue;
    if (found.needs_buildkit.empty()) found.needs_buildkit = buildkit_word(words);
    if (lower(words.front()) != "from") continue;
    std::size_t at = 1;
    while (at < words.size() && words[at].starts_with("--")) ++at;
    if (at >= words.size()) continue;  // the engine says so better
    any = true;
    const std::string& base = words[at];
    const auto stage = stages.find(lower(base));
    found.final_base = stage != stages.end() ? stage->second : base == "scratch" ? "" : base;
    if (stage == stages.end() && base != "scratch" &&
        std::ranges::find(found.bases, base) == found.bases.end())
      found.bases.push_back(base);
    if (at + 2 < words.size() && lower(words[at + 1]) == "as")
      stages[lower(words[at + 2])] = found.final_base;
  }
  if (found.final_base.find('$') != std::string::npos) found.final_base.clear();
  if (!any)
    throw sdk::Failure(DAVIT_FAILED, "dockerfile-empty", "the Dockerfile has no FROM line",
                       "begin it with FROM IMAGE, or FROM scratch");
  return found;
}

}  // namespace davit::dockerfile
