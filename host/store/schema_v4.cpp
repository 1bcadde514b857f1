// Schema 4: what of the services' trash a sweep found due, why data are kept, and the backups that were
// taken. Never edited.
#include "store/migrations.hpp"

namespace davit {

const char* const kSchemaV4 = R"sql(
-- It is removed by a later sweep: a clock that jumps must not empty the trash.
CREATE TABLE service_due (
  service    INTEGER NOT NULL REFERENCES services(id) ON DELETE CASCADE,
  generation INTEGER NOT NULL,  -- 0: the whole service
  seen_at_ms INTEGER NOT NULL,  -- when it was first found due
  PRIMARY KEY (service, generation)
) STRICT, WITHOUT ROWID;

ALTER TABLE service_generations ADD COLUMN retired_by TEXT NOT NULL DEFAULT '';  -- import, upgrade, ...

-- Retention removes only files that stand here.
CREATE TABLE service_backups (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which they were taken: clocks jump
  service INTEGER NOT NULL REFERENCES services(id) ON DELETE CASCADE,
  path    TEXT NOT NULL UNIQUE                -- of the dump
) STRICT;
CREATE INDEX service_backups_service ON service_backups (service, id);
)sql";

}  // namespace davit
