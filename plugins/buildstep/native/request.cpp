// See request.hpp.
#include "request.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace davit::downloads {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Where the authority begins and ends; 0, 0 if this is no http(s) URL.
std::pair<std::size_t, std::size_t> authority_of(const std::string& url) {
  const std::string head = lower(url.substr(0, 8));
  const std::size_t begin = head.starts_with("https://") ? 8 : head.starts_with("http://") ? 7 : 0;
  if (begin == 0) return {0, 0};
  return {begin, std::min(url.find_first_of("/?#", begin), url.size())};
}

std::string name_of_header(const std::string& header) {
  return lower(std::string_view(header).substr(0, header.find_first_of(":;")));
}

}  // namespace

std::string shown_url(const std::string& url) {
  const auto [begin, end] = authority_of(url);
  const std::string authority = url.substr(begin, end - begin);
  const std::size_t at = authority.rfind('@');
  const std::size_t path_end = std::min(url.find_first_of("?#", end), url.size());
  return url.substr(0, begin) + (at == std::string::npos ? authority : authority.substr(at + 1)) +
         url.substr(end, path_end - end);
}

bool is_plain_url(const std::string& url, bool& user) {
  const auto [begin, end] = authority_of(url);
  if (begin == end) return false;
  user = url.substr(begin, end - begin).find('@') != std::string::npos;
  return std::ranges::none_of(url, [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

bool is_loopback(const std::string& url) {
  const auto [begin, end] = authority_of(url);
  std::string host = url.substr(begin, end - begin);
  host = lower(host.substr(host.rfind('@') + 1));
  return host.starts_with("127.") || host.starts_with("[::1]") ||
         host.substr(0, host.find(':')) == "localhost";
}

std::string last_part(const std::string& url) {
  const auto [begin, end] = authority_of(url);
  const std::string path = url.substr(end, std::min(url.find_first_of("?#", end), url.size()) - end);
  return path.substr(path.rfind('/') + 1);
}

bool is_harmless_header(const std::string& header) {
  static constexpr std::array<std::string_view, 11> kHarmless{
      "accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "connection",
      "dnt",    "keep-alive",     "pragma",          "referer",         "user-agent"};
  return std::ranges::find(kHarmless, name_of_header(header)) != kHarmless.end();
}

bool is_conditional_header(const std::string& header) {
  const std::string name = name_of_header(header);
  return name == "range" || name.starts_with("if-");
}

std::optional<std::uint64_t> seconds_of(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string::npos) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (*end != '\0' || value > 1e9) return std::nullopt;
  return static_cast<std::uint64_t>(std::ceil(value));
}

}  // namespace davit::downloads
