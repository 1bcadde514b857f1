// Download: one Request to its end: attempts of the real curl into a scratch file, the cache when the origin
// fails, and then the body, whole, to where it was asked for. A retry never repeats a byte, and what is cut
// is never handed on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "answer.hpp"
#include "cache.hpp"
#include "request.hpp"

namespace davit::downloads {

struct Limits {
  unsigned attempts = 5;
  std::uint64_t delay_ms = 1000;  ///< before the second attempt; doubled for each one after it, up to 8 times
  std::uint64_t connect_timeout_s = 30;
  std::uint64_t total_s = 600;   ///< of one attempt
  std::uint64_t stall_s = 30;    ///< less than 1 KiB/s for so long is a broken download
  std::uint64_t most_bytes = 0;  ///< largest body that is kept; 0: no limit

  /// DAVIT_DOWNLOAD_ATTEMPTS, _DELAY_MS, _STALL_S, _BYTES; CURL_TIMEOUT and CURL_CONNECT_TIMEOUT. What is no
  /// number counts as not set.
  static Limits from_environment();
};

/// What an attempt means: done, or worth another.
bool is_worth_a_retry(int exit_code, int status);

class Download {
 public:
  Download(const Request& request, const Limits& limits, const Cache& cache, std::string curl)
      : request_(request), limits_(limits), cache_(cache), curl_(std::move(curl)) {}
  /// curl's exit code. nullopt: nothing has been done and no scratch file can be made: the real program has
  /// to do it.
  std::optional<int> run();

 private:
  struct Files {
    std::string body, headers, said;
  };
  [[nodiscard]] Words arguments(const Files& files, const std::optional<Kept>& kept) const;
  [[nodiscard]] bool can_cache() const;
  int attempt_all(const Files& files, std::optional<Kept>& kept, Answer& answer) const;
  int finish(const Files& files, std::optional<Kept>& kept, const Answer& answer, int code) const;
  int deliver(int body) const;
  int serve(const Kept& kept) const;
  void say(const std::string& text) const;

  const Request& request_;
  const Limits& limits_;
  const Cache& cache_;
  std::string curl_;
};

}  // namespace davit::downloads
