// "-----> X" is a step, "=====> X" a header, " !     X" a warning; everything else is detail, without the
// seven blanks that buildpacks themselves put before it. Progress that is redrawn with \r shows as its last
// state.
#include "output.hpp"

namespace davit::buildstep {
namespace {

constexpr std::size_t kLongestLine = 16 * 1024;  // output without newlines must not pile up
constexpr std::string_view kIndent = "       ";

}  // namespace

void BuildOutput::write(std::string_view chunk) {
  while (!chunk.empty()) {
    const std::size_t end = chunk.find('\n');
    rest_.append(chunk.substr(0, end));
    if (end == std::string_view::npos) {
      if (rest_.size() > kLongestLine) cut();
      return;
    }
    chunk.remove_prefix(end + 1);
    const std::string whole = std::move(rest_);
    rest_.clear();
    line(whole);
  }
}

// Between two words if there are any: what masks secrets sees them whole.
void BuildOutput::cut() {
  const std::size_t blank = rest_.find_last_of(" \t\r");
  const std::size_t size = blank == std::string::npos ? rest_.size() : blank + 1;
  const std::string whole = rest_.substr(0, size);
  rest_.erase(0, size);
  line(whole);
}

void BuildOutput::flush() {
  if (rest_.empty()) return;
  const std::string whole = std::move(rest_);
  rest_.clear();
  line(whole);
}

void BuildOutput::line(std::string_view text) {
  while (text.ends_with('\r')) text.remove_suffix(1);
  const std::size_t redrawn = text.rfind('\r');
  if (redrawn != std::string_view::npos) text.remove_prefix(redrawn + 1);
  if (text.starts_with("-----> ")) return screen_.step(text.substr(7));
  if (text.starts_with("=====> ")) return screen_.header(text.substr(7));
  if (text.starts_with(" !     ")) return screen_.warning(text.substr(7));
  if (text.starts_with(kIndent)) text.remove_prefix(kIndent.size());
  screen_.detail(text);
}

}  // namespace davit::buildstep
