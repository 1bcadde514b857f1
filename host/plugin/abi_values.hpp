// Between the host's values (base/model.hpp, capability.hpp) and the structs of the C ABI. Outward structs
// borrow from the value and from a holder that lives through the call; inward ones are copied.
#pragma once

#include <davit/builder.h>
#include <davit/proxy.h>
#include <davit/runtime.h>
#include <davit/types.h>

#include <string>
#include <vector>

#include "plugin/abi_text.hpp"
#include "plugin/capability.hpp"

namespace davit {

// Outward.
davit_artifact abi(const ArtifactRef& artifact);
davit_limits abi(const Limits& limits);
davit_endpoint abi(const Endpoint& endpoint);
davit_mount abi(const Mount& mount);
davit_selector abi(const Selector& selector);

/// An array of ABI structs made from a container.
class AbiStrings {
 public:
  explicit AbiStrings(const std::vector<std::string>& texts);
  [[nodiscard]] davit_strs get() const { return {texts_.data(), texts_.size()}; }

 private:
  std::vector<davit_str> texts_;
};

class AbiPairs {
 public:
  explicit AbiPairs(const TextMap& pairs);
  [[nodiscard]] davit_kvs get() const { return {pairs_.data(), pairs_.size()}; }

 private:
  std::vector<davit_kv> pairs_;
};

template <typename AbiStruct>
class AbiList {
 public:
  template <typename Value>
  explicit AbiList(const std::vector<Value>& values) {
    items_.reserve(values.size());
    for (const Value& value : values) items_.push_back(abi(value));
  }
  [[nodiscard]] davit_list get() const { return {items_.data(), items_.size(), sizeof(AbiStruct)}; }

 private:
  std::vector<AbiStruct> items_;
};

// Inward: fields that the writer did not know keep their defaults.
ArtifactRef artifact_of(const davit_artifact* artifact);
Limits limits_of(const davit_limits* limits);
std::vector<Mount> mounts_of(davit_list mounts);
std::vector<Endpoint> endpoints_of(davit_list endpoints);
Instance instance_of(const davit_instance& instance);
/// Sinks and fds are borrowed: valid for the call in which the struct was given.
TaskRequest task_of(const davit_task& task);
/// A ByteSink on a borrowed davit_sink; after the sink's first refusal it stays silent. NULL: empty.
ByteSink sink_of(const davit_sink* sink);

}  // namespace davit
