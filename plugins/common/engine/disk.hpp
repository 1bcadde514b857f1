// The disk on which the engine keeps its images and containers, where this machine can see it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/engine.hpp"

namespace davit::docker {

/// What a build and its image are given, until it is known how large they are.
inline constexpr std::uint64_t kBuildBytes = 256ULL << 20;

/// The engine's data root (of its "/info") where that is a folder of this machine, else "": an engine in a
/// virtual machine or behind a forwarded socket names one of its own, which may exist here as well.
std::string root_here(const Json& info);

/// Free bytes of the disk that holds `path`; nullopt if that cannot be told.
std::optional<std::uint64_t> free_bytes_at(const std::string& path);

/// Throws sdk::Failure (unavailable) with the figures if the engine's disk has less than `bytes` free for
/// `what` ("a build of shop"). Of an engine elsewhere nothing is known: it says itself when its disk is full.
void require_free_disk(Engine& engine, const std::string& what, std::uint64_t bytes,
                       const Patience& patience);

}  // namespace davit::docker
