// checks:run: the startup checks of the live release, asked now, once each.
#include <fmt/format.h>

#include <charconv>

#include "base/text.hpp"
#include "lifecycle/checks.hpp"
#include "lifecycle/processes.hpp"
#include "lifecycle/question.hpp"
#include "worker/health_unit.hpp"

namespace davit {
namespace {

// "web" or "web.2"; a number of 0: all of the type.
struct Chosen {
  std::string type;
  unsigned number = 0;
};

Result<Chosen> parse(const std::string& app, const std::string& word) {
  const auto dot = word.rfind('.');
  if (dot == std::string::npos) return Chosen{word, 0};
  Chosen chosen{word.substr(0, dot), 0};
  const char* end = word.data() + word.size();
  const auto [last, error] = std::from_chars(word.data() + dot + 1, end, chosen.number);
  if (error != std::errc{} || last != end || chosen.number == 0) {
    return fail(Code::kInvalid, fmt::format("Invalid container id specified ({}.{})", app, word),
                "Name a process type, such as web, or one instance, such as web.2");
  }
  return chosen;
}

/// False when a check fails that is more than a warning.
bool run_on(Workshop& shop, const LifecycleServices& services, Runtime& runtime, const Instance& instance,
            const std::vector<HealthCheck>& checks) {
  bool good = true;
  if (instance.state != InstanceState::kUp) {
    shop.out().warning(fmt::format("it does not run: {}", name_of(instance.state)));
    return false;
  }
  for (const HealthCheck& check : checks) {
    const auto answer = ask_instance(services, runtime, instance, check, shop.context());
    if (answer) {
      shop.out().detail(fmt::format("{}: good, {}\n", title_of(check), *answer));
      continue;
    }
    shop.out().warning(fmt::format("{}: {}{}", title_of(check), answer.error().text(),
                                   check.warn ? " (a warning only)" : ""));
    good = good && check.warn;
  }
  return good;
}

}  // namespace

Result<int> run_checks(Workshop& shop, Words words) {
  if (words.empty() || words.size() > 2)
    return fail(Code::kInternal, "check takes an app, and what to check");
  DAVIT_TRY_ASSIGN(const Workshop::Running running, shop.running(words[0]));
  const std::string& app = running.app.name;
  Chosen chosen;
  if (words.size() == 2) {
    DAVIT_TRY_ASSIGN(chosen, parse(app, words[1]));
  }
  DAVIT_TRY_ASSIGN(Store * store, shop.store());
  DAVIT_TRY_ASSIGN(const LifecycleServices services, shop.lifecycle());
  DAVIT_TRY_ASSIGN(const auto groups, store->live_groups().live(running.app.id));
  unsigned asked = 0;
  unsigned bad = 0;
  for (const LiveGroup& group : groups) {
    if (!chosen.type.empty() && group.process_type != chosen.type) continue;
    DAVIT_TRY_ASSIGN(Runtime * runtime, services.capabilities.runtime(group.runtime));
    DAVIT_TRY_ASSIGN(const auto instances, runtime->inspect({OwnerKind::kApp, group.owner, group.revision,
                                                             group.process_type, chosen.number},
                                                            shop.context()));
    const auto checks =
        startup_checks(running.release.spec.checks_json, group.process_type, group.process_type == kWebType);
    for (const Instance& instance : instances) {
      shop.out().step(
          fmt::format("Running checks for {}.{}.{}", app, instance.process_type, instance.number));
      ++asked;
      if (!run_on(shop, services, *runtime, instance, checks)) ++bad;
    }
    if (chosen.number == 0 && instances.size() < group.count) {
      const auto gone = group.count - static_cast<unsigned>(instances.size());
      shop.out().warning(
          fmt::format("{} of {} instances of {}.{} are gone; davit ps:restart {} brings them back", gone,
                      group.count, app, group.process_type, app));
      asked += gone;
      bad += gone;
    }
  }
  if (asked == 0 && !chosen.type.empty()) {
    const char* what = chosen.number == 0 ? "process type" : "container id";
    return fail(Code::kInvalid, fmt::format("Invalid {} specified ({}.{})", what, app, words[1]),
                fmt::format("davit ps:report {} shows what runs", app));
  }
  if (asked == 0) {
    shop.out().warning(fmt::format("Nothing of {} runs; davit ps:start {} starts it", app, app));
    return 1;
  }
  if (bad == 0) return 0;
  shop.out().warning(fmt::format("{} of {} instances failed their checks", bad, asked));
  return 1;
}

}  // namespace davit
