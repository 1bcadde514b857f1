// The files and trees of plugins/common/source, under this plugin's names.
#pragma once

#include "source/files.hpp"

namespace davit::buildstep {

using namespace source;

}  // namespace davit::buildstep
