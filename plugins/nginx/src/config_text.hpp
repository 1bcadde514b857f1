// Writes nginx's configuration language: indented lines and quoted values. Not a parser.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace davit::nginx {

class ConfigText {
 public:
  // One directive or comment, without the line's end.
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    text_.append(2 * depth_, ' ');
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }
  void open(std::string_view head) {
    line("{} {{", head);
    ++depth_;
  }
  void close() {
    --depth_;
    line("}}");
  }
  void blank() { text_ += '\n'; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::size_t depth_ = 0;
};

// A value in double quotes; '$' stays special to nginx where the directive takes variables.
std::string config_word(std::string_view value);

}  // namespace davit::nginx
