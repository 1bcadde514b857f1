// One build of a Dockerfile by the engine: the request, what it says meanwhile, and the image that comes of
// it.
#pragma once

#include <string>
#include <vector>

#include "context.hpp"
#include "davit/builder.hpp"
#include "dockerfile_text.hpp"
#include "engine/options.hpp"
#include "engine/registries.hpp"
#include "watch.hpp"

namespace davit::dockerfile {

struct BuildSpec {
  ContextSpec context;
  DockerfileText text;
  docker::BuildOptions options;
  std::vector<docker::Login> logins;
  BuildLimits limits;
  std::string app;
  std::string home_id;
  std::string build_tag;  ///< another for each build: no image is ever without a name, by which it is found
  std::string network;    ///< "default", "host" or "none"
};

/// What an image says of itself.
struct BuiltImage {
  std::string id;  ///< "sha256:..."
  bool has_command = false;
};

/// Parameters of POST /build. Pure. `env`: for build arguments without a value.
docker::Query build_query(const BuildSpec& spec, const sdk::Pairs& env, bool with_buildkit);
/// The failure of a build in words for whoever pushed. Pure.
sdk::Failure build_failure(const docker::EngineFailure& failure);

BuiltImage build_image(const sdk::Host& host, const sdk::Call& call, docker::Engine& engine,
                       const BuildSpec& spec, const sdk::Pairs& env);

}  // namespace davit::dockerfile
