// What the engine is and whether it will do: for describe() and `davit doctor`.
#pragma once

#include "davit/commands.hpp"
#include "parts.hpp"
#include "stacks.hpp"

namespace davit::docker_plugin {

sdk::Pairs describe_engine(const sdk::Call& call, const Base& base);
void examine_engine(const sdk::Call& call, const sdk::Findings& findings, const Base& base, Stacks& stacks);

}  // namespace davit::docker_plugin
