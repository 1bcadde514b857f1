// What holds for numeric properties that nobody set: for the reports, and for whoever goes by them.
#pragma once

#include <cstdint>

namespace davit::defaults {

inline constexpr std::uint64_t kStartTimeoutS = 60;                    ///< checks start-timeout
inline constexpr std::uint64_t kWaitToRetireS = 60;                    ///< checks wait-to-retire
inline constexpr std::uint64_t kStopTimeoutS = 30;                     ///< ps stop-timeout-seconds
inline constexpr std::uint64_t kScriptTimeoutS = 600;                  ///< ps script-timeout-seconds
inline constexpr std::uint64_t kMaxBlobBytes = 100ULL * 1024 * 1024;   ///< git max-blob-bytes
inline constexpr std::uint64_t kMaxTreeBytes = 1024ULL * 1024 * 1024;  ///< git max-tree-bytes
inline constexpr std::uint64_t kMaxPushBytes = 2048ULL * 1024 * 1024;  ///< git max-push-bytes
inline constexpr std::uint64_t kMaxFiles = 200'000;                    ///< git max-files

}  // namespace davit::defaults
