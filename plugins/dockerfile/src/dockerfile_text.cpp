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

/// What an instruction goes on with below: lines up to one that is `end`.
struct Heredoc {
  std::string end;
  bool tabs_before = false;  ///< of the last line are left out
};

/// Words with their quotes.
std::vector<std::string> quoted_words_of(const std::string& line) {
  std::vector<std::string> words(1);
  char quote = 0;
  for (const char c : line) {
    if (quote == 0 && (c == ' ' || c == '\t')) {
      if (!words.back().empty()) words.emplace_back();
      continue;
    }
    if (quote == c) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    }
    words.back() += c;
  }
  return words;
}

/// Of RUN, COPY and ADD: "<<END", "3<<-'END'".
std::vector<Heredoc> heredocs_of(const std::string& line) {
  const std::vector<std::string> words = quoted_words_of(line);
  const bool later = lower(words.front()) == "onbuild" && words.size() > 1;
  const std::string name = lower(words[later ? 1 : 0]);
  std::vector<Heredoc> found;
  if (name != "run" && name != "copy" && name != "add") return found;
  for (const std::string& word : words) {
    std::size_t at = std::min(word.find_first_not_of("0123456789"), word.size());
    if (word.compare(at, 2, "<<") != 0) continue;
    at += 2;
    const bool tabs_before = at < word.size() && word[at] == '-';
    std::string end = word.substr(at + (tabs_before ? 1 : 0));
    std::erase_if(end, [](char c) { return c == '"' || c == '\''; });
    if (!end.empty() && end.find('<') == std::string::npos) found.push_back({end, tabs_before});
  }
  return found;
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
  /// None if one of them has no end: then the words only looked like it.
  void skip(const std::vector<Heredoc>& heredocs) {
    const std::string_view here = rest_;
    for (const Heredoc& heredoc : heredocs) {
      if (skip_to_end(heredoc)) continue;
      rest_ = here;
      return;
    }
  }

 private:
  bool skip_to_end(const Heredoc& heredoc) {
    while (!rest_.empty()) {
      std::string_view line = take();
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (heredoc.tabs_before) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
      if (line == heredoc.end) return true;
    }
    return false;
  }
  [[nodiscard]] std::string_view peek() const { return rest_.substr(0, rest_.find('\n')); }
  std::string_view take() {
    const std::string_view line = peek();
    rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
    return line;
  }

  std::string_view rest_;
  char escape_ = '\\';
};

std::string buildkit_word(const std::vector<std::string>& words, bool has_heredoc) {
  const std::string name = lower(words.front());
  const bool copies = name == "copy" || name == "add";
  for (std::size_t i = 1; i < words.size() && words[i].starts_with("--"); ++i) {
    const std::string flag = words[i].substr(0, words[i].find('='));
    const bool special = name == "run" || (copies && flag != "--from" && flag != "--chown");
    if (special) return words.front() + " " + flag;
  }
  return has_heredoc ? words.front() + " <<" : "";
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
    const std::vector<Heredoc> heredocs = heredocs_of(line);
    lines.skip(heredocs);
    if (found.needs_buildkit.empty()) found.needs_buildkit = buildkit_word(words, !heredocs.empty());
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

bool is_from_alone(std::string_view text) {
  constexpr std::string_view kFrom = "FROM ";
  if (!text.starts_with(kFrom) || !text.ends_with('\n')) return false;
  text.remove_prefix(kFrom.size());
  text.remove_suffix(1);
  return !text.empty() && text.find_first_of(" \t\r\n\\$") == std::string_view::npos;
}

}  // namespace davit::dockerfile
