// From slugs to images: the stack, on it a layer with the app user (the base), on that a layer with the slug
// at /app. Each is tagged by what it is made of, so that nothing is made twice.
#pragma once

#include <set>
#include <string>

#include "davit/payloads.hpp"
#include "parts.hpp"
#include "stacks.hpp"

namespace davit::docker_plugin {

/// How an image wants to be run.
struct RunnableImage {
  std::string reference;            ///< id or tag
  sdk::Strings entrypoint;          ///< of an image artifact
  sdk::Strings command;             ///< its own, for when there is no other
  bool as_it_is = false;            ///< an image artifact: its own user and working directory
  std::set<std::uint32_t> exposed;  ///< tcp ports
  int stop_signal = 0;              ///< 0: SIGTERM
};

/// The number of "SIGQUIT", "QUIT", "3" or "SIGRTMIN+3"; 0 for what is none. Pure.
int signal_number(const std::string& text);

class Images {
 public:
  Images(const Base& base, Stacks& stacks) : base_(base), stacks_(stacks) {}

  /// For a group or task of `owner`; `artifact` may be absent (the bare stack).
  RunnableImage runnable(const sdk::Call& call, const std::string& owner,
                         const std::optional<sdk::Artifact>& artifact, const RunUser& user);
  /// To be called when a build begins: slugs made after this belong on the stack of now.
  void note_build(const sdk::Call& call, const std::string& owner);
  /// The id of the stack that the owner's last build ran on; "" if there was none.
  [[nodiscard]] std::string built_on(const std::string& owner) const;
  /// Removes images of slugs whose file is gone, and what stood on a stack that was made anew; never what a
  /// container uses.
  void sweep(const sdk::Call& call);
  /// system.collect: images of slugs and of Dockerfiles that no release needs and no container has are
  /// listed, and removed unless it is a dry run. What was made meanwhile is not looked at.
  void collect(const sdk::Call& call, const sdk::CollectEvent& event);

 private:
  std::string base_image(const sdk::Call& call, const std::string& stack_id, const RunUser& user);
  std::string slug_image(const sdk::Call& call, const std::string& owner, const sdk::Artifact& slug,
                         const RunUser& user);
  std::string stack_for(const sdk::Call& call, const std::string& owner, const sdk::Artifact& slug);
  RunnableImage as_it_is(const sdk::Call& call, const sdk::Artifact& artifact);
  std::string commit(const sdk::Call& call, const std::string& container, const std::string& repository,
                     const std::string& tag, const Json& config);
  std::string scratch_container(const sdk::Call& call, const std::string& image);
  std::string file_of(const sdk::Call& call, const std::string& container, const std::string& path);
  void put(const sdk::Call& call, const std::string& container, const std::string& path,
           const BodySource& source);
  void unpack(const sdk::Call& call, const std::string& container, const sdk::Artifact& slug,
              const RunUser& user);
  [[nodiscard]] bool is_ours(const Json& image, const char* kind) const;
  bool remove_image(const sdk::Call& call, const std::string& reference);
  [[nodiscard]] std::string repository(const char* kind) const;

  const Base& base_;
  Stacks& stacks_;
};

/// The tcp ports that an image's "Config" exposes. Pure.
std::set<std::uint32_t> exposed_ports(const Json& config);
/// /etc/passwd or /etc/group with a line for the app user, if its number is not taken. Pure.
std::string with_account(std::string text, const std::string& number, const std::string& line);

}  // namespace davit::docker_plugin
