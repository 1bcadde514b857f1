// ssh-keys: add, list, remove. The record is HOME/.ssh/authorized_keys, which sshd reads.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/json.hpp"
#include "commands/authorized_keys.hpp"
#include "commands/session.hpp"
#include "commands/table.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

constexpr std::size_t kMaxKeyBytes = 64 * 1024;

std::filesystem::path file_of(const Session& session) {
  return session.home().root / ".ssh" / "authorized_keys";
}

Result<std::string> read_record(const Session& session) {
  std::error_code ignored;
  if (!std::filesystem::exists(file_of(session), ignored)) return std::string();
  return read_file(file_of(session));
}

/// Two commands at once must not lose a key: read and write happen under a lock.
Result<> change_record(Session& session,
                       const std::function<Result<std::string>(const std::string&)>& change) {
  DAVIT_TRY(make_dir(file_of(session).parent_path(), 0700));
  DAVIT_TRY(make_dirs(session.home().run() / "locks", 0700));
  LockWait wait;
  wait.deadline_ms = 10'000;
  // An app's name cannot begin with a dot, so this is no app's lock.
  DAVIT_TRY_ASSIGN(const FileLock lock,
                   FileLock::acquire(session.home().lock(".ssh-keys"), {"ssh-keys", 0, 0}, wait));
  DAVIT_TRY_ASSIGN(const std::string before, read_record(session));
  DAVIT_TRY_ASSIGN(const std::string after, change(before));
  return write_file_atomic(file_of(session), after, 0600);
}

/// "SHA256:..." of each key, in order. ssh-keygen refuses what is no key.
Result<std::vector<std::string>> fingerprints(Session& session, const std::vector<AuthorizedKey>& keys) {
  std::string text;
  for (const AuthorizedKey& key : keys) text += fmt::format("{} {} {}\n", key.type, key.blob, key.name);
  Command command;
  command.argv = {"ssh-keygen", "-l", "-E", "sha256", "-f", "-"};
  command.env = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"};
  command.in = InputBytes{text};
  command.out = OutputCapture{};
  command.err = OutputNone{};
  command.deadline_ms = 10'000;
  DAVIT_TRY_ASSIGN(const Exit exit, session.processes().run(command));
  std::vector<std::string> found;
  for (const std::string& line : split_lines(exit.out)) {
    const auto words = split_words(line);
    if (words.size() > 1) found.push_back(words[1]);
  }
  if (!exit.ok() || found.size() != keys.size()) {
    return fail(Code::kInvalid, "Key specified in is not a valid ssh public key",
                "ssh-keygen does not read it");
  }
  return found;
}

Result<int> add(Session& session, const Arguments& args) {
  DAVIT_TRY(check_key_name(args.args[0]));
  std::string text;
  if (args.args.size() > 1 && args.args[1] != "-") {
    if (session.where().over_ssh) return fail(Code::kDenied, "Over ssh a key is read from stdin only");
    DAVIT_TRY_ASSIGN(text, read_named_file(args.args[1], kMaxKeyBytes));
  } else {
    if (session.where().in_terminal) return fail(Code::kInvalid, "No key specified via file or pipe");
    DAVIT_TRY_ASSIGN(text, session.parts().read_input(kMaxKeyBytes));
  }
  DAVIT_TRY_ASSIGN(const AuthorizedKey key, parse_public_key(args.args[0], text));
  DAVIT_TRY_ASSIGN(const auto prints, fingerprints(session, {key}));
  DAVIT_TRY(change_record(session, [&](const std::string& before) -> Result<std::string> {
    for (const AuthorizedKey& other : davit_keys(before)) {
      if (other.name == key.name)
        return fail(Code::kConflict, "Duplicate SSH Key name", "Remove it first: ssh-keys:remove");
      if (other.blob == key.blob) {
        return fail(Code::kConflict, "Duplicate ssh public key specified",
                    fmt::format("It is {}'s already", other.name));
      }
    }
    const std::string_view gap = before.empty() || before.ends_with('\n') ? "" : "\n";
    return fmt::format("{}{}{}", before, gap,
                       authorized_line(key, session.home(), session.where().installation));
  }));
  session.out().result(prints.front() + "\n");
  return 0;
}

Result<int> list(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const std::string text, read_record(session));
  auto keys = davit_keys(text);
  if (!args.args.empty())
    std::erase_if(keys, [&](const AuthorizedKey& key) { return key.name != args.args[0]; });
  std::ranges::sort(keys, {}, &AuthorizedKey::name);
  if (keys.empty()) {
    if (args.json()) session.out().result("[]\n");
    if (!args.json()) session.out().warning("No public keys found.");
    return 0;
  }
  DAVIT_TRY_ASSIGN(const auto prints, fingerprints(session, keys));
  std::vector<std::string> items;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (args.json()) {
      items.push_back(JsonObject()
                          .text("fingerprint", prints[i])
                          .text("name", keys[i].name)
                          .text("type", keys[i].type)
                          .str());
    } else {
      session.out().result(fmt::format("{} NAME=\"{}\"\n", prints[i], keys[i].name));
    }
  }
  if (args.json()) session.out().result(json_array(items) + "\n");
  return 0;
}

Result<int> remove(Session& session, const Arguments& args) {
  const auto fingerprint = args.value("fingerprint");
  if (!fingerprint && args.args.empty()) {
    return fail(Code::kInvalid, "A name is required to remove a key", "Usage: davit ssh-keys:remove <name>");
  }
  DAVIT_TRY(change_record(session, [&](const std::string& before) -> Result<std::string> {
    const auto keys = davit_keys(before);
    std::vector<std::string> prints;
    if (fingerprint && !keys.empty()) {
      DAVIT_TRY_ASSIGN(prints, fingerprints(session, keys));
    }
    std::vector<std::string> gone;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (fingerprint ? prints[i] == *fingerprint : keys[i].name == args.args[0])
        gone.push_back(keys[i].name);
    }
    if (gone.empty()) return fail(Code::kNotFound, "There is no such key", "See: ssh-keys:list");
    return without_keys(before,
                        [&](const AuthorizedKey& key) { return std::ranges::count(gone, key.name) > 0; });
  }));
  return 0;
}

constexpr CliFlag kFormat[] = {kFormatFlag};
constexpr CliFlag kRemoveFlags[] = {{"fingerprint", "FINGERPRINT", "Of the key, instead of its name"}};

}  // namespace

std::span<const CoreCommand> ssh_key_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "ssh-keys:add",
        .usage = "<name> [<file>]",
        .summary = "Let the owner of a key push and run commands; the key comes from a file or stdin",
        .minimum_args = 1,
        .maximum_args = 2},
       add},
      {{.name = "ssh-keys:list",
        .usage = "[--format text|json] [<name>]",
        .summary = "List the keys with their fingerprints",
        .maximum_args = 1,
        .flags = kFormat},
       list},
      {{.name = "ssh-keys:remove",
        .usage = "[--fingerprint FINGERPRINT|<name>]",
        .summary = "Take a key away",
        .maximum_args = 1,
        .flags = kRemoveFlags},
       remove},
  };
  return kCommands;
}

}  // namespace davit
