/* davit.builder/1 in C++: derive from Builder beside Plugin. */
#ifndef DAVIT_BUILDER_HPP
#define DAVIT_BUILDER_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include "davit/builder.h"
#include "davit/call.hpp"
#include "davit/values.hpp"

namespace davit::sdk {

/* What is to be built; paths are absolute, on the host. */
struct Build {
  std::string app;
  std::string source_dir;
  std::string cache_dir;
  std::string work_dir;
  std::string revision;
  int64_t source_unix_ms = 0;
  std::string stack;
  std::string request_id;
  Pairs env; /* secret */
};

inline Build copy(const davit_build& raw) {
  Build out;
  out.app = copy(DAVIT_SDK_READ(&raw, davit_build, app));
  out.source_dir = copy(DAVIT_SDK_READ(&raw, davit_build, source_dir));
  out.cache_dir = copy(DAVIT_SDK_READ(&raw, davit_build, cache_dir));
  out.work_dir = copy(DAVIT_SDK_READ(&raw, davit_build, work_dir));
  out.revision = copy(DAVIT_SDK_READ(&raw, davit_build, revision));
  out.source_unix_ms = DAVIT_SDK_READ(&raw, davit_build, source_unix_ms);
  out.stack = copy(DAVIT_SDK_READ(&raw, davit_build, stack));
  out.request_id = copy(DAVIT_SDK_READ(&raw, davit_build, request_id));
  out.env = copy(DAVIT_SDK_READ(&raw, davit_build, env));
  return out;
}

/* Where a build reports what it made. Functions may be called in any order. */
class BuildResult {
 public:
  BuildResult(const davit_build_result* raw, const davit_call* call) noexcept : raw_(raw), call_(call) {}

  void artifact(const Artifact& made) const {
    const davit_artifact raw = to_c(made);
    detail::check(call_, raw_->artifact(raw_->result_data, &raw));
  }
  void process_type(std::string_view type, std::string_view command) const {
    detail::check(call_, raw_->process_type(raw_->result_data, str(type), str(command)));
  }
  /* Instance argv = launcher + argv. */
  void launcher(const Strings& argv_prefix) const {
    const StrArray array(argv_prefix);
    detail::check(call_, raw_->launcher(raw_->result_data, array.get()));
  }
  void config_default(std::string_view key, std::string_view value) const {
    detail::check(call_, raw_->config_default(raw_->result_data, str(key), str(value)));
  }
  void describe(std::string_view line) const {
    detail::check(call_, raw_->describe(raw_->result_data, str(line)));
  }

 private:
  const davit_build_result* raw_;
  const davit_call* call_;
};

struct Detection {
  int32_t score = 0; /* 0: not mine; 100: made for exactly this */
  std::string why;   /* one line */
};

class Builder {
 public:
  virtual ~Builder() = default;
  /* Looks only, runs nothing. */
  virtual Detection detect(const Call& call, const Build& build) = 0;
  /* A build that fails by the user's fault throws a Failure with DAVIT_FAILED. */
  virtual void build(const Call& call, const Build& build, const BuildResult& result) = 0;
};

namespace detail {

template <class P>
struct BuilderTable {
  static Builder& self(davit_plugin* plugin) noexcept { return *reinterpret_cast<P*>(plugin); }

  static davit_status detect(davit_plugin* plugin, const davit_call* call, const davit_build* build,
                             int32_t* score, const davit_sink* why) noexcept {
    return guard(call, [&] {
      const Detection found = self(plugin).detect(Call(call), copy(*build));
      write_all(why, found.why);
      *score = found.score;
    });
  }
  static davit_status build(davit_plugin* plugin, const davit_call* call, const davit_build* build,
                            const davit_build_result* result) noexcept {
    return guard(call, [&] { self(plugin).build(Call(call), copy(*build), BuildResult(result, call)); });
  }
  static const void* get() noexcept {
    static constexpr davit_builder table{sizeof(davit_builder), 0, &detect, &BuilderTable::build};
    return &table;
  }
};

}  // namespace detail
}  // namespace davit::sdk
#endif
