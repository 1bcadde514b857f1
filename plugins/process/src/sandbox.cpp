// Builds the command line; see sandbox.hpp. Which of these lines is needed for what was tried out by hand:
// facts in the README.
#include "sandbox.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace davit::process_plugin {
namespace {

constexpr const char* kLifelineFd = "8";  // as native/options.hpp
constexpr const char* kInfoFd = "9";      // what the host's supervision and `davit-sandbox task` read

// Shown where they exist. No /etc as a whole: it has the machine's secrets and accounts. Of apt, what a
// buildpack needs that fetches Debian packages; not auth.conf and apt.conf.d, where passwords are.
constexpr std::array kEtc = {"alternatives",
                             "ssl",
                             "ca-certificates",
                             "ca-certificates.conf",
                             "resolv.conf",
                             "hosts",
                             "host.conf",
                             "gai.conf",
                             "nsswitch.conf",
                             "localtime",
                             "timezone",
                             "profile",
                             "profile.d",
                             "bash.bashrc",
                             "inputrc",
                             "ld.so.cache",
                             "ld.so.conf",
                             "ld.so.conf.d",
                             "mime.types",
                             "services",
                             "protocols",
                             "os-release",
                             "debian_version",
                             "lsb-release",
                             "fonts",
                             "magic",
                             "mailcap",
                             "perl",
                             "php",
                             "python3",
                             "java-11-openjdk",
                             "java-17-openjdk",
                             "java-21-openjdk",
                             "ImageMagick-6",
                             "gitconfig",
                             "openssl",
                             "apt/sources.list",
                             "apt/sources.list.d",
                             "apt/preferences.d",
                             "apt/trusted.gpg.d",
                             "apt/keyrings"};

// Folders that the sandbox has anyway: a mount below them needs no parents made.
constexpr std::array kOwnRoots = {"/app", "/usr", "/tmp", "/proc", "/dev", "/etc", "/var/tmp"};

class Words {
 public:
  template <class... Text>
  void add(Text&&... words) {
    (words_.emplace_back(std::forward<Text>(words)), ...);
  }
  sdk::Strings take() { return std::move(words_); }

 private:
  sdk::Strings words_;
};

bool is_below(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path.substr(folder.size()).starts_with('/'));
}

void add_namespaces(Words& words, const SandboxSpec& spec) {
  // As root without a user namespace: in one, uid 0 would still be the real root on disk, and other uids not
  // exist.
  if (!spec.user.drop) words.add("--unshare-user");
  words.add("--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try");
  if (!spec.share_network) words.add("--unshare-net");
  words.add("--die-with-parent", "--as-pid-1", "--info-fd", kInfoFd);
  if (!spec.task) words.add("--new-session");
  if (spec.user.drop) {  // what davit-sandbox needs to drop, and nothing else; it gives these up too
    words.add("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add",
              "CAP_SETPCAP", "--cap-add", "CAP_CHOWN");
  }
}

void add_system(Words& words, const SystemView& system, const std::string& etc) {
  words.add("--ro-bind", "/usr", "/usr");
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    const std::string path = std::string("/") + name;
    if (system.merged_usr) {
      words.add("--symlink", std::string("usr/") + name, path);
    } else {
      words.add("--ro-bind-try", path, path);
    }
  }
  words.add("--ro-bind-try", "/opt", "/opt");
  words.add("--perms", "0755", "--dir", "/etc");  // bwrap would make it 0700, and the app user sees nothing
  words.add("--perms", "0755", "--dir", "/etc/apt");
  words.add("--ro-bind-try", etc + "/sources.list",
            "/etc/apt/sources.list");  // empty, where the machine has none
  for (const char* name : kEtc) {
    const std::string path = std::string("/etc/") + name;
    words.add("--ro-bind-try", path, path);
  }
  words.add("--ro-bind", etc + "/passwd", "/etc/passwd");
  words.add("--ro-bind", etc + "/group", "/etc/group");
  words.add("--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu");
  words.add("--proc", "/proc", "--dev", "/dev");
  words.add("--perms", "1777", "--tmpfs", "/dev/shm");
  words.add("--perms", "0755", "--dir", "/run");
  for (const char* folder : {"/var", "/var/lib", "/var/lib/dpkg"})
    words.add("--perms", "0755", "--dir", folder);
  words.add("--ro-bind-try", "/var/lib/dpkg/status", "/var/lib/dpkg/status");  // which packages are there
  for (const std::string& path : system.extra) words.add("--ro-bind-try", path, path);
}

void add_tmp(Words& words, const SandboxSpec& spec) {
  if (!spec.tmp.empty()) {
    words.add("--bind", spec.tmp, "/tmp", "--symlink", "../tmp", "/var/tmp");
    return;
  }
  words.add("--perms", "1777");
  if (spec.tmp_bytes != 0) words.add("--size", std::to_string(spec.tmp_bytes));
  words.add("--tmpfs", "/tmp", "--symlink", "../tmp", "/var/tmp");
}

/// bwrap gives missing parents the narrow mode of the source: made open beforehand, or the app user cannot
/// pass.
void add_parents(Words& words, const std::string& target) {
  for (const char* root : kOwnRoots) {
    if (is_below(target, root)) return;
  }
  for (std::size_t slash = target.find('/', 1); slash != std::string::npos;
       slash = target.find('/', slash + 1)) {
    words.add("--perms", "0755", "--dir", target.substr(0, slash));
  }
}

/// What is bound, in this order, the app first. On the way to what is inside of another one, the app may have
/// left a link, and bwrap follows links: davit-sandbox looks before, and as root mounts it instead of bwrap.
class Mounts {
 public:
  explicit Mounts(const SandboxSpec& spec) : by_bwrap_(!spec.user.drop) {
    if (!spec.app.empty()) add({spec.app, "/app", spec.app_read_only ? DAVIT_MOUNT_READ_ONLY : 0U});
    for (const sdk::Mount& mount : spec.mounts) add(mount);
  }

  /// davit-sandbox mount ... --, if there is anything for it to do.
  void add_inner(Words& words, const SystemView& system) const {
    if (std::ranges::none_of(all_, [](const One& one) { return one.around != kNone; })) return;
    words.add(system.libexec + "/davit-sandbox", "mount");
    for (const One& one : all_) {
      if (one.around != kNone) add_one(words, all_[one.around].mount, one);
      // Itself: bwrap would make what is inside of it read-only, too.
      if (is_made_read_only(one)) add_one(words, one.mount, one);
    }
    words.add("--");
  }

  void add_all(Words& words) const {
    for (const One& one : all_) {
      if (one.around != kNone && !by_bwrap_) continue;
      if (one.around == kNone) add_parents(words, one.mount.target);
      words.add(is_read_only(one) && !is_made_read_only(one) ? "--ro-bind" : "--bind", one.mount.source,
                one.mount.target);
    }
  }

 private:
  static constexpr std::size_t kNone = std::string::npos;
  struct One {
    sdk::Mount mount;
    std::size_t around =
        kNone;  ///< what it is inside of; with davit-sandbox's own in between, what is around them
    bool has_inner = false;
  };

  void add(sdk::Mount mount) {
    One one{std::move(mount)};
    for (std::size_t other = 0; other < all_.size(); ++other) {
      const std::string& target = all_[other].mount.target;
      if (one.mount.target == target || !is_below(one.mount.target, target)) continue;
      if (by_bwrap_ || all_[other].around == kNone) one.around = other;
    }
    if (one.around != kNone) all_[one.around].has_inner = true;
    all_.push_back(std::move(one));
  }

  void add_one(Words& words, const sdk::Mount& around, const One& one) const {
    words.add("--around", around.target, "--folder", around.source, "--target", one.mount.target);
    if (by_bwrap_) return;
    words.add("--source", one.mount.source);
    if (is_read_only(one)) words.add("--read-only");
  }

  static bool is_read_only(const One& one) { return (one.mount.flags & DAVIT_MOUNT_READ_ONLY) != 0; }
  /// By davit-sandbox.
  [[nodiscard]] bool is_made_read_only(const One& one) const {
    return is_read_only(one) && one.has_inner && !by_bwrap_;
  }

  bool by_bwrap_;
  std::vector<One> all_;
};

}  // namespace

std::string default_cwd(const SandboxSpec& spec) {
  if (!spec.cwd.empty()) return spec.cwd;
  const bool app_mount =
      std::ranges::any_of(spec.mounts, [](const auto& mount) { return mount.target == "/app"; });
  return !spec.app.empty() || app_mount ? "/app" : "/";
}

sdk::Strings user_options(const RunUser& user) {
  if (!user.drop) return {};
  return {"--uid", std::to_string(user.uid), "--gid", std::to_string(user.gid)};
}

sdk::Strings sandbox_argv(const SystemView& system, const SandboxSpec& spec) {
  Words words;
  const Mounts mounts(spec);
  mounts.add_inner(words, system);
  words.add(system.bwrap);
  add_namespaces(words, spec);
  add_system(words, system, spec.etc.empty() ? system.etc : spec.etc);
  add_tmp(words, spec);
  mounts.add_all(words);
  // Last: nothing of the app's may be there, where bwrap, as root, executes what it finds.
  words.add("--perms", "0755", "--dir", kInside, "--ro-bind", system.libexec, kInside);
  words.add("--", std::string(kInside) + "/davit-sandbox", "inside");
  for (std::string& word : user_options(spec.user)) words.add(std::move(word));
  if (spec.open_files != 0) words.add("--open-files", std::to_string(spec.open_files));
  if (spec.file_bytes != 0) words.add("--file-bytes", std::to_string(spec.file_bytes));
  words.add("--lifeline", "--cwd", default_cwd(spec), "--", std::string(kInside) + "/davit-init");
  words.add("--lifeline-fd", kLifelineFd);
  if (spec.tty) words.add("--tty");
  if (spec.stop_signal != 0) words.add("--stop-signal", std::to_string(spec.stop_signal));
  words.add("--");
  sdk::Strings all = words.take();
  all.insert(all.end(), spec.argv.begin(), spec.argv.end());
  return all;
}

}  // namespace davit::process_plugin
