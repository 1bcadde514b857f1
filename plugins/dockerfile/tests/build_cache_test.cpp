// What is read of the classic builder's words.
#include "build_cache.hpp"

#include <gmock/gmock.h>

namespace davit::dockerfile {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

BuildSteps read_all(const std::vector<std::string>& messages) {
  BuildSteps steps;
  for (const std::string& message : messages) steps.read(message);
  return steps;
}

TEST(BuildSteps, WhatItMadeIsWhatIsNotTheBaseAndNotFromTheCache) {
  const auto steps =
      read_all({"Step 1/4 : FROM a", "\n", " ---> 000000000001\n", "Step 2/4 : COPY x y",
                " ---> Using cache\n", " ---> 000000000002\n", "Step 3/4 : RUN make",
                " ---> Running in aaaaaaaaaaaa\n", "made\n", "Removing intermediate container aaaaaaaaaaaa\n",
                " ---> 000000000003\n", "Step 4/4 : RUN false", " ---> Running in bbbbbbbbbbbb\n"});
  EXPECT_THAT(steps.tops(), ElementsAre("000000000003"));
  EXPECT_THAT(steps.named(), ElementsAre("000000000001", "000000000002", "000000000003"));
  EXPECT_EQ(steps.container(), "bbbbbbbbbbbb");
}

TEST(BuildSteps, EachStageHasATop) {
  const auto steps = read_all({"Step 1/4 : FROM a AS one", " ---> 000000000001\n", "Step 2/4 : COPY x y",
                               " ---> 000000000002\n", "Step 3/4 : FROM b", " ---> 000000000003\n",
                               "Step 4/4 : COPY --from=one y z", " ---> 000000000004\n"});
  EXPECT_THAT(steps.tops(), ElementsAre("000000000002", "000000000004"));
  EXPECT_THAT(read_all({"Step 1/1 : FROM a", " ---> 000000000001\n"}).tops(), IsEmpty());
}

TEST(BuildSteps, AStepsOwnOutputIsNotTheBuilders) {
  const auto steps =
      read_all({"Step 1/2 : FROM a", " ---> 000000000001\n", "Step 2/2 : RUN lie",
                " ---> Running in aaaaaaaaaaaa\n", " ---> 00000000beef\n", "Step 3/9 : FROM x",
                "Removing intermediate container cccccccccccc\n", " ---> Running in bbbbbbbbbbbb\n"});
  EXPECT_THAT(steps.tops(), IsEmpty());
  EXPECT_THAT(steps.named(), ElementsAre("000000000001"));
  EXPECT_EQ(steps.container(), "aaaaaaaaaaaa");
}

}  // namespace
}  // namespace davit::dockerfile
