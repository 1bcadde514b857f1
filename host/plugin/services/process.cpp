// davit.host.process and task: programs that run to their end, on the host or in an app's runtime.
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>

#include "base/text.hpp"
#include "plugin/abi_values.hpp"
#include "plugin/host_core.hpp"
#include "plugin/services/users.hpp"

namespace davit {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string host_path() {
  const char* path = ::secure_getenv("PATH");
  return path == nullptr || *path == '\0' ? std::string(kDefaultPath) : path;
}

std::vector<std::string> environment(const TextMap& given, const Home& home) {
  if (given.empty()) return {"PATH=" + host_path(), "HOME=" + home.root.string(), "LANG=C.UTF-8"};
  std::vector<std::string> env;
  for (const auto& [key, value] : given) env.push_back(fmt::format("{}={}", key, value));
  return env;
}

/// argv[0] is looked up in the host's PATH, whatever PATH the program itself gets.
Result<std::string> program_of(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  for (const std::string& folder : split(host_path(), ':')) {
    if (!folder.starts_with('/')) continue;
    std::string file = folder + "/" + name;
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return fail(Code::kNotFound, fmt::format("There is no program {} in PATH", clean_line(name)),
              "Install the package that has it", "program-missing");
}

Output output_to(int fd, const davit_sink* sink) {
  if (fd >= 0) return OutputFd{fd};
  if (ByteSink receiver = sink_of(sink)) return OutputChunks{std::move(receiver)};
  return OutputNone{};
}

/// What the plugin's struct means, with the fields that it knew.
Result<Command> command_of(const davit_process& in, const PluginServices& services,
                           const CallContext& context) {
  const davit_process* process = &in;
  Command command;
  command.argv = copy(in.argv);
  if (command.argv.empty()) return fail(Code::kInvalid, "There is no program to run: argv is empty");
  DAVIT_TRY(check_no_nul(command.argv, "argv"));
  DAVIT_TRY_ASSIGN(command.argv.front(), program_of(command.argv.front()));
  command.env = environment(copy(in.env), services.home);
  DAVIT_TRY(check_no_nul(command.env, "env"));
  command.cwd = in.cwd.size == 0 ? "/" : copy(in.cwd);
  DAVIT_TRY_ASSIGN(command.run_as, run_as(services, view(in.user)));
  if (in.fds[0] >= 0)
    command.in = InputFd{in.fds[0]};
  else if (in.input.size > 0)
    command.in = InputBytes{copy(in.input)};
  command.out = output_to(in.fds[1], in.out);
  command.err = in.fds[2] < 0 && in.err == nullptr ? Output{OutputSame{}} : output_to(in.fds[2], in.err);
  command.deadline_ms = static_cast<std::int64_t>(in.timeout_ms);
  if (in.timeout_ms == 0 && context.deadline_mono_ms != 0)
    command.deadline_ms = std::max<std::int64_t>(1, context.deadline_mono_ms - services.clock.now_mono_ms());
  if (DAVIT_HAS(process, davit_process, stop_timeout_ms) && in.stop_timeout_ms != 0)
    command.kill_after_ms = static_cast<std::int64_t>(in.stop_timeout_ms);
  command.cancel = services.cancel();
  const bool wants_tty = DAVIT_HAS(process, davit_process, flags) && (in.flags & DAVIT_PROCESS_TTY) != 0;
  if (wants_tty && in.fds[0] >= 0) {
    command.new_session = true;
    command.controlling_tty = in.fds[0];
  } else if (in.fds[0] >= 0 && ::isatty(in.fds[0]) != 0) {
    command.keep_group = true;  // another group would be stopped at its first read
  }
  return command;
}

davit_status process_run(const davit_host* host, const davit_call* call, const davit_process* process,
                         int32_t* exit_code) {
  return serve(call, [&]() -> Result<> {
    if (process == nullptr || exit_code == nullptr || !DAVIT_HAS(process, davit_process, err))
      return fail(Code::kInvalid, "davit_process is missing or too small");
    CallBridge& bridge = CallBridge::of(call);
    if (bridge.context().cancelled()) return fail(Code::kCancelled, "Cancelled", {}, "cancelled");
    PluginServices& services = HostSide::of(host).services();
    DAVIT_TRY_ASSIGN(const Command command, command_of(*process, services, bridge.context()));
    bridge.flush_detail();
    DAVIT_TRY_ASSIGN(const Exit exit, services.processes.run(command));
    *exit_code = exit.shell_code();
    if (exit.stopped_by == StoppedBy::kDeadline)
      return fail(Code::kTimeout,
                  fmt::format("{} did not end within {} s", command.argv.front(), command.deadline_ms / 1000),
                  {}, "program-timeout");
    if (exit.stopped_by == StoppedBy::kCancel) return fail(Code::kCancelled, "Cancelled", {}, "cancelled");
    return {};
  });
}

davit_status task_run(const davit_host* host, const davit_call* call, const davit_task* task,
                      int32_t* exit_code) {
  return serve(call, [&]() -> Result<> {
    if (task == nullptr || exit_code == nullptr || !DAVIT_HAS(task, davit_task, argv))
      return fail(Code::kInvalid, "davit_task is missing or too small");
    HostCore& core = HostSide::of(host).core();
    CallBridge& bridge = CallBridge::of(call);
    TaskRequest request = task_of(*task);
    if (request.owner.empty()) request.owner = bridge.context().app;
    const std::string app = request.owner_kind == OwnerKind::kApp ? request.owner : bridge.context().app;
    std::string runtime_id;
    if (core.services.runtime_of_app && !app.empty()) {
      DAVIT_TRY_ASSIGN(runtime_id, core.services.runtime_of_app(app));
    }
    DAVIT_TRY_ASSIGN(Runtime * runtime, core.capabilities->runtime(runtime_id));
    bridge.flush_detail();
    DAVIT_TRY_ASSIGN(*exit_code, runtime->run_task(request, bridge.context()));
    return {};
  });
}

}  // namespace

Result<> check_no_nul(const std::vector<std::string>& texts, std::string_view what) {
  for (const std::string& text : texts)
    if (text.find('\0') != std::string::npos)
      return fail(Code::kInvalid, fmt::format("{} has a NUL byte", what), {}, "nul-byte");
  return {};
}

Result<std::optional<RunAs>> run_as(const PluginServices& services, std::string_view user) {
  if (user.empty()) return std::nullopt;
  if (user == "app") return services.app_user;
  const std::string name(user);
  std::array<char, 16 * 1024> buffer;
  passwd entry{};
  passwd* found = nullptr;
  uid_t uid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), uid);
  const bool numeric = error == std::errc{} && end == name.data() + name.size();
  if (numeric)
    ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  else
    ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr && !numeric)
    return fail(Code::kNotFound, fmt::format("There is no account {}", clean_line(name)),
                "Create it, or name another", "user-missing");
  RunAs as;
  as.uid = found != nullptr ? entry.pw_uid : uid;
  as.gid = found != nullptr ? entry.pw_gid : uid;
  if (as.uid == ::geteuid()) return std::nullopt;
  if (::geteuid() != 0)
    return fail(Code::kDenied, fmt::format("Only root can run a program as {}", clean_line(name)),
                "This davit is owned by a normal user: everything runs as that user", "user-denied");
  return as;
}

const void* process_service(std::string_view interface_id) {
  static constexpr davit_host_process kProcess{sizeof(davit_host_process), 0, process_run};
  static constexpr davit_host_task kTask{sizeof(davit_host_task), 0, task_run};
  if (interface_id == DAVIT_HOST_PROCESS_ID) return &kProcess;
  if (interface_id == DAVIT_HOST_TASK_ID) return &kTask;
  return nullptr;
}

}  // namespace davit
