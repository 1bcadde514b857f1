// Answer: the last of the header blocks that curl dumped, and curl's -w made of it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace davit::downloads {

struct Answer {
  int status = 0;  ///< 0: none came
  std::string etag;
  std::string last_modified;
  std::string content_type;
  bool may_store = true;  ///< no Cache-Control: no-store, no Set-Cookie, no Vary: *
};

Answer parse_answer(std::string_view headers);

/// The text of curl's -w for an answer from the cache; nullopt if it asks for something that only curl knows.
std::optional<std::string> write_out_text(std::string_view format, const std::string& content_type,
                                          std::uint64_t bytes);

}  // namespace davit::downloads
