// Schema 3: data services, the generations of their data, and which apps use them. Never edited.
#include "store/migrations.hpp"

namespace davit {

const char* const kSchemaV3 = R"sql(
CREATE TABLE services (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: folders and ports are named after it
  kind            TEXT NOT NULL,
  name            TEXT NOT NULL,
  created_at_ms   INTEGER NOT NULL,
  destroyed_at_ms INTEGER,                            -- in the trash since
  runtime         TEXT NOT NULL,
  state           TEXT NOT NULL,                      -- what is wanted: running, stopped, paused
  port            INTEGER NOT NULL,                   -- leased for its life
  exposed_port    INTEGER NOT NULL DEFAULT 0,
  generation      INTEGER NOT NULL DEFAULT 0,         -- the one that serves; 0: its creation is not over
  last_generation INTEGER NOT NULL DEFAULT 0,
  scheme          TEXT NOT NULL,
  alias           TEXT NOT NULL,
  username        TEXT NOT NULL,
  password        TEXT NOT NULL,
  database        TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX services_by_name ON services (kind, name) WHERE destroyed_at_ms IS NULL;

CREATE TABLE service_generations (
  service       INTEGER NOT NULL REFERENCES services(id) ON DELETE CASCADE,
  number        INTEGER NOT NULL,
  version       TEXT NOT NULL,       -- of the server
  made_at_ms    INTEGER NOT NULL,
  made_by       TEXT NOT NULL,       -- create, import, upgrade, ...
  retired_at_ms INTEGER,             -- another one serves since
  PRIMARY KEY (service, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE service_settings (
  service INTEGER NOT NULL REFERENCES services(id) ON DELETE CASCADE,
  key     TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (service, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE service_links (
  app           INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  service       INTEGER NOT NULL REFERENCES services(id) ON DELETE RESTRICT,
  alias         TEXT NOT NULL,       -- of the variable, without _URL
  querystring   TEXT NOT NULL DEFAULT '',
  host_style    INTEGER NOT NULL DEFAULT 0,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (app, service)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX service_links_alias ON service_links (app, alias);
CREATE INDEX service_links_service ON service_links (service);

-- Where the home is root's, each kind runs as a uid of its own.
CREATE TABLE service_kinds (
  kind   TEXT NOT NULL PRIMARY KEY,
  number INTEGER NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace davit
