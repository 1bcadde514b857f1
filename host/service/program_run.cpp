// A generation's programs: asked of the kind, given their files, run as tasks of the service's runtime.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "lifecycle/link_variables.hpp"
#include "process/files.hpp"
#include "process/unique_fd.hpp"
#include "service/generation.hpp"
#include "service/ticking.hpp"

namespace davit {
namespace {

constexpr const char* kInsideData = "/service/data";
constexpr const char* kInsideFiles = "/service/files";
constexpr std::uint32_t kFirstServiceUid = 61'300;  // no account has it, as with apps
constexpr std::size_t kMaxCapturedBytes = 64 * 1024 * 1024;
constexpr std::size_t kMaxSaidBytes = 8 * 1024;
// ENOSPC, by its text or number; the last is said of a write that was cut short.
constexpr std::array<std::string_view, 5> kFullDisk{"No space left on device", "error 28", "Errcode: 28",
                                                    "error number 28", "Check free disk space"};
constexpr std::uint64_t kServersLines = 200;             // one that crashes writes a long trace
constexpr std::uintmax_t kTooLittleBytes = 1024 * 1024;  // for any server

std::string_view word_of(ServiceProgramKind kind) {
  switch (kind) {
    case ServiceProgramKind::kPrepare:
      return "prepare";
    case ServiceProgramKind::kServe:
      return "serve";
    case ServiceProgramKind::kProbe:
      return "probe";
    case ServiceProgramKind::kSetup:
      return "setup";
    case ServiceProgramKind::kDump:
      return "dump";
    case ServiceProgramKind::kLoad:
      return "load";
    case ServiceProgramKind::kConnect:
      return "connect";
    case ServiceProgramKind::kFingerprint:
      return "fingerprint";
  }
  return "program";
}

bool needs_data(ServiceProgramKind kind) {
  return kind == ServiceProgramKind::kPrepare || kind == ServiceProgramKind::kServe ||
         kind == ServiceProgramKind::kLoad;
}

/// Bytes as a file that nobody else can open.
Result<UniqueFd> as_input(const std::string& bytes) {
  UniqueFd fd(::memfd_create("davit-input", MFD_CLOEXEC));
  if (!fd.valid()) return fail(system_error("make the input of a program", errno));
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t put = ::write(fd.get(), bytes.data() + at, bytes.size() - at);
    if (put < 0) return fail(system_error("write the input of a program", errno));
    at += static_cast<std::size_t>(put);
  }
  (void)::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

// The end of it: the reason stands last.
void keep_end(std::string& text, std::string_view bytes, std::size_t most) {
  text += bytes;
  if (text.size() > most) text.erase(0, text.size() - most);
}

/// Some programs repeat the statement that failed, with all the data in it.
std::string shortened(const std::string& line) {
  constexpr std::size_t kLongest = 300;
  return line.size() <= kLongest ? line : line.substr(0, kLongest) + " ...";
}

/// "16" of "postgres:16" and of "registry:5000/postgres:16".
std::string tag_of(std::string_view image) {
  const auto colon = image.rfind(':');
  const bool tagged = colon != std::string_view::npos && image.find('/', colon) == std::string_view::npos;
  return tagged ? std::string(image.substr(colon + 1)) : std::string();
}

}  // namespace

// In a container the server listens on its own network, which has nobody else but the tasks of this service,
// and is published on the machine's loopback.
std::string Generation::host_for(ServiceProgramKind kind) const {
  if (image_in(version_).empty()) return std::string(kServiceHost);
  if (kind == ServiceProgramKind::kServe) return "0.0.0.0";
  return instance_id(owner_of(service_), revision(), kServerType, 1);
}

Result<ServiceProgram> Generation::program(ServiceProgramKind kind, const ProgramOptions& options,
                                           const CallContext& context) const {
  DAVIT_TRY_ASSIGN(ServiceKind * service_kind, world_.capabilities.service_kind(service_.kind));
  ServiceFacts facts;
  facts.name = service_.name;
  facts.image = image_in(version_);
  facts.version = facts.image.empty() ? version_ : tag_of(facts.image);
  facts.data = kInsideData;
  facts.files = kInsideFiles;
  facts.host = host_for(kind);
  facts.port = port_;
  facts.username = service_.username;
  facts.password = service_.password;
  facts.database = service_.database;
  facts.head = options.head;
  facts.tty = options.tty;
  facts.filling = options.filling;
  if (kind == ServiceProgramKind::kServe) {
    DAVIT_TRY_ASSIGN(Certificate made, certificate());
    facts.certificate = std::move(made.certificate);
    facts.private_key = std::move(made.private_key);
  }
  return service_kind->program(kind, facts, context);
}

Result<Certificate> Generation::certificate() const {
  if (world_.processes == nullptr) return Certificate{};
  return certificate_in(service_folder(world_.home, service_) / "tls", *world_.processes);
}

Result<Generation::Ready> Generation::make_ready(ServiceProgramKind kind, const ProgramOptions& options,
                                                 const CallContext& context) const {
  Ready ready;
  DAVIT_TRY_ASSIGN(ready.program, program(kind, options, context));
  if (ready.program.argv.empty()) {
    return fail(Code::kUnavailable, fmt::format("{} has no program to {}", service_.kind, word_of(kind)), {},
                "service-program");
  }
  ready.artifact.stack = image_in(version_);
  if (world_.owner_is_root) {
    DAVIT_TRY_ASSIGN(const auto number, world_.store.services().number_of_kind(service_.kind));
    ready.user = std::to_string(kFirstServiceUid + number);
  }
  // A kind that prepares nothing gets a folder that is still ours.
  const bool give = kind == ServiceProgramKind::kPrepare || kind == ServiceProgramKind::kServe;
  if (needs_data(kind)) ready.mounts.push_back({data().string(), kInsideData, false, give});
  if (!ready.program.files.empty()) {
    const auto files = folder() / "files" / word_of(kind);
    DAVIT_TRY(make_dirs(files, 0700));
    for (const auto& [name, bytes] : ready.program.files)
      DAVIT_TRY(write_file_volatile(files / name, bytes, 0600));
    ready.mounts.push_back({files.string(), kInsideFiles, false, true});
  }
  return ready;
}

Result<int> Generation::run(ServiceProgramKind kind, const ProgramOptions& options,
                            const CallContext& context) const {
  DAVIT_TRY_ASSIGN(Ready ready, make_ready(kind, options, context));
  TaskRequest task;
  task.owner_kind = OwnerKind::kService;
  task.owner = owner_of(service_);
  task.name = word_of(kind);
  task.artifact = std::move(ready.artifact);
  task.argv = std::move(ready.program.argv);
  task.env = std::move(ready.program.env);
  task.mounts = std::move(ready.mounts);
  task.user = std::move(ready.user);
  task.cwd = "/";
  task.fds = options.fds;
  task.tty = options.tty;
  const char* term = std::getenv("TERM");
  if (options.tty && term != nullptr) task.env.emplace("TERM", term);
  UniqueFd input;
  if (!ready.program.input.empty() && task.fds[0] < 0) {
    DAVIT_TRY_ASSIGN(input, as_input(ready.program.input));
    task.fds[0] = input.get();
  }
  bool too_much = false;
  task.err = [&](std::string_view bytes) {
    if (options.said != nullptr) keep_end(*options.said, bytes, kMaxSaidBytes);
  };
  task.out = task.err;
  if (options.out != nullptr) {
    task.out = [&](std::string_view bytes) {
      too_much = too_much || options.out->size() + bytes.size() > kMaxCapturedBytes;
      if (!too_much) options.out->append(bytes);
    };
  }
  DAVIT_TRY_ASSIGN(Runtime * runtime, this->runtime());
  DAVIT_TRY_ASSIGN(const int code, runtime->run_task(task, context));
  if (!too_much) return code;
  return fail(Code::kFailed, fmt::format("The program to {} said too much", word_of(kind)), {},
              "output-too-large");
}

Result<> Generation::run_well(ServiceProgramKind kind, std::string_view what, const ProgramOptions& options,
                              const CallContext& context) const {
  std::string said;
  ProgramOptions with_said = options;
  with_said.said = &said;
  DAVIT_TRY_ASSIGN(const int code, run(kind, with_said, context));
  if (code == 0) return {};
  for (const std::string& line : split_lines(said)) context.out.detail(shortened(line) + "\n");
  DAVIT_TRY(check_disk(what, said, context));
  return fail(Code::kFailed, fmt::format("{} failed: the program ended with {}", what, code), {},
              "service-program");
}

// Programs differ in what they say of it, and some leave it to the server's log.
Result<> Generation::check_disk(std::string_view what, std::string said, const CallContext& context) const {
  std::error_code error;
  const auto space = std::filesystem::space(folder(), error);
  if (const auto words = last_words(kServersLines, context)) said += *words;
  const auto is_said = [&said](std::string_view sign) { return said.find(sign) != std::string::npos; };
  const bool full = std::ranges::any_of(kFullDisk, is_said) || (!error && space.available < kTooLittleBytes);
  if (!full) return {};
  return fail(Code::kUnavailable,
              fmt::format("{} failed: no space left on the disk of {}", what, folder().string()),
              "Free some space and repeat the command: what was there before is untouched", "disk-full");
}

Result<> Generation::run_if_any(ServiceProgramKind kind, std::string_view what,
                                const CallContext& context) const {
  DAVIT_TRY_ASSIGN(const ServiceProgram any, program(kind, {}, context));
  if (any.argv.empty()) return {};
  return run_well(kind, what, {}, context);
}

Result<std::string> Generation::fingerprint(const CallContext& context) const {
  std::string text;
  const Ticking ticking(context, "Looking at the data", [] { return 0; });
  DAVIT_TRY(
      run_well(ServiceProgramKind::kFingerprint, "Looking at the data", {.out = &text}, ticking.context()));
  return text;
}

}  // namespace davit
