// Schema 4: what of the services' trash a sweep found due. Never edited.
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
)sql";

}  // namespace davit
