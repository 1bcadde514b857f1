// One function a command. What is listed is kept in its canonical form, as dokku does it.
#include "commands.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "davit/failure.hpp"
#include "files.hpp"
#include "files/files.hpp"
#include "listing.hpp"
#include "report_text.hpp"
#include "spec.hpp"

namespace davit::buildstep {
namespace {

std::string label_of(const std::string& entry) {
  try {
    return parse_spec(entry).label();
  } catch (const sdk::Failure&) {
    return entry;  // from an older davit, perhaps: it must be seen to be removed
  }
}

}  // namespace

int BuildpackCommands::run(const sdk::Command& command) {
  const std::string app = command.arg(0);
  if (command.name == "buildpacks:add") return add(command, false);
  if (command.name == "buildpacks:set") return add(command, true);
  if (command.name == "buildpacks:remove") return remove(command);
  if (command.name == "buildpacks:list") return list(command);
  if (command.name == "buildpacks:report")
    return show_reports(host_, call_, command, kGroup, [this](const std::string& one) { return rows(one); });
  if (command.name == "buildpacks:set-property") return set_property(command);
  if (command.name == "buildpacks:clear") {
    host_.properties(call_).set_list(app, kGroup, "list", {});
    return 0;
  }
  if (command.name == "buildpacks:purge-cache") {
    host_.kv(call_).set(app, kPurgeKey, "1");
    call_.step(fmt::format("The next build of {} begins with an empty cache", app));
    return 0;
  }
  throw sdk::Failure(DAVIT_NOT_FOUND, "command-unknown",
                     fmt::format("{} is not a command of buildstep", command.name));
}

std::filesystem::path BuildpackCommands::lists_lock() const {
  return std::filesystem::path(host_.paths(call_).state()) / "lists.lock";
}

sdk::Strings BuildpackCommands::listed(const std::string& app) const {
  return host_.properties(call_).list(app, kGroup, "list");
}

int BuildpackCommands::add(const sdk::Command& command, bool replace) {
  const std::string app = command.arg(0);
  if (command.arg(1).empty()) {
    throw sdk::Failure(DAVIT_INVALID, "buildpack-missing", "Must specify a buildpack to add",
                       fmt::format("For example: {} {} heroku/nodejs", command.name, app));
  }
  const auto index = parse_index(command.flag("index"));
  const BuildpackSpec spec = parse_spec(command.arg(1));
  if (spec.location.starts_with('/')) trust_path(app, spec.location);
  const files::FileLock one_at_a_time(lists_lock());
  sdk::Strings list = listed(app);
  list = replace ? replaced(std::move(list), spec.canonical(), index)
                 : added(std::move(list), spec.canonical(), index);
  host_.properties(call_).set_list(app, kGroup, "list", list);
  return 0;
}

/// What the home's owner names at this machine may be used by this app, whoever may read it; an app developer
/// who comes over ssh may only name what everybody can read.
void BuildpackCommands::trust_path(const std::string& app, const std::string& location) {
  if (!std::filesystem::exists(location)) {
    throw sdk::Failure(DAVIT_NOT_FOUND, "buildpack-unavailable",
                       fmt::format("{} does not exist on this machine", location),
                       "Give the path of a folder or of a tar file");
  }
  if (call_.actor().starts_with("local:")) {
    host_.kv(call_).set(app, std::string(kTrustedPrefix) + location, call_.actor());
  } else if (!readable_by_all(location)) {
    throw sdk::Failure(DAVIT_DENIED, "buildpack-not-allowed", fmt::format("{} may not be used", location),
                       "Only what everybody on the machine may read can be set from outside");
  }
}

int BuildpackCommands::remove(const sdk::Command& command) {
  const std::string app = command.arg(0);
  const files::FileLock one_at_a_time(lists_lock());
  const Removal removal = removed(listed(app), app, command.arg(1), parse_index(command.flag("index")));
  if (!call_.quiet()) call_.step(fmt::format("Removing {}", label_of(removal.removed)));
  host_.properties(call_).set_list(app, kGroup, "list", removal.list);
  return 0;
}

int BuildpackCommands::list(const sdk::Command& command) {
  const sdk::Strings list = listed(command.arg(0));
  if (wants_json(command)) {
    std::string text;
    for (const std::string& entry : list) text += (text.empty() ? "" : ",") + json_text(label_of(entry));
    call_.result_line("[" + text + "]");
    return 0;
  }
  if (!call_.quiet()) call_.step(fmt::format("{} buildpack urls", command.arg(0)));
  for (const std::string& entry : list) call_.result_line("       " + label_of(entry));
  return 0;
}

sdk::Pairs BuildpackCommands::rows(const std::string& app) const {
  const sdk::Properties properties = host_.properties(call_);
  const std::string global = properties.get_own("", kGroup, "stack").value_or("");
  const std::string own = app.empty() ? "" : properties.get_own(app, kGroup, "stack").value_or("");
  const std::string set = own.empty() ? global : own;
  const std::string computed = set.empty() ? host_.settings(call_).get_or("stack", "") : set;
  sdk::Pairs rows{{"buildpacks-computed-stack", computed}, {"buildpacks-global-stack", global}};
  if (app.empty()) return rows;
  std::string list;
  for (const std::string& entry : listed(app)) list += (list.empty() ? "" : ",") + label_of(entry);
  rows.emplace_back("buildpacks-list", list);
  rows.emplace_back("buildpacks-stack", own);
  return rows;
}

int BuildpackCommands::set_property(const sdk::Command& command) {
  const bool global = command.has("global");
  const std::size_t first = global ? 0 : 1;
  const std::string app = global ? "" : command.arg(0);
  if (!global && app.empty()) {
    throw sdk::Failure(DAVIT_INVALID, "app-missing", "Please specify an app to run the command on");
  }
  const std::string key = command.arg(first);
  const std::string value = command.arg(first + 1);
  if (key.empty()) throw sdk::Failure(DAVIT_INVALID, "property-missing", "No property specified");
  if (key != "stack") {
    throw sdk::Failure(DAVIT_INVALID, "property-unknown",
                       "Invalid property specified, valid properties include: stack");
  }
  if (!global) (void)host_.apps(call_).report(app);
  const auto odd = [](unsigned char c) {
    return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.' && c != ':' && c != '/';
  };
  if (std::ranges::any_of(value, odd)) {
    throw sdk::Failure(DAVIT_INVALID, "property-invalid", fmt::format("{} is not the name of a stack", value),
                       "For example heroku-22 or heroku-24");
  }
  if (value.empty()) {
    call_.header(fmt::format("Unsetting {}", key));
    host_.properties(call_).unset(app, kGroup, key);
  } else {
    call_.header(fmt::format("Setting {} to {}", key, value));
    host_.properties(call_).set(app, kGroup, key, value);
  }
  return 0;
}

}  // namespace davit::buildstep
