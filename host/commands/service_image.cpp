// service-image: the images that services are served from on runtimes of containers, made from Debian
// packages.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "commands/services.hpp"
#include "commands/table.hpp"

namespace davit {
namespace {

Result<int> build(Session& session, const Arguments& args) {
  const std::string& kind = args.args.front();
  DAVIT_TRY_ASSIGN(const PluginCatalog* catalog, session.catalog());
  const auto kinds = service_kinds(*catalog);
  if (std::ranges::find(kinds, kind) == kinds.end()) {
    return fail(Code::kNotFound, fmt::format("There is no kind of service {}", json_quote(kind)),
                fmt::format("Kinds: {}", kinds.empty() ? "none; enable a plugin" : join(kinds, ", ")),
                "no-such-kind");
  }
  return session.work({"service", "image-build", kind, std::string(args.value("runtime").value_or(""))});
}

constexpr CliFlag kFlags[] = {{"runtime", "RUNTIME", "The runtime that it is for (the default one)"}};

}  // namespace

std::span<const CoreCommand> service_image_commands() {
  static constexpr CoreCommand kCommands[] = {
      {{.name = "service-image:build",
        .usage = "[--runtime RUNTIME] <kind>",
        .summary = "Make the image that services of a kind run in as containers, from Debian packages",
        .minimum_args = 1,
        .maximum_args = 1,
        .flags = kFlags},
       build},
  };
  return kCommands;
}

}  // namespace davit
