// See system_config.hpp.
#include "system_config.hpp"

#include <glob.h>

#include <vector>

#include "files/files.hpp"

namespace davit::nginx {
namespace fs = std::filesystem;
namespace {

constexpr int kDeepestInclude = 8;

// The simple directives outside of any block, as words.
class Outermost {
 public:
  explicit Outermost(const std::string& text) : text_(text) {}

  std::vector<std::vector<std::string>> read() {
    for (; at_ < text_.size(); ++at_) take(text_[at_]);
    return std::move(found_);
  }

 private:
  void take(char c) {
    if (c == '#' && word_.empty()) {
      at_ = std::min(text_.find('\n', at_), text_.size());
      end_word();
    } else if (c == '"' || c == '\'') {
      const auto end = text_.find(c, at_ + 1);
      word_ += text_.substr(at_ + 1, end == std::string::npos ? end : end - at_ - 1);
      at_ = std::min(end, text_.size());
    } else if (c == ';' || c == '{' || c == '}') {
      end_word();
      if (c == ';' && depth_ == 0) found_.push_back(words_);
      words_.clear();
      if (c == '{') ++depth_;
      if (c == '}') --depth_;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      end_word();
    } else {
      word_ += c;
    }
  }
  void end_word() {
    if (!word_.empty()) words_.push_back(word_);
    word_.clear();
  }

  const std::string& text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::string word_;
  std::vector<std::string> words_;
  std::vector<std::vector<std::string>> found_;
};

void read_into(SystemConfig& facts, const fs::path& file, const fs::path& folder, int depth) {
  if (depth > kDeepestInclude) return;
  for (const auto& words : Outermost(files::read_file(file).value_or("")).read()) {
    if (words.size() != 2) continue;
    if (words[0] == "pid") facts.pid_file = (folder / words[1]).string();
    if (words[0] == "load_module" && words[1].find("ngx_http_lua_module") != std::string::npos)
      facts.has_lua = true;
    if (words[0] != "include") continue;
    glob_t names{};
    if (::glob((folder / words[1]).c_str(), 0, nullptr, &names) == 0) {
      for (std::size_t i = 0; i < names.gl_pathc; ++i) read_into(facts, names.gl_pathv[i], folder, depth + 1);
    }
    ::globfree(&names);
  }
}

}  // namespace

SystemConfig read_system_config(const fs::path& config) {
  SystemConfig facts;
  read_into(facts, config, config.parent_path(), 0);
  return facts;
}

}  // namespace davit::nginx
