// Small functions on text. No I/O. Users' bytes may be anything: nothing here assumes UTF-8 unless it says
// so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace davit {

std::vector<std::string> split(std::string_view text, char separator);  ///< "" gives one empty part
std::vector<std::string> split_words(std::string_view text);            ///< by blanks; no empty parts
std::vector<std::string> split_lines(std::string_view text);            ///< by \n; a \r before it is dropped
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string to_lower_ascii(std::string_view text);
bool is_valid_utf8(std::string_view text);
/// JSON string literal with quotes; bytes that are not UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);
/// A POSIX shell word in single quotes. For text that people paste; never for running.
std::string shell_quote(std::string_view text);
std::string base64_encode(std::string_view bytes);
/// Empty optional-like: returns false on bad input and leaves `out` alone.
bool base64_decode(std::string_view text, std::string& out);
/// The candidate nearest to `word` (edit distance at most 3), or "".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
/// `fnmatch`-free check of names: see ids.hpp for apps; this one is for process types, property keys,
/// aliases.
bool is_identifier(std::string_view text);  ///< ^[A-Za-z_][A-Za-z0-9_]*$
/// 64-bit FNV-1a; for cache keys and fingerprints, not for security.
std::uint64_t fnv1a(std::string_view bytes);

}  // namespace davit
