// A host for the plugin's entry: the C tables that buildstep asks for, over maps, real programs and a mapped
// sandbox.
#pragma once

#include <map>
#include <string>

#include "davit/builder.h"
#include "davit/host.h"
#include "support.hpp"

namespace davit::buildstep::testing_support {

class FakeHost {
 public:
  FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  const davit_host* host() const { return &host_; }
  /// A call by `actor`; what it says is gathered below.
  const davit_call* call(const std::string& actor);

  using Key = std::pair<std::string, std::string>;  ///< app, key
  std::map<std::string, std::string> settings;
  std::map<std::string, sdk::Strings> setting_items;
  std::map<Key, std::string> properties;
  std::map<Key, sdk::Strings> lists;
  std::map<Key, std::string> kv;
  std::map<std::string, std::string> paths;
  sdk::Strings apps;

  std::string result;   ///< stdout
  std::string steps;    ///< steps, headers, warnings and detail with their arrows
  std::string message;  ///< of the error slot
  std::string slug;
  RealPrograms programs;
  MappedSandbox sandbox{programs};

 private:
  davit_host host_{};
  davit_call call_{};
  std::string actor_;
};

}  // namespace davit::buildstep::testing_support
