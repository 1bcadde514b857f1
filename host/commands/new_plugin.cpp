// The template plugin: see the header.
#include "commands/new_plugin.hpp"

#include <fmt/format.h>

#include "base/ids.hpp"
#include "process/files.hpp"

namespace davit {
namespace {

constexpr std::string_view kPlace = "@NAME@";

std::string with_name(std::string text, std::string_view id) {
  for (auto at = text.find(kPlace); at != std::string::npos; at = text.find(kPlace, at + id.size())) {
    text.replace(at, kPlace.size(), id);
  }
  return text;
}

}  // namespace

Result<> new_plugin(const std::filesystem::path& source_folder, const std::filesystem::path& target,
                    const std::string& id) {
  namespace fs = std::filesystem;
  DAVIT_TRY(check_plugin_id(id));
  std::error_code error;
  if (!fs::is_directory(source_folder, error)) {
    return fail(Code::kUnavailable, fmt::format("The template is not at {}", source_folder.string()),
                "Install davit whole");
  }
  if (fs::exists(target, error) && !fs::is_empty(target, error)) {
    return fail(Code::kConflict, fmt::format("{} is there already", target.string()), "Name another folder");
  }
  std::vector<fs::path> files;
  for (auto entry = fs::recursive_directory_iterator(source_folder, error);
       entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (error) return fail(system_error("read " + source_folder.string(), error.value()));
    if (entry->is_regular_file(error)) files.push_back(fs::relative(entry->path(), source_folder, error));
  }
  for (const fs::path& file : files) {
    DAVIT_TRY_ASSIGN(std::string text, read_file(source_folder / file));
    const fs::path place = target / with_name(file.string(), id);
    fs::create_directories(place.parent_path(), error);
    if (error) return fail(system_error("make " + place.parent_path().string(), error.value()));
    DAVIT_TRY(write_file_volatile(place, with_name(std::move(text), id), 0644));
  }
  return {};
}

}  // namespace davit
