// The question before something is destroyed.
#include "commands/confirm.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace davit {

Result<> confirm(Session& session, const std::string& name, const std::string& consequence) {
  if (session.context.force) return {};
  session.out().warning("WARNING: Potentially Destructive Action");
  session.out().warning(consequence);
  session.out().warning(fmt::format("To proceed, type \"{}\"", name));
  if (session.where().in_terminal) session.out().result("> ");
  session.parts().flush();
  if (trim(session.parts().read_line()) == name) return {};
  return fail(Code::kCancelled, fmt::format("Confirmation did not match {}. Aborted.", name),
              "Type the name, or give --force");
}

}  // namespace davit
