// Storage: see the header.
#include "lifecycle/storage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "store/store.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kLongestName = 64;
constexpr std::string_view kForm = "Write HOST:CONTAINER or HOST:CONTAINER:ro, such as uploads:/app/uploads";

// They are the runtime's, whatever the app.
constexpr std::string_view kReservedTargets[] = {"/proc", "/sys", "/dev", "/run/davit",
                                                 "/run/davit-services"};

bool is_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path == folder || (path.starts_with(folder) && path.substr(folder.size()).starts_with('/'));
}

// Absolute, and the shortest way to say it. As text: paths compare equal whatever slashes they have.
bool is_plain_path(std::string_view text) {
  return text.starts_with('/') && text.find('\0') == std::string_view::npos &&
         fs::path(text).lexically_normal().native() == text && (text == "/" || !text.ends_with('/'));
}

Error invalid(std::string message) {
  return {Code::kInvalid, std::move(message), std::string(kForm), "mount-invalid", {}};
}

Result<> check_target(std::string_view target) {
  if (!is_plain_path(target)) {
    return fail(invalid(fmt::format("{} is no absolute path without .. inside the app", json_quote(target))));
  }
  if (target == "/" || target == "/app") {
    return fail(invalid(fmt::format("A mount at {} would hide the app itself", target)));
  }
  for (const std::string_view reserved : kReservedTargets) {
    if (is_below(target, reserved)) return fail(invalid(fmt::format("{} is not for mounts", reserved)));
    if (is_below(reserved, target))
      return fail(invalid(fmt::format("A mount at {} would hide {}", target, reserved)));
  }
  return {};
}

Result<> take_option(StorageMount& mount, std::string_view option) {
  if (option == "ro") {
    mount.read_only = true;
  } else if (option == "shared") {
    mount.shared = true;
  } else if (option != "rw") {
    return fail(Code::kInvalid, fmt::format("{} is no option of a mount", json_quote(option)),
                "Options are ro, rw and shared, separated by commas", "mount-invalid");
  }
  return {};
}

fs::path real_path(const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(path, error);
  return error ? path : real;
}

const std::string& place_of(const HostMount& mount) {
  return mount.real.empty() ? mount.mount.source : mount.real;
}

Error denied(std::string message, std::string hint) {
  return {Code::kDenied, std::move(message), std::move(hint), "mount-denied", {}};
}

}  // namespace

Result<> check_storage_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (good) return {};
  return fail(Code::kInvalid, "Directory can only contain the following set of characters: [A-Za-z0-9_-]",
              fmt::format("{} characters at most; it is made in the home's storage/", kLongestName),
              "storage-name");
}

Result<StorageMount> split_mount(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3 || parts[0].empty() || parts[1].empty()) {
    return fail(invalid("Storage path must be two valid paths divided by colon."));
  }
  StorageMount mount;
  mount.source = parts[0];
  mount.target = parts[1];
  if (!mount.source.starts_with('/')) {
    DAVIT_TRY(check_storage_name(mount.source));
  } else if (!is_plain_path(mount.source) || mount.source == "/") {
    return fail(
        invalid(fmt::format("{} is no absolute path without .. on the host", json_quote(mount.source))));
  }
  if (parts.size() == 3) {
    for (const std::string& option : split(parts[2], ',')) DAVIT_TRY(take_option(mount, option));
  }
  return mount;
}

Result<StorageMount> parse_mount(std::string_view text) {
  DAVIT_TRY_ASSIGN(StorageMount mount, split_mount(text));
  DAVIT_TRY(check_target(mount.target));
  return mount;
}

Result<> check_source(const Home& home, const StorageMount& mount) {
  const std::string real = real_path(source_path(home, mount)).string();
  const std::string root = real_path(home.root).string();
  const std::string storage = real_path(home.storage()).string();
  if (real != storage && is_below(real, storage)) return {};
  if (is_below(real, root)) {
    return fail(
        denied(fmt::format("{} is davit's own", real),
               "Of the home, only folders in storage/ can be mounted: davit storage:ensure-directory"));
  }
  if (is_below(root, real)) {
    return fail(denied(fmt::format("{} has the davit home inside", real), "Mount a folder further down"));
  }
  return {};
}

std::string source_path(const Home& home, const StorageMount& mount) {
  return mount.source.starts_with('/') ? mount.source : (home.storage() / mount.source).string();
}

std::string options_text(const StorageMount& mount) {
  std::vector<std::string> options;
  if (mount.read_only) options.emplace_back("ro");
  if (mount.shared) options.emplace_back("shared");
  return join(options, ",");
}

std::string mount_text(const Home& home, const StorageMount& mount) {
  const std::string options = options_text(mount);
  return fmt::format("{}:{}{}{}", source_path(home, mount), mount.target, options.empty() ? "" : ":",
                     options);
}

Result<std::vector<HostMount>> mounts_of_app(Store& store, const Home& home, AppId app) {
  DAVIT_TRY_ASSIGN(const auto records, store.mounts().of_app(app));
  std::vector<HostMount> mounts;
  for (const StorageMount& record : records) {
    if (auto checked = check_target(record.target); !checked) {
      checked.error().hint = "Take the mount away with davit storage:unmount";
      return fail(std::move(checked.error()));
    }
    const std::string source = source_path(home, record);
    std::error_code error;
    if (record.confined && fs::is_symlink(source, error)) {
      return fail(denied(fmt::format("{} has become a link since it was mounted", source),
                         "Unmount it, or mount it again on the server itself"));
    }
    if (!fs::exists(source, error)) {
      return fail(
          Code::kNotFound, fmt::format("{}, which is mounted at {}, does not exist", source, record.target),
          "Make it (davit storage:ensure-directory), or take the mount away with davit storage:unmount",
          "mount-source");
    }
    mounts.push_back(
        {{source, record.target, record.read_only, false}, record.shared, real_path(source).string()});
  }
  return mounts;
}

std::vector<Mount> plain_mounts(const std::vector<HostMount>& mounts) {
  std::vector<Mount> plain;
  for (const HostMount& mount : mounts) plain.push_back(mount.mount);
  return plain;
}

std::string mounts_to_json(const std::vector<HostMount>& mounts) {
  json list = json::array();
  for (const HostMount& entry : mounts) {
    list.push_back({{"source", entry.mount.source},
                    {"target", entry.mount.target},
                    {"read_only", entry.mount.read_only},
                    {"shared", entry.shared},
                    {"real", entry.real}});
  }
  return list.dump();
}

std::vector<HostMount> mounts_from_json(std::string_view text) {
  const json list = json::parse(text, nullptr, false);
  std::vector<HostMount> mounts;
  if (!list.is_array()) return mounts;
  for (const json& entry : list) {
    const auto source = entry.value("source", std::string());
    mounts.push_back({{source, entry.value("target", std::string()), entry.value("read_only", false), false},
                      entry.value("shared", false),
                      entry.value("real", real_path(source).string())});
  }
  return mounts;
}

std::string contended_path(const std::vector<HostMount>& one, const std::vector<HostMount>& other) {
  for (const HostMount& a : one) {
    for (const HostMount& b : other) {
      const bool meet = is_below(place_of(a), place_of(b)) || is_below(place_of(b), place_of(a));
      const bool harmless = (a.mount.read_only && b.mount.read_only) || (a.shared && b.shared);
      if (meet && !harmless) return a.mount.source;
    }
  }
  return {};
}

}  // namespace davit
