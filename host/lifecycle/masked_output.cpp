// See masked_output.hpp.
#include "lifecycle/masked_output.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace davit {
namespace {

constexpr std::size_t kLeastBytes = 6;
constexpr std::string_view kMask = "***";

}  // namespace

Masks::Masks(const TextMap& secrets) {
  for (const auto& [key, value] : secrets) {
    for (std::string& line : split_lines(value)) {
      if (line.size() >= kLeastBytes) texts_.push_back(std::move(line));
    }
  }
  std::ranges::sort(texts_, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  texts_.erase(std::unique(texts_.begin(), texts_.end()), texts_.end());
}

// `done` is how much of the text is in the answer: not its end, if a secret may begin there and more may
// come.
std::string Masks::replace(std::string_view text, std::size_t& done, bool is_end) const {
  std::string out;
  done = 0;
  while (done < text.size()) {
    const std::string_view rest = text.substr(done);
    const auto found = std::ranges::find_if(texts_, [rest, is_end](const std::string& secret) {
      return rest.starts_with(secret) || (!is_end && rest.size() < secret.size() && secret.starts_with(rest));
    });
    if (found == texts_.end()) {
      out += rest.front();
      ++done;
    } else if (rest.starts_with(*found)) {
      out += kMask;
      done += found->size();
    } else {
      break;
    }
  }
  return out;
}

std::string Masks::applied_to(std::string_view text) const {
  std::size_t done = 0;
  return replace(text, done, true);
}

std::string Masks::applied_to(std::string_view chunk, std::string& held) const {
  if (texts_.empty()) return std::string(chunk);
  held += chunk;
  std::size_t done = 0;
  std::string out = replace(held, done, false);
  held.erase(0, done);
  return out;
}

void MaskedOutput::result(std::string_view bytes) {
  flush();
  out_.result(masks_.applied_to(bytes));
}

void MaskedOutput::header(std::string_view line) {
  flush();
  out_.header(masks_.applied_to(line));
}

void MaskedOutput::step(std::string_view line) {
  flush();
  out_.step(masks_.applied_to(line));
}

void MaskedOutput::detail(std::string_view bytes) {
  const std::string shown = masks_.applied_to(bytes, held_);
  if (!shown.empty()) out_.detail(shown);
}

void MaskedOutput::warning(std::string_view line) {
  flush();
  out_.warning(masks_.applied_to(line));
}

void MaskedOutput::progress(std::string_view label, std::uint64_t done, std::uint64_t total,
                            std::string_view unit) {
  out_.progress(masks_.applied_to(label), done, total, unit);
}

void MaskedOutput::flush() {
  if (held_.empty()) return;
  out_.detail(masks_.applied_to(held_));
  held_.clear();
}

}  // namespace davit
