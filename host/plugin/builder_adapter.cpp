// davit.builder/1 as a Builder.
#include <algorithm>

#include "plugin/adapters.hpp"

namespace davit {
namespace {

struct BuildStruct {
  AbiPairs env;
  davit_build build;
  explicit BuildStruct(const BuildInput& input) : env(input.env), build{} {
    build.struct_size = sizeof build;
    build.app = abi(input.app);
    build.source_dir = abi(input.source_dir);
    build.cache_dir = abi(input.cache_dir);
    build.work_dir = abi(input.work_dir);
    build.revision = abi(input.revision);
    build.source_unix_ms = input.source_unix_ms;
    build.stack = abi(input.stack);
    build.request_id = abi(input.request_id);
    build.env = env.get();
  }
};

BuildOutput& output(void* data) {
  return *static_cast<BuildOutput*>(data);
}

davit_status on_artifact(void* data, const davit_artifact* artifact) {
  return no_throw([&] {
    if (artifact == nullptr) return DAVIT_INVALID;
    output(data).artifact = artifact_of(artifact);
    return DAVIT_OK;
  });
}

davit_status on_process_type(void* data, davit_str type, davit_str command) {
  return no_throw([&] {
    auto& types = output(data).process_types;
    const auto same = std::find_if(types.begin(), types.end(),
                                   [&](const auto& present) { return present.first == view(type); });
    if (same == types.end())
      types.emplace_back(copy(type), copy(command));
    else
      same->second = copy(command);
    return DAVIT_OK;
  });
}

davit_status on_launcher(void* data, davit_strs argv_prefix) {
  return no_throw([&] {
    output(data).launcher = copy(argv_prefix);
    return DAVIT_OK;
  });
}

davit_status on_config_default(void* data, davit_str key, davit_str value) {
  return no_throw([&] {
    output(data).config_defaults.insert_or_assign(copy(key), copy(value));
    return DAVIT_OK;
  });
}

davit_status on_describe(void* data, davit_str text) {
  return no_throw([&] {
    output(data).description = clean_line(view(text));
    return DAVIT_OK;
  });
}

}  // namespace

BuilderAdapter::BuilderAdapter(PluginInstance& instance)
    : table_(instance, DAVIT_BUILDER_ID, offsetof(davit_builder, build) + sizeof(davit_builder::build)) {}

Result<Detection> BuilderAdapter::detect(const BuildInput& input, const CallContext& context) {
  const BuildStruct in(input);
  Detection detection;
  const davit_sink why = text_sink(detection.why);
  std::int32_t score = 0;
  DAVIT_TRY(table_.call("davit.builder/1.detect", 0, context,
                        [&](const davit_builder& table, auto* plugin, auto* call) {
                          return table.detect(plugin, call, &in.build, &score, &why);
                        }));
  detection.score = std::clamp(score, 0, 100);
  detection.why = clean_line(detection.why);
  return detection;
}

Result<BuildOutput> BuilderAdapter::build(const BuildInput& input, const CallContext& context) {
  const BuildStruct in(input);
  BuildOutput out;
  const davit_build_result result{
      sizeof(davit_build_result), 0,          &out, on_artifact, on_process_type, on_launcher,
      on_config_default,          on_describe};
  // No limit of its own: what it runs as tasks has one, and a build may wait long for a mirror.
  DAVIT_TRY(table_.call("davit.builder/1.build", 0, context,
                        [&](const davit_builder& table, auto* plugin, auto* call) {
                          return table.build(plugin, call, &in.build, &result);
                        }));
  return out;
}

}  // namespace davit
