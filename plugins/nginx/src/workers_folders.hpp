// The folders of nginx's workers that lie outside of their homes, because workers cannot pass into these:
// where they are, whose they are, and which of them are of homes that are gone. Only where the owner is root.
#pragma once

#include <string>
#include <vector>

namespace davit::nginx {

// Below the home if every user can pass through to it, else below /var/lib/davit-nginx.
std::string workers_folder(const std::string& home);
// A folder outside names its home in a file; in the home itself there is nothing to do. Throws if it cannot
// be written.
void name_home(const std::string& home);
// Removes the folders of homes that do not exist any more and whose nginx does not run; returns those homes.
std::vector<std::string> sweep_workers_folders();

}  // namespace davit::nginx
