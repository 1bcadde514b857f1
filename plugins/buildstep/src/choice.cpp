// The order of precedence, and the grammar of .buildpacks.
#include "choice.hpp"

#include <fmt/core.h>

#include "davit/failure.hpp"

namespace davit::buildstep {
namespace {

BuildpackSpec parse_at(std::string_view text, std::string_view where) {
  try {
    return parse_spec(text);
  } catch (const sdk::Failure& failure) {
    throw sdk::Failure(failure.status(), failure.slug(), fmt::format("{}: {}", where, failure.message()),
                       failure.hint());
  }
}

std::vector<BuildpackSpec> parse_file(std::string_view text) {
  std::vector<BuildpackSpec> packs;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
      line.remove_suffix(1);
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    if (line.empty() || line.front() == '#') continue;
    packs.push_back(parse_at(line, fmt::format(".buildpacks, line {}", number)));
  }
  return packs;
}

}  // namespace

Choice choose_buildpacks(const ChoiceInputs& inputs) {
  Choice choice;
  if (!inputs.listed.empty()) {
    choice.source = "buildpacks:set";
    for (const std::string& text : inputs.listed) choice.packs.push_back(parse_at(text, "buildpacks:list"));
    return choice;
  }
  if (!inputs.url_variable.empty()) {
    choice.source = "BUILDPACK_URL";
    choice.packs.push_back(parse_at(inputs.url_variable, "BUILDPACK_URL"));
    return choice;
  }
  if (inputs.file) {
    choice.source = ".buildpacks";
    choice.packs = parse_file(*inputs.file);
    if (!choice.packs.empty()) return choice;
  }
  choice.source = "detection";
  choice.detected = true;
  for (const std::string& text : inputs.detection_order) {
    choice.packs.push_back(parse_at(text, "the setting `detect`"));
    // The Procfile alone fits nearly every app: that it would have fitted too is no news.
    const BuildpackSpec& pack = choice.packs.back();
    if (pack.kind != SpecKind::kShipped || pack.location != "procfile") choice.rivals = choice.packs.size();
  }
  if (choice.packs.empty()) {
    throw sdk::Failure(DAVIT_INVALID, "no-buildpacks",
                       "No buildpack is set, and the setting `detect` is empty",
                       "Set one with `buildpacks:set`, or name some in [plugins.buildstep.settings] detect");
  }
  return choice;
}

}  // namespace davit::buildstep
