// davit-worker: one operation with plugins, under the guard that started it. Not for people: `davit` is.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include "base/text.hpp"
#include "commands/worker_protocol.hpp"
#include "guard/run_worker.hpp"
#include "worker/operations.hpp"

namespace {

namespace protocol = davit::worker_protocol;

constexpr std::uint64_t kLongestLog = 16ULL << 20;  // of what builds and scripts write

const davit::CancelToken* g_cancel = nullptr;  // the one global: a signal handler cannot be handed anything

void interrupt(int) {
  if (g_cancel != nullptr) g_cancel->cancel();
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

davit::WorkerSurroundings surroundings(const davit::CancelToken& cancel) {
  davit::WorkerSurroundings where;
  where.home.root = variable(protocol::kHome);
  where.home.plugins_toml = variable(protocol::kPluginsToml);
  where.installation = davit::Installation::of_executable(std::filesystem::read_symlink("/proc/self/exe"));
  where.catalog.disable = davit::parse_disable_list(variable(protocol::kDisable));
  where.catalog.safe_mode = !variable(protocol::kSafeMode).empty();
  where.failpoint = variable(protocol::kFailpoint);
  where.cancel = cancel;
  return where;
}

davit::Breadcrumb breadcrumb() {
  const std::string fd = variable(davit::kBreadcrumbFdVariable);
  if (fd.empty()) return {};
  auto page = davit::Breadcrumb::map(std::atoi(fd.c_str()));
  return page ? std::move(*page) : davit::Breadcrumb();
}

/// Then what we say ourselves goes to stderr.
bool stdout_is_data(const std::vector<std::string>& words) {
  return words.size() > 1 && words[0] == "service" &&
         (words[1] == "export" || words[1] == "connect" || words[1] == "backup");
}

int exit_code_of(const davit::Error& error, davit::TerminalOutput& out) {
  constexpr int kNoSuchApp = 20;
  out.warning(error.text());
  if (!error.hint.empty()) out.warning(error.hint);
  return error.slug == "app-not-found" ? kNoSuchApp : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  const davit::Operation* operation = words.empty() ? nullptr : davit::find_operation(words.front());
  if (operation == nullptr || variable(protocol::kHome).empty()) {
    constexpr std::string_view kText = "davit-worker is started by davit; see `davit help`\n";
    (void)!write(2, kText.data(), kText.size());
    return 1;
  }
  const auto cancel = davit::CancelToken::create();
  if (!cancel) return 1;
  g_cancel = &*cancel;
  struct sigaction action {};
  action.sa_handler = interrupt;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);

  const davit::SystemClock clock;
  const std::string flags = variable(protocol::kFlags);
  // A deployment's log is read by whoever comes later: it has its headers, whoever started it.
  const bool for_the_log = words.front() == "deploy" || words.front() == "recover-deployment";
  const bool quiet = flags.find('q') != std::string::npos && !for_the_log;
  const int said_to = stdout_is_data(words) ? 2 : 1;
  davit::TerminalOutput out({.out_fd = said_to,
                             .out_is_terminal = isatty(said_to) == 1,
                             .quiet = quiet,
                             .most_detail_bytes = for_the_log ? kLongestLog : 0},
                            clock);
  davit::CallContext context{.actor = variable(protocol::kActor),
                             .app = {},
                             .deployment = {},
                             .quiet = quiet,
                             .force = flags.find('f') != std::string::npos,
                             .trace = flags.find('t') != std::string::npos,
                             .tty = isatty(1) == 1,
                             .out = out,
                             .cancelled = [&] { return cancel->cancelled(); }};
  davit::Breadcrumb crumb = breadcrumb();
  int code = 1;
  {
    davit::Workshop shop(surroundings(*cancel), context, out, crumb, clock);
    shop.set_only_reads(operation->only_reads);
    const davit::MonoMs started = clock.now_mono_ms();
    const auto done = operation->run(shop, std::span(words).subspan(1));
    code = done ? *done : exit_code_of(done.error(), out);
    shop.log(fmt::format("{} app={} deployment={} actor={} code={} ms={}{}", operation->name, context.app,
                         context.deployment, context.actor, code, clock.now_mono_ms() - started,
                         done ? std::string() : " error=" + davit::json_quote(done.error().text())));
  }
  out.flush();
  crumb.finish(code);
  g_cancel = nullptr;  // a signal may still come; the token is gone by then
  return code;
}
