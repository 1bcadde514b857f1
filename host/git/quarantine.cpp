// Linking a push's objects into the repository.
#include "git/quarantine.hpp"

#include <chrono>

#include "process/files.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

Result<> adopt_file(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (!error || error == std::errc::file_exists) return {};
  fs::copy_file(from, to, fs::copy_options::skip_existing, error);
  if (error) return fail(system_error("keep the pushed object " + to.string(), error.value()));
  return {};
}

// git's own: the mark of a pack that is still being received, and half-written files.
bool is_passing(const fs::path& file) {
  return file.extension() == ".keep" || file.filename().string().starts_with("tmp_");
}

// An index that is there before its pack would be an index of nothing.
bool is_index(const fs::path& file) {
  return file.extension() == ".idx";
}

}  // namespace

Result<> adopt_objects(const fs::path& quarantine, const fs::path& objects) {
  std::error_code error;
  std::vector<fs::path> indexes;
  for (fs::recursive_directory_iterator it(quarantine, error), end; !error && it != end;
       it.increment(error)) {
    const fs::path relative = it->path().lexically_relative(quarantine);
    if (it->is_directory()) {
      fs::create_directories(objects / relative, error);
      if (error) return fail(system_error("make " + (objects / relative).string(), error.value()));
    } else if (is_passing(relative)) {
      continue;
    } else if (is_index(relative)) {
      indexes.push_back(relative);
    } else {
      DAVIT_TRY(adopt_file(it->path(), objects / relative));
    }
  }
  if (error) return fail(system_error("read the pushed objects", error.value()));
  for (const fs::path& index : indexes) DAVIT_TRY(adopt_file(quarantine / index, objects / index));
  return {};
}

void sweep_quarantines(const fs::path& objects) {
  constexpr auto kOld = std::chrono::hours(24);
  std::error_code error;
  for (fs::directory_iterator it(objects, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with("incoming-") && !name.starts_with("tmp_objdir-incoming-")) continue;
    std::error_code ignored;
    const auto age = fs::file_time_type::clock::now() - it->last_write_time(ignored);
    if (!ignored && age > kOld) (void)remove_tree(it->path());
  }
}

}  // namespace davit
