// JsonMember: a value of app.json together with where it stands, so that every complaint names it. Private to
// the readers of app.json.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/text.hpp"

namespace davit {

class JsonMember {
 public:
  JsonMember(const nlohmann::json& value, std::string path) : value_(&value), path_(std::move(path)) {}

  [[nodiscard]] const nlohmann::json& value() const { return *value_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] std::optional<JsonMember> find(const std::string& name) const {
    const auto it = value_->find(name);
    if (it == value_->end()) return std::nullopt;
    return JsonMember(*it, path_.empty() ? name : path_ + "." + name);
  }
  [[nodiscard]] JsonMember at(std::size_t index) const {
    return {value_->at(index), fmt::format("{}[{}]", path_, index)};
  }

  /// "app.json: PATH must be WANTED"; the hint shows how it is written.
  [[nodiscard]] tl::unexpected<Error> must_be(std::string_view wanted, std::string_view example) const {
    return refused(fmt::format("must be {}", wanted), fmt::format("Write for example {}", example));
  }
  [[nodiscard]] tl::unexpected<Error> refused(std::string_view what, std::string hint) const {
    return fail(Code::kInvalid, fmt::format("app.json: {} {}", path_, what), std::move(hint),
                "app-json-invalid");
  }

  Result<> require_object(std::string_view example) const {
    if (!value_->is_object()) return must_be("an object", example);
    return {};
  }
  /// Every member is one of these.
  Result<> allow(const std::vector<std::string>& names) const {
    for (const auto& [name, unused] : value_->items()) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      const std::string near = nearest(name, names);
      return JsonMember(unused, path_ + "." + name)
          .refused("is not known",
                   near.empty() ? "Known are: " + join(names, ", ")
                                : fmt::format("Did you mean {}? Known are: {}", near, join(names, ", ")));
    }
    return {};
  }
  [[nodiscard]] Result<std::string> text(std::string_view example) const {
    if (!value_->is_string()) return must_be("a text", example);
    auto text = value_->get<std::string>();
    if (text.find('\0') != std::string::npos) return must_be("a text without NUL bytes", example);
    return text;
  }
  [[nodiscard]] Result<bool> boolean(std::string_view example) const {
    if (!value_->is_boolean()) return must_be("true or false", example);
    return value_->get<bool>();
  }
  [[nodiscard]] Result<std::uint32_t> count(std::uint32_t least, std::uint32_t most,
                                            std::string_view example) const {
    const bool fits =
        value_->is_number_unsigned() ? value_->get<std::uint64_t>() <= most : value_->is_number_integer();
    if (!fits || value_->get<std::int64_t>() < least || value_->get<std::int64_t>() > most) {
      return must_be(fmt::format("a whole number from {} to {}", least, most), example);
    }
    return value_->get<std::uint32_t>();
  }
  /// Not empty; for an argv.
  [[nodiscard]] Result<std::vector<std::string>> words(std::string_view example) const {
    constexpr std::string_view kWanted = "a list of words";
    if (!value_->is_array() || value_->empty()) return must_be(kWanted, example);
    std::vector<std::string> words;
    for (const nlohmann::json& word : *value_) {
      if (!word.is_string() || word.get_ref<const std::string&>().find('\0') != std::string::npos)
        return must_be(kWanted, example);
      words.push_back(word.get<std::string>());
    }
    if (words.front().empty()) return must_be(kWanted, example);
    return words;
  }

 private:
  const nlohmann::json* value_;
  std::string path_;
};

/// app.json's healthchecks, of one type's list (app_json_checks.cpp).
struct HealthCheck;
Result<std::vector<HealthCheck>> read_checks(const JsonMember& list, const std::string& process_type,
                                             std::vector<std::string>& warnings);

}  // namespace davit
