// See variables.hpp.
#include "variables.hpp"

namespace davit::build_env {
namespace {

constexpr std::string_view kPrefix = "variable/";
constexpr char kSecret = 's';
constexpr char kPlain = 'p';

std::string key_of(std::string_view name) {
  return std::string(kPrefix) + std::string(name);
}

}  // namespace

std::string row_of(const Variable& variable) {
  return (variable.secret ? kSecret : kPlain) + variable.value;
}

Variable variable_of(std::string_view row) {
  if (row.empty()) return {};
  return {std::string(row.substr(1)), row.front() != kPlain};
}

Variables VariableStore::all(std::string_view scope) const {
  Variables found;
  for (const auto& [key, row] : kv_.all(scope, kPrefix)) found[key.substr(kPrefix.size())] = variable_of(row);
  return found;
}

void VariableStore::set(std::string_view scope, std::string_view name, const Variable& variable) const {
  kv_.set(scope, key_of(name), row_of(variable));
}

void VariableStore::unset(std::string_view scope, std::string_view name) const {
  kv_.erase(scope, key_of(name));
}

}  // namespace davit::build_env
