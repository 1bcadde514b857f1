// Default names, APP.DOMAIN of each global domain, are in no table: they are computed, and must be free all
// the same. What is refused for their sake; the functions write nothing. Threads: those of the Store.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"

namespace davit {

/// None of `domains`, which the app is about to have, is the default name of another app: Conflict
/// "domain-taken".
Result<> refuse_default_names(Store& store, const App& app, const std::vector<std::string>& domains);

/// None of `hosts`, by which the app is about to answer, is a domain of another app: Conflict "domain-taken".
Result<> refuse_taken(Store& store, const App& app, const std::vector<std::string>& hosts);

/// The same of every app, for these global domains.
Result<> refuse_taken(Store& store, const std::vector<std::string>& globals);

/// Without a name of its own an app has its default one again: taking just that away would do nothing, and is
/// Invalid "default-domain".
Result<> refuse_to_return(Store& store, const App& app, const std::vector<std::string>& removed);

}  // namespace davit
