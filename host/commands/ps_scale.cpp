// ps:scale: shows or changes the formation of an app.
#include "commands/ps_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/ids.hpp"
#include "base/text.hpp"
#include "cli/json.hpp"
#include "commands/change.hpp"
#include "lifecycle/processes.hpp"
#include "lifecycle/release_extras.hpp"

namespace davit {
namespace {

constexpr std::uint32_t kMaxQuantity = 1000;

/// What an app wants to run: of its live release, web=1 and others 0 if nothing was said; before that, what
/// was said.
Result<Quantities> wanted(Store& store, const App& app) {
  DAVIT_TRY_ASSIGN(Quantities said, store.formation().get(app.id));
  DAVIT_TRY_ASSIGN(const auto release, store.releases().current(app.id));
  return release ? wanted_quantities(*release, said) : said;
}

Result<int> show(Session& session, const Arguments& args, const App& app) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const Quantities quantities, wanted(*store, app));
  if (args.json()) {
    std::vector<std::string> items;
    for (const auto& [type, count] : quantities) {
      items.push_back(JsonObject().text("process_type", type).number("quantity", count).str());
    }
    session.out().result(json_array(items) + "\n");
    return 0;
  }
  session.quiet_step(fmt::format("Scaling for {}", app.name));
  if (!session.context.quiet) session.out().result("proctype: qty\n--------: ---\n");
  std::string text;
  for (const auto& [type, count] : quantities) text += fmt::format("{}:  {}\n", type, count);
  session.out().result(text);
  return 0;
}

// As dokku: what the app's own tree says is not changed from outside.
Result<> refuse_fixed(Session& session, const App& app) {
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY_ASSIGN(const bool fixed, formation_is_fixed(*store, app.id));
  if (!fixed) return {};
  return fail(
      Code::kConflict,
      fmt::format("App {} contains an app.json file with a formations key and cannot be manually scaled",
                  app.name),
      "Change formation in its app.json, or take the quantities out, and push", "formation-fixed");
}

// Before the first deploy all are taken: that deploy tells of those that the app has not. What was said of a
// type that is gone by now can be taken back.
Result<> check_types(Store& store, const App& app, const Quantities& quantities) {
  DAVIT_TRY_ASSIGN(const auto release, store.releases().current(app.id));
  if (!release) return {};
  DAVIT_TRY_ASSIGN(const Quantities said, store.formation().get(app.id));
  for (const auto& [type, count] : quantities) {
    if (count == 0 && said.contains(type)) continue;
    DAVIT_TRY(check_type_of(*release, type, count == 0 ? "scale down" : "scale up"));
  }
  return {};
}

}  // namespace

Result<> check_type_of(const Release& release, const std::string& type, std::string_view purpose) {
  std::vector<std::string> types;
  for (const ReleaseProcess& process : release.spec.processes) types.push_back(process.type);
  if (std::ranges::find(types, type) != types.end()) return {};
  const std::string near = nearest(type, types);
  return fail(Code::kInvalid, fmt::format("{} is not a valid process name to {}", type, purpose),
              fmt::format("{}The Procfile has: {}",
                          near.empty() ? "" : fmt::format("Did you mean {}? ", near), join(types, ", ")));
}

Result<Quantities> parse_quantities(const std::vector<std::string>& words) {
  Quantities quantities;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals + 1 == word.size()) {
      return fail(Code::kInvalid, fmt::format("Missing count for process type {}", word.substr(0, equals)),
                  "Give TYPE=COUNT, such as web=2");
    }
    const std::string type = word.substr(0, equals);
    DAVIT_TRY(check_process_type(type));
    std::uint32_t count = 0;
    const char* end = word.data() + word.size();
    const auto [last, error] = std::from_chars(word.data() + equals + 1, end, count);
    if (error != std::errc{} || last != end || count > kMaxQuantity) {
      return fail(Code::kInvalid, fmt::format("Invalid count for process type {}", type),
                  fmt::format("A count is a number from 0 to {}", kMaxQuantity));
    }
    quantities[type] = count;
  }
  return quantities;
}

Result<int> scale(Session& session, const Arguments& args) {
  DAVIT_TRY_ASSIGN(const App app, session.app(args));
  if (args.args.empty()) return show(session, args, app);
  DAVIT_TRY(refuse_fixed(session, app));
  DAVIT_TRY_ASSIGN(const Quantities quantities, parse_quantities(args.args));
  DAVIT_TRY_ASSIGN(Store * store, session.reading());
  DAVIT_TRY(check_types(*store, app, quantities));
  session.out().step(fmt::format("Scaling {} processes: {}", app.name, join(args.args, " ")));

  if (!app.deployed || args.has("skip-deploy")) {
    DAVIT_TRY_ASSIGN(Store * writable, session.writing());
    DAVIT_TRY(writable->transaction([&] { return writable->formation().set_many(app.id, quantities); }));
    return 0;
  }
  // The deployment writes the quantities down together with what runs: one that is taken back changes
  // neither.
  JsonObject formation;
  for (const auto& [type, count] : quantities) formation.number(type, count);
  const std::string request = JsonObject().raw("formation", formation.str()).str();
  return change_app(session, app, {"ps:scale", "scale", request, args.has("no-wait")});
}

}  // namespace davit
