// The build variables of one scope: an app, or all apps. Rows of davit's database (davit.host.kv):
// "variable/NAME" -> one letter that says whether it is secret, then the value, every byte of it. They go and
// move with the app.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "davit/call.hpp"
#include "davit/host.hpp"

namespace davit::build_env {

struct Variable {
  std::string value;
  bool secret = false;
};
using Variables = std::map<std::string, Variable>;

std::string row_of(const Variable& variable);
Variable variable_of(std::string_view row);

class VariableStore {
 public:
  VariableStore(const sdk::Host& host, const sdk::Call& call) : kv_(host.kv(call)) {}
  /// `scope` is an app's name; empty: global.
  [[nodiscard]] Variables all(std::string_view scope) const;
  void set(std::string_view scope, std::string_view name, const Variable& variable) const;
  /// One that is not there is fine.
  void unset(std::string_view scope, std::string_view name) const;

 private:
  sdk::Kv kv_;
};

}  // namespace davit::build_env
