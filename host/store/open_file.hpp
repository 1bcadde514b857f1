// Opening the store's file: who may, how, and what to say when it cannot be. Private to host/store.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.hpp"
#include "store/database.hpp"
#include "store/store.hpp"

namespace davit {

/// A connection that is ready for its mode and has a schema that this program knows.
Result<std::unique_ptr<Database>> open_database(const std::filesystem::path& file, StoreMode mode,
                                                const StoreOptions& options);

}  // namespace davit
