// Finding the installation from the program that runs.
#include "base/paths.hpp"

namespace davit {

Installation Installation::of_executable(const std::filesystem::path& executable) {
  const auto folder = executable.parent_path();
  // PREFIX/libexec/davit/X, else PREFIX/bin/X: the build tree and an installed prefix look the same.
  const bool in_libexec = folder.filename() == "davit" && folder.parent_path().filename() == "libexec";
  return Installation{in_libexec ? folder.parent_path().parent_path() : folder.parent_path()};
}

}  // namespace davit
