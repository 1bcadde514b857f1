// CatalogBuilder: joins what is installed with what plugins.toml says. Private to host/plugin.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/catalog.hpp"
#include "plugin/catalog_cache.hpp"

namespace davit {

class CatalogBuilder {
 public:
  CatalogBuilder(const std::filesystem::path& plugin_dir, CatalogCache& cache, const CatalogOptions& options)
      : plugin_dir_(plugin_dir.native()), cache_(cache), options_(options) {}

  PluginCatalog build(PluginsToml file, const std::string& source);

 private:
  struct Candidate {
    std::string path;
    ReadNote read;
    std::string id;
    bool taken = false;
  };
  void scan_folder();
  [[nodiscard]] std::string disabled_by(const PluginSection& section) const;
  CatalogEntry configured(const PluginSection& section, std::string disabled_by);
  void choose_file(const PluginSection& section, CatalogEntry& entry);
  void check_version(const PluginSection& section, CatalogEntry& entry) const;
  void check_settings(const PluginSection& section, CatalogEntry& entry) const;
  void check_enabled();
  void check_requires(CatalogEntry& entry) const;
  void add_unconfigured();
  [[nodiscard]] Error at(unsigned line, const std::string& what, std::string hint) const;

  const std::string plugin_dir_;
  CatalogCache& cache_;
  const CatalogOptions& options_;
  std::string source_;
  std::vector<Candidate> candidates_;
  std::multimap<std::string_view, Candidate*> by_id_;
  PluginCatalog catalog_;
};

}  // namespace davit
