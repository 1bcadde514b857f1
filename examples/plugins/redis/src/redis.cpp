// A data store in one file: which programs of Redis serve, dump and load. davit adds the commands, ports,
// passwords, links, the trash and all the rest. Its dump is made by one Lua call, so it must fit into memory.
#include <davit/plugin.hpp>

#include <string>

namespace sdk = davit::sdk;

namespace {

constexpr const char* kServer = "/usr/bin/redis-server";
constexpr const char* kClient = "/usr/bin/redis-cli";
constexpr const char* kEnd = "end of davit's dump";

// The commands that make the data anew, in Redis' own protocol.
constexpr const char* kDump = R"lua(
local out, cursor = {}, '0'
local function command(...)
  local words = {...}
  out[#out + 1] = '*' .. #words .. '\r\n'
  for _, word in ipairs(words) do out[#out + 1] = '$' .. #word .. '\r\n' .. word .. '\r\n' end
end
repeat
  local page = redis.call('SCAN', cursor, 'COUNT', 1000)
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    local expires = redis.call('PEXPIRETIME', key)
    command('RESTORE', key, string.format('%.0f', expires > 0 and expires or 0), redis.call('DUMP', key),
            'REPLACE', 'ABSTTL')
  end
until cursor == '0'
command('ECHO', ARGV[1])
return table.concat(out)
)lua";

class Redis : public sdk::Plugin, public sdk::ServiceKind {
 public:
  sdk::Pairs describe_kind(const sdk::Call& call) override {
    return {{"scheme", "redis"},         {"alias", "REDIS"},
            {"versions", version(call)}, {"missing", "Install it: apt-get install redis-server"},
            {"image", "redis"},          {"packages", "redis-server"}};
  }

  sdk::Program serve(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run;
    run.argv = {at(service, kServer),
                service.files + "/redis.conf",
                "--dir",
                service.data,
                "--bind",
                service.host,
                "--port",
                std::to_string(service.port),
                "--appendonly",
                "yes"};
    // DEBUG is what the fingerprint is made with; between containers nobody is local.
    run.files = {{"redis.conf", "requirepass " + service.password + "\nsave \"\"\nenable-debug-command " +
                                    (service.image.empty() ? "local" : "yes") + "\n"}};
    return run;
  }

  sdk::Program probe(const sdk::Call&, const sdk::Service& service) override {
    return client(service, {"-e", "DBSIZE"});
  }
  sdk::Program dump(const sdk::Call&, const sdk::Service& service) override {
    return client(service, {"-e", "--raw", "EVAL", kDump, "0", kEnd});
  }
  sdk::Program load(const sdk::Call&, const sdk::Service& service) override {
    sdk::Program run = client(service, {"--pipe", "--pipe-timeout", "10"});
    run.ends_with = kEnd;
    return run;
  }
  sdk::Program connect(const sdk::Call&, const sdk::Service& service) override { return client(service, {}); }
  sdk::Program fingerprint(const sdk::Call&, const sdk::Service& service) override {
    return client(service, {"-e", "DEBUG", "DIGEST"});
  }

 private:
  // Here by its path; in an image PATH finds it.
  static std::string at(const sdk::Service& service, const std::string& path) {
    return service.image.empty() ? path : path.substr(path.rfind('/') + 1);
  }

  static sdk::Program client(const sdk::Service& service, const sdk::Strings& words) {
    sdk::Program run;
    run.argv = {at(service, kClient), "-h", service.host, "-p", std::to_string(service.port)};
    run.argv.insert(run.argv.end(), words.begin(), words.end());
    run.env = {{"REDISCLI_AUTH", service.password}, {"REDISCLI_HISTFILE", "/dev/null"}};
    return run;
  }

  // "7.0" of "Redis server v=7.0.15 sha=..."; nothing if it is not installed.
  std::string version(const sdk::Call& call) {
    sdk::Process ask;
    ask.argv = {"/usr/bin/env", kServer, "--version"};
    ask.timeout_ms = 10'000;
    const sdk::ProcessResult said = host().processes(call).capture(ask);
    const std::size_t at = said.out.find("v=");
    if (said.exit_code != 0 || at == std::string::npos) return {};
    return said.out.substr(at + 2, said.out.find('.', said.out.find('.', at) + 1) - at - 2);
  }
};

}  // namespace

DAVIT_PLUGIN(Redis, DAVIT_PLUGIN_ID, DAVIT_PLUGIN_VERSION, 0);
