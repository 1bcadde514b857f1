// FakeSourceStore: source trees from a map instead of git, with the same promises (keep, forget, move_ref,
// remove), and every call in the common record ("sources.check_out shop").
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "lifecycle/source_store.hpp"
#include "tests/fakes/fake_capabilities.hpp"

namespace davit::fakes {

class FakeSourceStore final : public SourceStore {
 public:
  using Tree = std::map<std::string, std::string>;  ///< path to bytes

  explicit FakeSourceStore(CallRecord& record) : record_(record) {}

  Result<CheckedOut> check_out(std::string_view app, std::string_view revision, const std::string& folder,
                               const SourceLimits& limits, const CallContext&) override {
    last_limits = limits;
    if (auto fault = record_.enter("sources.check_out", std::string(app)); !fault) return fail(fault.error());
    const auto tree = trees.find(std::string(revision));
    if (tree == trees.end()) return fail(Code::kNotFound, "Commit is not in the repository", {}, "no-commit");
    for (const auto& [path, bytes] : tree->second) {
      const auto file = std::filesystem::path(folder) / path;
      std::filesystem::create_directories(file.parent_path());
      std::ofstream(file, std::ios::binary) << bytes;
    }
    if (auto fault = record_.leave("sources.check_out"); !fault) return fail(fault.error());
    return CheckedOut{std::string(revision), 1'700'000'000'000, "a commit"};
  }
  Result<> keep(std::string_view app, std::string_view revision, std::string_view deployment) override {
    DAVIT_TRY(record_.enter("sources.keep", std::string(app)));
    kept[std::string(deployment)] = std::string(revision);
    return record_.leave("sources.keep");
  }
  Result<> forget(std::string_view app, std::string_view deployment) override {
    DAVIT_TRY(record_.enter("sources.forget", std::string(app)));
    kept.erase(std::string(deployment));
    return record_.leave("sources.forget");
  }
  Result<bool> move_ref(std::string_view app, std::string_view ref, std::string_view from,
                        std::string_view to) override {
    if (auto fault = record_.enter("sources.move_ref", std::string(app)); !fault) return fail(fault.error());
    std::string& at = refs[std::string(ref)];
    if (at == to) return true;
    if (at != from) return false;
    at = std::string(to);
    return true;
  }
  Result<> rename(std::string_view from, std::string_view to) override {
    DAVIT_TRY(record_.enter("sources.rename", std::string(from) + " " + std::string(to)));
    renamed_to = to;
    return record_.leave("sources.rename");
  }
  Result<> remove(std::string_view app) override {
    DAVIT_TRY(record_.enter("sources.remove", std::string(app)));
    removed.insert(std::string(app));
    kept.clear();
    refs.clear();
    return {};
  }

  std::map<std::string, Tree> trees;        ///< by revision
  std::map<std::string, std::string> kept;  ///< deployment to revision
  std::map<std::string, std::string> refs;  ///< ref to revision; "" for one that is not there
  std::set<std::string> removed;
  std::string renamed_to;
  SourceLimits last_limits;

 private:
  CallRecord& record_;
};

}  // namespace davit::fakes
