// Live groups.
#include "store/live_groups.hpp"

#include "tests/unit/store/store_fixture.hpp"

namespace davit {
namespace {

class LiveGroups : public StoreTest {
 protected:
  void put(const std::string& revision, const std::string& type, GroupState state, std::uint32_t count = 1) {
    must(groups().put({shop_, "", revision, type, 7, "process", count, state, 0}));
  }
  davit::LiveGroups& groups() { return store().live_groups(); }
  std::string states() {
    std::string text;
    for (const auto& group : must(groups().of_app(shop_))) {
      text += group.revision + "." + group.process_type + "=" + std::string(name_of(group.state)) + " ";
    }
    return text;
  }

  AppId shop_ = app("shop");
};

TEST_F(LiveGroups, AreKeptWithTheirTime) {
  const UnixMs start_ms = clock_.now_unix_ms();
  put("d9", "web", GroupState::kLive, 2);
  clock_.advance_ms(10);
  put("d9", "web", GroupState::kLive, 4);  // a scale
  const auto group = must(groups().of_app(shop_)).front();
  EXPECT_EQ(group.app_name, "shop");
  EXPECT_EQ(group.release_version, 7U);
  EXPECT_EQ(group.runtime, "process");
  EXPECT_EQ(group.count, 4U);
  EXPECT_EQ(group.since_ms, start_ms);
  put("d9", "web", GroupState::kDraining, 4);
  EXPECT_EQ(must(groups().of_app(shop_)).front().since_ms, start_ms + 10);
}

TEST_F(LiveGroups, ASwitchMovesWebAndWorkersTogether) {
  put("d9", "web", GroupState::kLive);
  put("d9", "worker", GroupState::kLive);
  put("d8", "web", GroupState::kStopping);
  put("d10", "web", GroupState::kLaunching);
  put("d10", "worker", GroupState::kLaunching);
  must(groups().switch_to(shop_, "d10"));
  EXPECT_EQ(states(), "d8.web=stopping d9.web=draining d9.worker=draining d10.web=live d10.worker=live ");
  EXPECT_EQ(must(groups().live(shop_)).size(), 2U);
  must(groups().switch_to(shop_, "d10"));
  EXPECT_EQ(must(groups().live(shop_)).size(), 2U);
}

TEST_F(LiveGroups, OfManyDrainingRevisionsTheOldestAreCut) {
  for (const char* revision : {"d8", "d9", "d10", "d11"}) {
    put(revision, "web", GroupState::kDraining);
    put(revision, "worker", GroupState::kDraining);
  }
  put("d12", "web", GroupState::kLive);
  EXPECT_EQ(must(groups().draining_beyond(shop_)), (std::vector<std::string>{"d8", "d9"}));
  EXPECT_EQ(must(groups().draining_beyond(shop_, 4)), std::vector<std::string>{});
}

TEST_F(LiveGroups, AreRemovedAloneOrByRevision) {
  put("d1", "web", GroupState::kLive);
  put("d1", "worker", GroupState::kLive);
  put("d2", "web", GroupState::kLaunching);
  const AppId blog = app("blog");
  must(groups().put({blog, "", "d1", "web", 1, "process", 1, GroupState::kLive, 0}));
  must(groups().remove(shop_, "d1", "worker"));
  EXPECT_EQ(states(), "d1.web=live d2.web=launching ");
  must(groups().remove_revision(shop_, "d1"));
  EXPECT_EQ(states(), "d2.web=launching ");
  EXPECT_EQ(must(groups().all()).size(), 2U);
}

}  // namespace
}  // namespace davit
