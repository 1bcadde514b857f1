// See trace.hpp.
#include "base/trace.hpp"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "base/text.hpp"

namespace davit {
namespace {

constexpr std::string_view kHidden = "***";

std::int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

const std::int64_t g_started_ms = now_ms();  // when this program was loaded

std::string without_secrets(std::string_view word) {
  const auto equals = word.find('=');
  if (equals != std::string_view::npos && is_identifier(word.substr(0, equals)))
    return std::string(word.substr(0, equals + 1)).append(kHidden);
  const auto scheme = word.find("://");
  if (scheme == std::string_view::npos) return std::string(word);
  const auto host = scheme + 3;
  const auto at = word.substr(0, word.find('/', host)).rfind('@');
  if (at == std::string_view::npos || at < host) return std::string(word);
  return std::string(word.substr(0, host)).append(kHidden).append(word.substr(at));
}

bool is_plain(std::string_view word) {
  constexpr std::string_view kPlain = "_-+=./:,@%*^";
  return !word.empty() && std::ranges::all_of(word, [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || kPlain.find(c) != std::string_view::npos;
  });
}

}  // namespace

void trace(const CallContext& context, std::string_view line) {
  if (!context.trace) return;
  const std::int64_t ms = now_ms() - g_started_ms;
  const std::string text = fmt::format("trace {}.{:03} s: {}\n", ms / 1000, ms % 1000, line);
  (void)!::write(2, text.data(), text.size());
}

TracedCall::TracedCall(const CallContext& context, std::string_view plugin, std::string_view what)
    : context_(context), plugin_(plugin), what_(what) {
  if (!context.trace) return;
  began_ms_ = now_ms();
  trace(context, fmt::format("plugin {}: {}", plugin, what));
}

void TracedCall::tell() const {
  trace(context_, fmt::format("plugin {}: {} took {} ms", plugin_, what_, now_ms() - began_ms_));
}

std::string traced_argv(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& word : argv) {
    const std::string shown = without_secrets(word);
    if (!text.empty()) text += ' ';
    text += is_plain(shown) ? shown : shell_quote(shown);
  }
  return text;
}

}  // namespace davit
