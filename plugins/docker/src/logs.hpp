// The logs of an owner's instances as one stream by time: of containers that are there, and of those that
// are gone (saved_logs.hpp).
#pragma once

#include "containers.hpp"
#include "davit/instances.hpp"
#include "saved_logs.hpp"

namespace davit::docker_plugin {

class Logs {
 public:
  Logs(const Base& base, const SavedLogs& saved) : base_(base), saved_(saved) {}
  void read(const sdk::Call& call, const sdk::Selector& selector, const sdk::LogQuery& query,
            const sdk::LogOutput& out);

 private:
  struct Follower;
  void follow(const sdk::Call& call, const sdk::Selector& selector,
              std::map<std::string, std::int64_t> last_ns, const sdk::LogOutput& out);
  const Base& base_;
  const SavedLogs& saved_;
};

}  // namespace davit::docker_plugin
