// See answer.hpp.
#include "answer.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace davit::downloads {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

void read_header(Answer& answer, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = lower(line.substr(0, colon));
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "etag") answer.etag = value;
  if (name == "last-modified") answer.last_modified = value;
  if (name == "content-type") answer.content_type = value;
  if (name == "set-cookie") answer.may_store = false;
  if (name == "vary" && value.find('*') != std::string_view::npos) answer.may_store = false;
  if (name == "cache-control" && lower(value).find("no-store") != std::string::npos) answer.may_store = false;
}

}  // namespace

Answer parse_answer(std::string_view headers) {
  Answer answer;
  while (!headers.empty()) {
    std::string_view line = headers.substr(0, headers.find('\n'));
    headers.remove_prefix(std::min(line.size() + 1, headers.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with("HTTP/")) {
      read_header(answer, line);
      continue;
    }
    answer = {};
    const std::size_t blank = line.find(' ');
    if (blank != std::string_view::npos)
      std::from_chars(line.data() + blank + 1, line.data() + line.size(), answer.status);
  }
  return answer;
}

std::optional<std::string> write_out_text(std::string_view format, const std::string& content_type,
                                          std::uint64_t bytes) {
  std::string out;
  while (!format.empty()) {
    const char c = format.front();
    format.remove_prefix(1);
    if (c == '\\' && !format.empty()) {
      const char escaped = format.front();
      format.remove_prefix(1);
      if (escaped == 'n')
        out += '\n';
      else if (escaped == 't')
        out += '\t';
      else if (escaped == 'r')
        out += '\r';
      else
        out += {'\\', escaped};
      continue;
    }
    if (c == '%' && format.starts_with('%')) {
      format.remove_prefix(1);
    } else if (c == '%') {
      const std::size_t end = format.find('}');
      if (!format.starts_with('{') || end == std::string_view::npos) return std::nullopt;
      const std::string_view name = format.substr(1, end - 1);
      format.remove_prefix(end + 1);
      if (name == "http_code" || name == "response_code")
        out += "200";
      else if (name == "size_download")
        out += std::to_string(bytes);
      else if (name == "content_type")
        out += content_type;
      else if (name == "exitcode" || name == "num_redirects")
        out += "0";
      else
        return std::nullopt;
      continue;
    }
    out += c;
  }
  return out;
}

}  // namespace davit::downloads
