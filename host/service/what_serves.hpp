// What a service is served with: a version that is installed here, or, on a runtime of containers, an image.
#pragma once

#include <string>
#include <string_view>

#include "plugin/capability.hpp"

namespace davit {

/// What was asked for; all may be "".
struct WantedServer {
  std::string runtime;  ///< the host's default
  std::string image;    ///< "postgis/postgis", with or without a tag
  std::string version;  ///< one that is installed, or the image's tag
};

struct WhatServes {
  std::string runtime, version;  ///< as records have them: store/services.hpp, kImagePrefix
};

/// On containers, what says neither image nor version gets the image that is made of the kind's Debian
/// packages; it is made if it is not there. A kind that knows of no image is served on the machine.
/// `present`: the version of what is replaced, whose image counts if only another version is asked for; or
/// "".
Result<WhatServes> choose_server(Capabilities& capabilities, std::string_view kind,
                                 const WantedServer& wanted, std::string_view present,
                                 const CallContext& context);

/// Whether a record's version is one of this machine's packages: as a process, or the image made of them.
bool is_made_here(std::string_view version);

/// Makes that image anew. kUnavailable if the runtime or the kind knows none.
Result<std::string> make_service_image(Capabilities& capabilities, std::string_view kind,
                                       const std::string& runtime, bool anew, const CallContext& context);

}  // namespace davit
