// See route_store.hpp.
#include "route_store.hpp"

#include <algorithm>

#include "files/files.hpp"
#include "route_json.hpp"

namespace davit::nginx {

void RouteStore::put(const Route& route) const {
  files::write_file(path_of(route.app), to_json(route) + "\n");
}

std::optional<Route> RouteStore::get(const std::string& app) const {
  const auto text = files::read_file(path_of(app));
  return text ? route_from_json(*text) : std::nullopt;
}

void RouteStore::remove(const std::string& app) const {
  files::remove_file(path_of(app));
}

std::vector<std::string> RouteStore::names() const {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace davit::nginx
