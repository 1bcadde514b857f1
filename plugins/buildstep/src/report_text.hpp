// The reports of plugins/common/report, under this plugin's names.
#pragma once

#include "report/report_text.hpp"

namespace davit::buildstep {

using namespace reports;

}  // namespace davit::buildstep
