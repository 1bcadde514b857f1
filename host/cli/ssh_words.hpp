// What a client asked for over ssh (SSH_ORIGINAL_COMMAND), taken apart without a shell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace davit {

/// Words as a POSIX shell would split them, with quotes and backslashes, and nothing else: no variable, no
/// pattern, no operator means anything (a bare `;` or `|` is an ordinary character of a word). Invalid: an
/// open quote, a NUL or more than 128 KiB.
Result<std::vector<std::string>> split_ssh_command(std::string_view text);

/// A git service that ssh clients ask for: `git-receive-pack '/shop.git'`.
struct GitRequest {
  std::string service;  ///< "git-receive-pack", "git-upload-pack" or "git-upload-archive"
  std::string app;      ///< checked by the caller
};

bool is_git_request(const std::vector<std::string>& words);
/// The app of "APP", "/APP" and "~/APP", each also with ".git" or a "/" behind it; further slashes around it
/// mean nothing. Invalid for other paths. Whether that is an app's name is the caller's to check.
Result<GitRequest> git_request(const std::vector<std::string>& words);

}  // namespace davit
