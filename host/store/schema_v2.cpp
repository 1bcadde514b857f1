// Schema 2: mounts of persistent storage, and apps that change their name while they run. Never edited.
#include "store/migrations.hpp"

namespace davit {

const char* const kSchemaV2 = R"sql(
CREATE TABLE mounts (
  app       INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  target    TEXT NOT NULL,               -- absolute, inside
  source    TEXT NOT NULL,               -- a name below storage/, or an absolute path of the host
  read_only INTEGER NOT NULL DEFAULT 0,
  shared    INTEGER NOT NULL DEFAULT 0,  -- two releases at once may have it
  confined  INTEGER NOT NULL DEFAULT 0,  -- asked for over ssh: no link may lead out of its place
  PRIMARY KEY (app, target)
) STRICT, WITHOUT ROWID;

-- An app that is being renamed has this name too: nobody else may take it.
ALTER TABLE apps ADD COLUMN next_name TEXT;
CREATE UNIQUE INDEX apps_next_name ON apps (next_name) WHERE next_name IS NOT NULL;

-- Instances keep the name under which they were launched, and the mounts that they got.
ALTER TABLE live_groups ADD COLUMN owner TEXT NOT NULL DEFAULT '';
UPDATE live_groups SET owner = (SELECT name FROM apps WHERE apps.id = live_groups.app);
ALTER TABLE live_groups ADD COLUMN mounts_json TEXT NOT NULL DEFAULT '';
)sql";

}  // namespace davit
