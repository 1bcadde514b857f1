// The folders of this plugin's tests.
#pragma once

#include "tests/temp_folder.hpp"

namespace davit::process_plugin {

inline constexpr const char* kTempFolders = "davit-process";

class TempFolder : public test::TempFolder {
 public:
  TempFolder() : test::TempFolder(kTempFolders) {}
};

}  // namespace davit::process_plugin
