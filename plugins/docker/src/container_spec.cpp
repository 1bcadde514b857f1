// See container_spec.hpp.
#include "container_spec.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>

namespace davit::docker_plugin {
namespace {

using Json = nlohmann::json;

constexpr int kBatchShares = 102;  // of 1024
Json limits_into(Json host, const sdk::Limits& limits) {
  if (limits.memory_bytes != 0) {
    host["Memory"] = limits.memory_bytes;
    host["MemorySwap"] = limits.memory_bytes;  // no swap beyond it
  }
  if (limits.memory_reserve_bytes != 0) host["MemoryReservation"] = limits.memory_reserve_bytes;
  if (limits.cpu_millis != 0) host["NanoCpus"] = static_cast<std::uint64_t>(limits.cpu_millis) * 1'000'000;
  if (limits.cpu_reserve_millis != 0) {
    host["CpuShares"] =
        std::max<std::uint64_t>(2, static_cast<std::uint64_t>(limits.cpu_reserve_millis) * 1024 / 1000);
  }
  if (limits.pids != 0) host["PidsLimit"] = limits.pids;
  Json ulimits = Json::array();
  if (limits.open_files != 0)
    ulimits.push_back({{"Name", "nofile"}, {"Soft", limits.open_files}, {"Hard", limits.open_files}});
  if (limits.file_bytes != 0)
    ulimits.push_back({{"Name", "fsize"}, {"Soft", limits.file_bytes}, {"Hard", limits.file_bytes}});
  if (!ulimits.empty()) host["Ulimits"] = ulimits;
  return host;
}

bool uses_services(const std::vector<sdk::Mount>& mounts) {
  return std::ranges::any_of(
      mounts, [](const sdk::Mount& mount) { return mount.target.starts_with(DAVIT_SERVICES "/"); });
}

Json mounts_of(const ContainerSpec& spec) {
  Json mounts = Json::array();
  const auto bind = [&mounts](const std::string& source, const std::string& target, bool read_only) {
    mounts.push_back({{"Type", "bind"}, {"Source", source}, {"Target", target}, {"ReadOnly", read_only}});
  };
  bind(spec.init_folder, kInitMount, true);
  for (const sdk::Mount& mount : spec.mounts)
    bind(mount.source, mount.target, (mount.flags & DAVIT_MOUNT_READ_ONLY) != 0);
  return mounts;
}

Json restart_of(const ContainerSpec& spec) {
  if (spec.restart == DAVIT_RESTART_ALWAYS) return {{"Name", "unless-stopped"}};
  if (spec.restart == DAVIT_RESTART_ON_FAILURE)
    return {{"Name", "on-failure"}, {"MaximumRetryCount", spec.max_retries}};
  return {{"Name", "no"}};
}

Json host_config_of(const ContainerSpec& spec) {
  Json host = {{"Mounts", mounts_of(spec)},
               {"CapDrop", {"ALL"}},
               {"SecurityOpt", {"no-new-privileges"}},
               {"RestartPolicy", restart_of(spec)},
               {"NetworkMode", spec.network}};
  // An image that starts as root and drops by itself, as many do, needs these and no others.
  if (spec.user.empty())
    host["CapAdd"] = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"};
  if (spec.log_file_bytes == 0) {
    host["LogConfig"] = {{"Type", "none"}};
  } else {
    host["LogConfig"] = {{"Type", "json-file"},
                         {"Config",
                          {{"max-size", std::to_string(spec.log_file_bytes)},
                           {"max-file", std::to_string(std::max(spec.log_files, 1U))}}}};
  }
  if (spec.read_only) {
    host["ReadonlyRootfs"] = true;
    host["Tmpfs"] = {{"/tmp", "mode=1777"}, {"/run", "mode=0755"}};
  }
  if (spec.host_port != 0) {
    host["PortBindings"][std::to_string(spec.inner_port) + "/tcp"] = {
        {{"HostIp", spec.all_interfaces ? "0.0.0.0" : "127.0.0.1"},
         {"HostPort", std::to_string(spec.host_port)}}};
  }
  if (spec.batch) host["CpuShares"] = kBatchShares;
  return limits_into(std::move(host), spec.limits);
}

}  // namespace

nlohmann::json env_json(const sdk::Pairs& env) {
  Json list = Json::array();
  for (const auto& [key, value] : env) list.push_back(key + "=" + value);
  return list;
}

std::uint64_t stop_seconds(std::uint64_t stop_timeout_ms) {
  return (stop_timeout_ms + 999) / 1000;
}

sdk::Strings init_words(int stop_signal, bool tty, const std::optional<WindowSize>& window) {
  sdk::Strings words{kInnerInit};
  if (stop_signal != 0) words.insert(words.end(), {"--stop-signal", std::to_string(stop_signal)});
  if (tty) words.emplace_back("--tty");
  if (window) {
    words.insert(words.end(),
                 {"--rows", std::to_string(window->rows), "--columns", std::to_string(window->columns)});
  }
  words.emplace_back("--");
  return words;
}

nlohmann::json container_json(const ContainerSpec& spec) {
  sdk::Strings entrypoint = init_words(spec.stop_signal, spec.tty, spec.window);
  // On-failure: the engine, when it comes back, starts what did not end well. What ended because it went does
  // not count.
  if (spec.restart == DAVIT_RESTART_ON_FAILURE)
    entrypoint.insert(std::prev(entrypoint.end()), {"--stop-code", std::to_string(128 + SIGTERM)});
  if (spec.batch) entrypoint.insert(std::prev(entrypoint.end()), "--batch");
  if (uses_services(spec.mounts))
    entrypoint.insert(std::prev(entrypoint.end()), {"--services", DAVIT_SERVICES});
  entrypoint.insert(entrypoint.end(), spec.entrypoint.begin(), spec.entrypoint.end());
  Json json = {{"Image", spec.image},
               {"Entrypoint", entrypoint},
               {"Cmd", spec.argv},
               {"Env", env_json(spec.env)},
               {"Labels", spec.labels},
               {"Tty", spec.tty},
               {"OpenStdin", spec.input},
               {"StdinOnce", spec.input},
               {"AttachStdin", spec.input},
               {"AttachStdout", true},
               {"AttachStderr", true},
               {"StopSignal", "SIGTERM"},  // davit-init makes the wanted one of it
               {"StopTimeout", stop_seconds(spec.stop_timeout_ms)},
               {"HostConfig", host_config_of(spec)}};
  if (!spec.user.empty()) json["User"] = spec.user;
  if (!spec.cwd.empty()) json["WorkingDir"] = spec.cwd;
  if (spec.host_port != 0) json["ExposedPorts"][std::to_string(spec.inner_port) + "/tcp"] = Json::object();
  if (!spec.aliases.empty())
    json["NetworkingConfig"]["EndpointsConfig"][spec.network] = {{"Aliases", spec.aliases}};
  apply_options(spec.options, json);
  return json;
}

std::string group_hash(const sdk::Group& group, const std::string& user) {
  Json mounts = Json::array();
  for (const sdk::Mount& mount : group.mounts) mounts.push_back({mount.source, mount.target, mount.flags});
  const sdk::Limits limits = group.limits.value_or(sdk::Limits());
  const Json all = {group.flags,
                    group.artifact ? group.artifact->kind : 0U,
                    group.artifact ? group.artifact->ref : "",
                    group.artifact ? group.artifact->digest : "",
                    group.artifact ? group.artifact->stack : "",
                    group.argv,
                    group.env,
                    mounts,
                    {limits.pids, limits.memory_bytes, limits.memory_reserve_bytes, limits.cpu_millis,
                     limits.cpu_reserve_millis, limits.open_files, limits.file_bytes},
                    user,
                    group.restart,
                    group.max_retries,
                    group.stop_signal,
                    group.stop_timeout_ms};
  return sha256_hex(all.dump(-1, ' ', false, Json::error_handler_t::replace)).substr(0, 32);
}

}  // namespace davit::docker_plugin
