// See entry.hpp: a first line with the version, then "name: value" lines.
#include "entry.hpp"

#include <algorithm>
#include <charconv>

namespace davit::downloads {
namespace {

constexpr std::string_view kFirstLine = "davit-download 1";

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string CacheEntry::text() const {
  std::string out(kFirstLine);
  const auto add = [&out](std::string_view name, const std::string& value) {
    out.append("\n").append(name).append(": ").append(one_line(value));
  };
  add("url", url);
  add("sha256", sha256);
  add("bytes", std::to_string(bytes));
  add("etag", etag);
  add("last-modified", last_modified);
  add("content-type", content_type);
  add("stored", std::to_string(stored_unix_s));
  return out + "\n";
}

std::optional<CacheEntry> CacheEntry::parse(std::string_view text) {
  CacheEntry entry;
  bool is_first = true;
  bool numbers_good = true;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (is_first && line != kFirstLine) return std::nullopt;
    is_first = false;
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 2);
    if (name == "url") entry.url = value;
    if (name == "sha256") entry.sha256 = value;
    if (name == "etag") entry.etag = value;
    if (name == "last-modified") entry.last_modified = value;
    if (name == "content-type") entry.content_type = value;
    if (name == "bytes") numbers_good = numbers_good && read_number(value, entry.bytes);
    if (name == "stored") numbers_good = numbers_good && read_number(value, entry.stored_unix_s);
  }
  if (is_first || !numbers_good || !is_sha256(entry.sha256) || entry.url.empty()) return std::nullopt;
  return entry;
}

}  // namespace davit::downloads
