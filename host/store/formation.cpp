// Formation.
#include "store/formation.hpp"

#include "base/ids.hpp"
#include "store/database.hpp"

namespace davit {

Result<Quantities> Formation::get(AppId app) {
  Quantities quantities;
  DAVIT_TRY(database_.each(
      "SELECT process_type, quantity FROM formation WHERE app = ?1",
      [&](Row row) { quantities.insert_or_assign(row.text(0), static_cast<std::uint32_t>(row.integer(1))); },
      app));
  return quantities;
}

Result<> Formation::set_many(AppId app, const Quantities& quantities) {
  for (const auto& [type, quantity] : quantities) DAVIT_TRY(check_process_type(type));
  return database_.transaction([&]() -> Result<> {
    for (const auto& [type, quantity] : quantities) {
      DAVIT_TRY(
          database_.run("INSERT INTO formation (app, process_type, quantity) VALUES (?1, ?2, ?3) "
                        "ON CONFLICT DO UPDATE SET quantity = excluded.quantity",
                        app, type, quantity));
    }
    return {};
  });
}

Result<> Formation::replace(AppId app, const Quantities& quantities) {
  return database_.transaction([&]() -> Result<> {
    DAVIT_TRY(database_.run("DELETE FROM formation WHERE app = ?1", app));
    return set_many(app, quantities);
  });
}

}  // namespace davit
