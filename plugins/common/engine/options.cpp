// See options.hpp.
#include "engine/options.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <string_view>

#include "davit/failure.hpp"

namespace davit::docker {
namespace {

using Json = nlohmann::json;

constexpr unsigned kOnBuild = 1;
constexpr unsigned kOnDeploy = 2;
constexpr unsigned kOnRun = 4;
constexpr unsigned kAlways = kOnBuild | kOnDeploy | kOnRun;

constexpr double kFewestCpus = 0.01;                // as the engine
constexpr std::uint64_t kLeastMemory = 6ULL << 20;  // as the engine

[[noreturn]] void refuse(const std::string& message, const std::string& hint) {
  throw sdk::Failure(DAVIT_INVALID, "docker-option", message, hint);
}

std::int64_t parse_number(const std::string& option, std::string_view text) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < 0)
    refuse(fmt::format("{} takes a whole number, not '{}'", option, text),
           fmt::format("for example {}=100", option));
  return number;
}

void append(Json& parent, const char* key, const Json& value) {
  if (!parent.contains(key) || parent[key].is_null()) parent[key] = Json::array();
  parent[key].push_back(value);
}

std::pair<std::string, std::string> split_at(const std::string& option, const std::string& text, char mark,
                                             const char* example) {
  const std::size_t at = text.find(mark);
  if (at == std::string::npos || at == 0)
    refuse(fmt::format("{} takes something like {}, not '{}'", option, example, text),
           "see docs of docker run");
  return {text.substr(0, at), text.substr(at + 1)};
}

void set_cpus(Json& host, const std::string& option, const std::string& value) {
  double cpus = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), cpus);
  if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size() ||
      !(cpus >= kFewestCpus && cpus <= 1024))  // less may be none at all, which is no limit
    refuse(fmt::format("{} takes a number of cores, at least {}, not '{}'", option, kFewestCpus, value),
           "for example --cpus=1.5");
  host["NanoCpus"] = static_cast<std::int64_t>(cpus * 1e9);
}

/// rtprio, nice and rttime would let a container take the processors from everybody else.
void add_ulimit(Json& host, const std::string& option, const std::string& value) {
  constexpr std::string_view kHarmless[] = {"nofile",   "nproc",      "core", "fsize", "stack",
                                            "data",     "memlock",    "as",   "cpu",   "locks",
                                            "msgqueue", "sigpending", "rss"};
  const auto [name, limits] = split_at(option, value, '=', "nofile=1024:2048");
  if (std::ranges::find(kHarmless, name) == std::end(kHarmless))
    refuse(fmt::format("{} {} is not taken: it may give the container priority over the machine's other "
                       "processes",
                       option, name),
           "as, core, cpu, data, fsize, locks, memlock, msgqueue, nofile, nproc, rss, sigpending and stack "
           "are");
  const std::size_t colon = limits.find(':');
  const std::int64_t soft = parse_number(option, std::string_view(limits).substr(0, colon));
  const std::int64_t hard =
      colon == std::string::npos ? soft : parse_number(option, std::string_view(limits).substr(colon + 1));
  append(host, "Ulimits", {{"Name", name}, {"Soft", soft}, {"Hard", hard}});
}

void add_tmpfs(Json& host, const std::string& option, const std::string& value) {
  const std::size_t colon = value.find(':');
  const std::string path = value.substr(0, colon);
  if (!path.starts_with('/'))
    refuse(fmt::format("{} takes an absolute path, not '{}'", option, path),
           "for example --tmpfs=/scratch:size=64m");
  if ((path + "/").starts_with("/run/davit/"))
    refuse(fmt::format("{}={} would hide davit's own", option, path), "choose another folder");
  host["Tmpfs"][path] = colon == std::string::npos ? "" : value.substr(colon + 1);
}

void add_sysctl(Json& host, const std::string& option, const std::string& value) {
  const auto [name, setting] = split_at(option, value, '=', "net.core.somaxconn=1024");
  if (!name.starts_with("net."))
    refuse(fmt::format("{} {} is not a setting of the container's own network", option, name),
           "only net.* may be set");
  host["Sysctls"][name] = setting;
}

void add_capability(Json& host, const std::string& option, const std::string& value) {
  constexpr std::string_view kHarmless[] = {"NET_BIND_SERVICE", "CHOWN", "DAC_OVERRIDE", "FOWNER",
                                            "FSETID",           "KILL",  "SETGID",       "SETUID"};
  const std::string name = value.starts_with("CAP_") ? value.substr(4) : value;
  if (std::ranges::find(kHarmless, name) == std::end(kHarmless))
    refuse(
        fmt::format("{} {} would give the container power over the machine", option, value),
        "only NET_BIND_SERVICE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID and SETUID may be added");
  append(host, "CapAdd", name);
}

void add_log_option(Json& host, const std::string& option, const std::string& value) {
  const auto [name, setting] = split_at(option, value, '=', "max-size=10m");
  if (name != "max-size" && name != "max-file")
    refuse(fmt::format("{} {} is not supported", option, name),
           "max-size and max-file are: davit reads the engine's json-file logs");
  if (name == "max-size") (void)parse_bytes(option + " max-size", setting);
  if (name == "max-file" && parse_number(option + " max-file", setting) == 0)
    refuse(fmt::format("{} max-file takes at least 1", option),
           fmt::format("for example {}=max-file=3", option));
  host["LogConfig"]["Config"][name] = setting;
}

/// What davit itself tells an instance. `--env` of the phase deploy would win over it.
void refuse_davits_own(const std::string& option, const std::string& value) {
  const std::string name = value.substr(0, value.find('='));
  if (name == "PORT")
    refuse(fmt::format("{} {} is not taken: davit tells each instance its port", option, name),
           "where an image answers is set with davit docker:set APP port N");
  if (name == "DAVIT_INSTANCE")
    refuse(fmt::format("{} {} is davit's own", option, name), "choose another name");
}

/// An older davit took PORT and DAVIT_INSTANCE, too: what davit itself has said of them stays. A container
/// without a port of davit's has PORT from the app's config, if at all.
void add_variable(Json& container, const std::string& option, const std::string& value) {
  const std::string name = split_at(option, value, '=', "KEY=value").first;
  const Json host = container.value("HostConfig", Json::object());
  if (name == "PORT" && host.contains("PortBindings")) return;
  const auto says_instance = [](const Json& entry) {
    return entry.get_ref<const std::string&>().starts_with("DAVIT_INSTANCE=");
  };
  if (name == "DAVIT_INSTANCE" && container.contains("Env") &&
      std::ranges::any_of(container["Env"], says_instance))
    return;
  append(container, "Env", value);
}

constexpr const char* kBuild = "Build";  // of a Dockerfile; the engine's containers have no such field

using Setter = std::function<void(Json& container, const std::string& option, const std::string& value)>;

/// A parameter of POST /build; `fixed` is a switch's value.
Setter build_parameter(const char* name, const char* fixed) {
  return [name, fixed](Json& container, const std::string&, const std::string& value) {
    container[kBuild]["Query"][name] = *fixed == '\0' ? value : fixed;
  };
}

struct Known {
  const char* name;
  const char* alias;
  unsigned phases;
  bool takes_value;
  Setter set;
};

const std::vector<Known>& known_options() {
  static const std::vector<Known> all = [] {
    const auto host = [](auto set) {
      return [set](Json& container, const std::string& option, const std::string& value) {
        set(container["HostConfig"], option, value);
      };
    };
    const auto bytes = [host](const char* field) {
      return host([field](Json& config, const std::string& option, const std::string& value) {
        config[field] = parse_bytes(option, value);
      });
    };
    const auto number = [host](const char* field) {
      return host([field](Json& config, const std::string& option, const std::string& value) {
        config[field] = parse_number(option, value);
      });
    };
    const auto list = [host](const char* field) {
      return host([field](Json& config, const std::string&, const std::string& value) {
        append(config, field, value);
      });
    };
    const auto memory = host([](Json& config, const std::string& option, const std::string& value) {
      config["Memory"] = parse_bytes(option, value);
      if (config["Memory"] < kLeastMemory)
        refuse(fmt::format("{}={} is too little for any process", option, value), "give at least 6m");
      config["MemorySwap"] = config["Memory"];
    });
    return std::vector<Known>{
        {"--memory", "-m", kAlways, true, memory},
        {"--memory-reservation", "", kAlways, true, bytes("MemoryReservation")},
        {"--memory-swap", "", kAlways, true, bytes("MemorySwap")},
        {"--cpus", "", kAlways, true, host(set_cpus)},
        {"--cpu-shares", "-c", kAlways, true, number("CpuShares")},
        {"--cpuset-cpus", "", kAlways, true,
         host([](Json& config, const std::string&, const std::string& value) {
           config["CpusetCpus"] = value;
         })},
        {"--pids-limit", "", kAlways, true,
         host([](Json& config, const std::string& option, const std::string& value) {
           config["PidsLimit"] = parse_number(option, value);
           if (config["PidsLimit"] == 0)
             refuse(fmt::format("{}=0 would take the limit away", option),
                    fmt::format("for example {}=100", option));
         })},
        {"--shm-size", "", kAlways, true, bytes("ShmSize")},
        {"--ulimit", "", kAlways, true, host(add_ulimit)},
        {"--tmpfs", "", kOnDeploy | kOnRun, true, host(add_tmpfs)},
        {"--sysctl", "", kOnDeploy | kOnRun, true, host(add_sysctl)},
        {"--add-host", "", kAlways, true,
         host([](Json& config, const std::string& option, const std::string& value) {
           (void)split_at(option, value, ':', "db.internal:10.0.0.5");
           append(config, "ExtraHosts", value);
         })},
        {"--dns", "", kAlways, true, list("Dns")},
        {"--dns-search", "", kAlways, true, list("DnsSearch")},
        {"--dns-option", "", kAlways, true, list("DnsOptions")},
        {"--read-only", "", kOnDeploy | kOnRun, false,
         host([](Json& config, const std::string&, const std::string&) { config["ReadonlyRootfs"] = true; })},
        {"--cap-add", "", kOnDeploy | kOnRun, true, host(add_capability)},
        {"--log-opt", "", kOnDeploy, true, host(add_log_option)},
        {"--hostname", "-h", kOnDeploy | kOnRun, true,
         [](Json& container, const std::string&, const std::string& value) {
           container["Hostname"] = value;
         }},
        {"--env", "-e", kOnDeploy | kOnRun, true, add_variable},
        {"--label", "-l", kOnDeploy | kOnRun, true,
         [](Json& container, const std::string& option, const std::string& value) {
           const auto [key, text] = split_at(option, value, '=', "key=value");
           if (key.starts_with("davit."))
             refuse(fmt::format("{} {}: labels that begin with davit. are davit's own", option, key),
                    "choose another name");
           container["Labels"][key] = text;
         }},
        {"--build-arg", "", kOnBuild, true,
         [](Json& container, const std::string& option, const std::string& value) {
           const std::string key = value.substr(0, value.find('='));
           if (key.empty())
             refuse(fmt::format("{} takes KEY=VALUE or KEY, not '{}'", option, value), "name the argument");
           container[kBuild]["Args"][key] =
               key.size() == value.size() ? Json() : Json(value.substr(key.size() + 1));
         }},
        {"--target", "", kOnBuild, true, build_parameter("target", "")},
        {"--pull", "", kOnBuild, false, build_parameter("pull", "1")},
        {"--no-cache", "", kOnBuild, false, build_parameter("nocache", "1")}};
  }();
  return all;
}

/// Options that people try, and what to do instead.
const std::map<std::string, std::string>& refused_options() {
  static const std::map<std::string, std::string> reasons{
      {"--link", "containers of an app find each other by name: APP.TYPE.N"},
      {"--publish", "routes are made by the proxy: see `davit domains:add` and the proxy's port settings"},
      {"-p", "routes are made by the proxy: see `davit domains:add` and the proxy's port settings"},
      {"--volume", "a persistent folder is a mount of the app: see `davit storage:mount`"},
      {"-v", "a persistent folder is a mount of the app: see `davit storage:mount`"},
      {"--mount", "a persistent folder is a mount of the app: see `davit storage:mount`"},
      {"--restart", "davit restarts instances itself"},
      {"--name", "davit names containers APP.TYPE.N"},
      {"--network", "davit makes a network for each app"},
      {"--net", "davit makes a network for each app"},
      {"--user", "containers run as davit's app user, images as the user that they name"},
      {"--privileged", "it would give the container the whole machine"},
      {"--device", "it would give the container the machine's devices"},
      {"--security-opt", "it would take protection away from the machine"},
      {"--pid", "it would show the container the machine's processes"},
      {"--ipc", "it would share memory with others"},
      {"--userns", "it is set for the whole engine"},
      {"--init", "davit's own init runs in every container already"},
      {"--entrypoint", "the command is the Procfile's, or the image's own"},
      {"--stop-timeout", "set it with `davit ps:set APP stop-timeout-seconds`"},
      {"--secret", "a build needs no secret of davit's: config is given when the app runs"},
      {"--tag", "davit names images itself"},
      {"-t", "davit names images itself"},
      {"--file", "name it with `davit builder-dockerfile:set APP dockerfile-path`"},
      {"-f", "name it with `davit builder-dockerfile:set APP dockerfile-path`"}};
  return reasons;
}

const Known* find_known(const std::string& name) {
  for (const Known& known : known_options()) {
    if (name == known.name || (*known.alias != '\0' && name == known.alias)) return &known;
  }
  return nullptr;
}

std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool begun = false;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      begun = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (begun) words.push_back(std::exchange(word, ""));
      begun = false;
    } else {
      word += c;
      begun = true;
    }
  }
  if (quote != 0) refuse(fmt::format("a quote in '{}' is not closed", text), "close it");
  if (begun) words.push_back(word);
  return words;
}

unsigned bit_of(Phase phase) {
  return phase == Phase::kBuild ? kOnBuild : phase == Phase::kDeploy ? kOnDeploy : kOnRun;
}

}  // namespace

std::string quoted_word(const std::string& word) {
  if (!word.empty() && word.find_first_of(" \t\n'\"\\") == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\"'\"'") : std::string(1, c);
  return text + "'";
}

std::string Option::text() const {
  return value.empty() ? name : name + "=" + quoted_word(value);
}

std::uint64_t parse_bytes(const std::string& option, const std::string& text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  std::string unit(parsed.ptr, end);
  std::ranges::transform(unit, unit.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::map<std::string, unsigned> shifts{{"", 0},     {"b", 0},   {"k", 10},  {"kb", 10},
                                               {"kib", 10}, {"m", 20},  {"mb", 20}, {"mib", 20},
                                               {"g", 30},   {"gb", 30}, {"gib", 30}};
  const auto shift = shifts.find(unit);
  if (parsed.ec != std::errc() || shift == shifts.end() || number == 0 ||
      number > (1ULL << 62) >> shift->second)
    refuse(fmt::format("{} takes a size, not '{}'", option, text),
           fmt::format("for example {}=512m", option));
  return number << shift->second;
}

const char* name_of(Phase phase) {
  return phase == Phase::kBuild ? "build" : phase == Phase::kDeploy ? "deploy" : "run";
}

std::vector<Phase> parse_phases(const std::string& text) {
  std::vector<Phase> phases;
  std::size_t at = 0;
  while (at <= text.size()) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string word = text.substr(at, comma - at);
    at = comma + 1;
    bool found = false;
    for (const Phase phase : {Phase::kBuild, Phase::kDeploy, Phase::kRun}) {
      if (word != name_of(phase)) continue;
      found = true;
      if (std::ranges::find(phases, phase) == phases.end()) phases.push_back(phase);
    }
    if (!found)
      refuse(fmt::format("'{}' is not a phase", word),
             "phases are build, deploy and run, or several: build,deploy");
  }
  return phases;
}

namespace {

std::vector<Option> parse(const std::string& text, Phase phase, bool is_new) {
  std::vector<Option> options;
  const std::vector<std::string> words = split_words(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t equals = words[i].starts_with("--") ? words[i].find('=') : std::string::npos;
    const std::string given = words[i].substr(0, equals);
    if (const auto reason = refused_options().find(given); reason != refused_options().end())
      refuse(fmt::format("{} is not taken", given), reason->second);
    const Known* known = find_known(given);
    if (known == nullptr) {
      std::string names;
      for (const Known& each : known_options())
        names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
      refuse(fmt::format("davit does not know the option {}", given), "known are " + names);
    }
    if ((known->phases & bit_of(phase)) == 0)
      refuse(fmt::format("{} means nothing in the phase {}", known->name, name_of(phase)),
             "leave it out, or add it for another phase");
    Option option{known->name, ""};
    if (known->takes_value) {
      const bool follows = equals == std::string::npos && i + 1 < words.size();
      option.value = equals != std::string::npos ? words[i].substr(equals + 1) : follows ? words[++i] : "";
      if (option.value.empty())
        refuse(fmt::format("{} lacks its value", known->name), fmt::format("write {}=VALUE", known->name));
    } else if (equals != std::string::npos && words[i].substr(equals + 1) != "true") {
      refuse(fmt::format("{} takes no value", known->name), "leave it out to turn it off");
    }
    if (is_new && option.name == "--env" && phase == Phase::kDeploy)
      refuse_davits_own(option.name, option.value);
    Json scratch = Json::object();
    known->set(scratch, known->name, option.value);  // only to see that the value is one
    options.push_back(std::move(option));
  }
  if (options.empty()) refuse("no option was given", "for example --memory=512m");
  return options;
}

/// --memory sets the swap, too, whatever is said of that before or after it.
void set_all(std::vector<Option> options, Json& container) {
  std::ranges::stable_partition(options, [](const Option& option) { return option.name == "--memory"; });
  for (const Option& option : options) {
    if (const Known* known = find_known(option.name)) known->set(container, option.name, option.value);
  }
}

}  // namespace

std::vector<Option> parse_options(const std::string& text, Phase phase) {
  return parse(text, phase, false);
}

std::vector<Option> parse_new_options(const std::string& text, Phase phase) {
  return parse(text, phase, true);
}

void apply_options(const std::vector<Option>& options, Json& container) {
  set_all(options, container);
  container.erase(kBuild);
}

BuildOptions build_options(const std::vector<Option>& options) {
  Json container = Json::object();
  set_all(options, container);
  BuildOptions found;
  const Json host = container.value("HostConfig", Json::object());
  const auto add = [&](const char* field, const char* parameter) {
    if (host.contains(field))
      found.query.emplace_back(parameter,
                               host[field].is_string() ? host[field].get<std::string>() : host[field].dump());
  };
  add("Memory", "memory");
  add("MemorySwap", "memswap");
  add("CpuShares", "cpushares");
  add("CpusetCpus", "cpusetcpus");
  add("ShmSize", "shmsize");
  if (host.contains("NanoCpus")) {
    found.query.emplace_back("cpuperiod", "100000");
    found.query.emplace_back("cpuquota", std::to_string(host["NanoCpus"].get<std::int64_t>() / 10'000));
  }
  for (const Json& entry : host.value("ExtraHosts", Json::array()))
    found.query.emplace_back("extrahosts", entry.get<std::string>());
  const Json build = container.value(kBuild, Json::object());
  const Json parameters = build.value("Query", Json::object());
  for (const auto& [name, value] : parameters.items())
    found.query.emplace_back(name, value.get<std::string>());
  const Json arguments = build.value("Args", Json::object());
  for (const auto& [key, value] : arguments.items()) {
    found.arguments.emplace_back(key,
                                 value.is_null() ? std::nullopt : std::optional(value.get<std::string>()));
  }
  return found;
}

}  // namespace davit::docker
