// Names that users choose, checked once at the door. A name that passed is safe in a path, a DNS label and a
// log.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit {

/// `^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$` without `..`. The error says what is allowed.
Result<> check_app_name(std::string_view name);
/// A host name of a vhost; a leading `*.` is allowed. Lower case expected; at most 253 characters.
Result<> check_domain(std::string_view domain);
/// `^[A-Za-z_][A-Za-z0-9_]*$`.
Result<> check_config_key(std::string_view key);
/// `^[A-Za-z0-9]([A-Za-z0-9_-]{0,62})$`: a Procfile's process type.
Result<> check_process_type(std::string_view type);
/// `^[a-z0-9]([a-z0-9-]{0,62})$`: a plugin's id.
Result<> check_plugin_id(std::string_view id);

/// "OWNER.REVISION.TYPE.N": the id of an instance, e.g. "shop.d17.web.1".
std::string instance_id(std::string_view owner, std::string_view revision, std::string_view type,
                        unsigned number);

}  // namespace davit
