// See report.hpp.
#include "report.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "engine/disk.hpp"

namespace davit::docker_plugin {
namespace {

constexpr std::uint64_t kLowDiskBytes = 2ULL << 30;

bool has_security_option(const Json& info, const std::string& name) {
  if (!info.contains("SecurityOptions") || !info["SecurityOptions"].is_array()) return false;
  return std::ranges::any_of(info["SecurityOptions"], [&](const Json& option) {
    return option.is_string() && option.get<std::string>().find("name=" + name) != std::string::npos;
  });
}

std::string limits_word(const Json& info) {
  const bool memory = info.value("MemoryLimit", false);
  return memory ? "cgroup" + (text_in(info, "CgroupVersion").empty() ? std::string("1")
                                                                     : text_in(info, "CgroupVersion"))
                : "none";
}

void examine_disk(const sdk::Findings& findings, const Json& info) {
  const std::string root = root_here(info);
  const auto free = free_bytes_at(root);
  if (!free) return;
  const std::string text = fmt::format("{:.1f} GiB free for images and containers ({})",
                                       static_cast<double>(*free) / (1ULL << 30), root);
  if (*free < kLowDiskBytes) {
    findings.warning(text, "free disk space: a build needs about 2 GiB");
  } else {
    findings.ok(text);
  }
}

void examine_stack(const sdk::Call& call, const sdk::Findings& findings, const Base& base, Stacks& stacks) {
  const std::string wanted = stacks.wanted(call, "");
  const bool there = stacks.is_there(call, wanted);
  if (there) {
    findings.ok("the default stack is " + wanted);
  } else if (access(base.config.mmdebstrap.c_str(), X_OK) == 0) {
    findings.ok("the default stack " + wanted + " is not there yet: the first deploy builds it");
  } else {
    findings.problem(
        "the default stack " + wanted + " is not there, and mmdebstrap, which builds it, is not installed",
        "apt-get install mmdebstrap, or `davit stack:set --global IMAGE`");
  }
}

}  // namespace

sdk::Pairs describe_engine(const sdk::Call& call, const Base& base) {
  const ServerVersion& version = base.engine.version(patience(call));
  const Json info = base.engine.get("/info", {}, patience(call));
  return {{"isolation", "container"},
          {"loopback", "sockets"},
          {"limits", limits_word(info)},
          {"engine", (version.podman ? "podman " : "docker ") + version.engine},
          {"api", version.api},
          {"socket", base.engine.socket()},
          {"storage", text_in(info, "Driver")},
          {"rootless", has_security_option(info, "rootless") ? "true" : "false"},
          {"home-id", base.config.home_id}};
}

void examine_engine(const sdk::Call& call, const sdk::Findings& findings, const Base& base, Stacks& stacks) {
  Json info;
  try {
    const ServerVersion& version = base.engine.version(patience(call));
    info = base.engine.get("/info", {}, patience(call));
    findings.ok(fmt::format("the engine at {} answers: {}{}, API {}", base.engine.socket(),
                            version.podman ? "podman " : "docker ", version.engine, version.api));
  } catch (const EngineFailure& failure) {
    findings.problem(failure.message(), failure.hint());
    return;
  }
  if (info.contains("MemoryLimit") && !info.value("MemoryLimit", false))
    findings.warning("the engine cannot limit memory: limits of apps are not held",
                     "enable the memory control group");
  if (has_security_option(info, "userns"))
    findings.problem("the engine maps users (userns-remap): builds cannot write to their folders",
                     "turn userns-remap off for this engine");
  if (has_security_option(info, "rootless"))
    findings.warning("the engine is rootless: the app user's number is not the same outside",
                     "builds work if davit's home belongs to the engine's user");
  if (info.contains("IPv4Forwarding") && !info.value("IPv4Forwarding", true))
    findings.warning("IPv4 forwarding is off: containers reach nothing outside",
                     "sysctl net.ipv4.ip_forward=1");
  if (access((base.config.libexec + "/davit-init").c_str(), X_OK) != 0)
    findings.problem(base.config.libexec + "/davit-init is missing", "install davit again");
  if (access("/usr/bin/zstd", X_OK) != 0)
    findings.problem("/usr/bin/zstd is missing", "install it: slugs need it");
  examine_disk(findings, info);
  examine_stack(call, findings, base, stacks);
}

}  // namespace davit::docker_plugin
