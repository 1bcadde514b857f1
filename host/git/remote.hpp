// Another repository, as far as git:sync goes: one of its refs is fetched into an app's repository.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "git/git_command.hpp"

namespace davit {

struct FetchedRef {
  std::string revision;  ///< the commit
  std::string branch;    ///< if what was asked for is a branch of the remote: its name
};

struct FetchSpec {
  std::string url;  ///< https, http, ssh, git; HOST:PATH; with `local_too`, a path or file://
  std::string ref;  ///< a branch, a tag or a commit; "": the remote's HEAD
  bool local_too = false;
};

/// kInvalid: no URL that may be fetched, or no name of a ref.
Result<> check_fetch(const FetchSpec& spec);

/// Fetches and resolves; moves no branch. user:password of an http URL never appear on a command line.
/// kFailed with git's last line, and a hint. Errors never name the password.
Result<FetchedRef> fetch_ref(const GitCommand& git, ProcessRunner& processes, const FetchSpec& spec);

/// A URL without user:password, for people.
std::string shown_url(std::string_view url);

}  // namespace davit
