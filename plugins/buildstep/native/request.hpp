// Request: one plain download, as davit's stand-ins for curl and wget understood the command line. What is
// not a plain download has no Request: it is left to the real program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace davit::downloads {

using Words = std::vector<std::string>;

struct Request {
  std::string url;
  Words options;                    ///< for the real curl: all but URL, output and limits of time and retries
  std::optional<std::string> file;  ///< where the body goes; nullopt: standard output
  bool make_folders = false;        ///< of `file`
  std::optional<std::string> write_out;  ///< curl's -w
  bool quiet = false;                    ///< no word about trouble: -s without -S
  bool body_of_errors = true;            ///< without -f, or with --fail-with-body
  bool may_cache = true;                 ///< nothing of it is anybody's secret
  std::string key;                       ///< what decides about the answer: URL and some of the options
  std::uint64_t max_time_s = 0;          ///< the command's own limits, rounded up; 0: none
  std::uint64_t connect_timeout_s = 0;
};

/// https://user:pass@host/path?query#part -> https://host/path, for people and logs.
std::string shown_url(const std::string& url);

/// True for http(s)://HOST... of one URL, without blanks and control characters. `user`: it has credentials.
bool is_plain_url(const std::string& url, bool& user);

/// Of this machine by its name or address: localhost, 127.x.x.x, [::1].
bool is_loopback(const std::string& url);

/// Last part of the path; empty if there is none.
std::string last_part(const std::string& url);

/// Whether a request with this header ("Name: value") may be answered from the cache: only headers that are
/// known to be nobody's secret.
bool is_harmless_header(const std::string& header);

/// Range and If-...: the answer is not the whole body.
bool is_conditional_header(const std::string& header);

/// Of "30" or "1.5", rounded up; nullopt if it is no number of seconds.
std::optional<std::uint64_t> seconds_of(const std::string& text);

}  // namespace davit::downloads
