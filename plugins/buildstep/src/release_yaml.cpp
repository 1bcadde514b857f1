// libyaml's document interface: no aliases are expanded and only two levels are read, so that no text,
// however hostile, grows here.
#include "release_yaml.hpp"

#include <optional>

#include <fmt/core.h>
#include <yaml.h>

#include "davit/failure.hpp"

namespace davit::buildstep {
namespace {

constexpr std::size_t kLongest = 256 * 1024;

class Document {
 public:
  Document(std::string_view yaml, std::string_view label) : label_(label) {
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) throw std::bad_alloc();
    yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(yaml.data()), yaml.size());
    const bool loaded = yaml_parser_load(&parser, &document_) != 0;
    const std::string problem = parser.problem == nullptr ? "" : parser.problem;
    const std::size_t line = parser.problem_mark.line + 1;
    yaml_parser_delete(&parser);
    if (!loaded) refuse(fmt::format("line {}: {}", line, problem));
  }
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  ~Document() { yaml_document_delete(&document_); }

  [[noreturn]] void refuse(std::string_view why) const {
    throw sdk::Failure(DAVIT_FAILED, "release-invalid",
                       fmt::format("bin/release of {} printed YAML that cannot be used: {}", label_, why),
                       "That is the buildpack's mistake: choose another version of it, or tell its authors");
  }

  yaml_node_t* root() { return yaml_document_get_root_node(&document_); }
  yaml_node_t* at(int index) { return yaml_document_get_node(&document_, index); }

  static std::string_view text(const yaml_node_t* node) {
    return {reinterpret_cast<const char*>(node->data.scalar.value), node->data.scalar.length};
  }
  static bool is_null(const yaml_node_t* node) {
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text(node).empty() || text(node) == "~" || text(node) == "null");
  }

  /// The scalars of the mapping `node`; a value of null is left out.
  sdk::Pairs scalars(const yaml_node_t* node, std::string_view name) {
    sdk::Pairs out;
    if (is_null(node)) return out;
    if (node->type != YAML_MAPPING_NODE) refuse(fmt::format("{} is not a mapping", name));
    for (auto* pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; ++pair) {
      const yaml_node_t* key = at(pair->key);
      const yaml_node_t* value = at(pair->value);
      if (key->type != YAML_SCALAR_NODE || value->type != YAML_SCALAR_NODE) {
        refuse(fmt::format("{}, line {}: a name and a text are expected", name, key->start_mark.line + 1));
      }
      if (!is_null(value)) out.emplace_back(text(key), text(value));
    }
    return out;
  }

 private:
  std::string label_;
  yaml_document_t document_{};
};

}  // namespace

ReleaseInfo parse_release(std::string_view yaml, std::string_view label) {
  ReleaseInfo info;
  if (yaml.size() > kLongest) {
    throw sdk::Failure(DAVIT_FAILED, "release-invalid",
                       fmt::format("bin/release of {} printed more than {} bytes", label, kLongest));
  }
  Document document(yaml, label);
  const yaml_node_t* root = document.root();
  if (root == nullptr || Document::is_null(root)) return info;
  if (root->type != YAML_MAPPING_NODE) document.refuse("it is not a mapping");
  for (auto* pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; ++pair) {
    const yaml_node_t* key = document.at(pair->key);
    if (key->type != YAML_SCALAR_NODE) continue;
    const std::string_view name = Document::text(key);
    if (name == "default_process_types")
      info.process_types = document.scalars(document.at(pair->value), name);
    if (name == "config_vars") info.config = document.scalars(document.at(pair->value), name);
  }
  return info;
}

}  // namespace davit::buildstep
