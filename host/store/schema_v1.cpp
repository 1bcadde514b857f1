// Schema 1: the first release's. Never edited: tests/unit/store/fixtures holds a store made by it.
//
// Row 0 of apps, with the empty name that no app can have, stands for the global scope: so one foreign key
// and one primary key serve both an app's settings and the global ones.
#include "store/migrations.hpp"

namespace davit {

const char* const kSchemaV1 = R"sql(
PRAGMA application_id = 1684107892;  -- "davt"

CREATE TABLE apps (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: history outlives an app
  name            TEXT NOT NULL UNIQUE,
  created_at_ms   INTEGER NOT NULL,
  locked_at_ms    INTEGER,
  domains_enabled INTEGER NOT NULL DEFAULT 1,
  last_version    INTEGER NOT NULL DEFAULT 0,         -- of its releases
  last_live_seq   INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO apps (id, name, created_at_ms) VALUES (0, '', 0);

CREATE TABLE properties (
  scope INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  grp   TEXT NOT NULL,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (scope, grp, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX properties_by_key ON properties (grp, key);

CREATE TABLE list_items (
  scope    INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  grp      TEXT NOT NULL,
  key      TEXT NOT NULL,
  position INTEGER NOT NULL,
  value    TEXT NOT NULL,
  PRIMARY KEY (scope, grp, key, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE config (
  scope INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  key   TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE domains (
  scope    INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  domain   TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (scope, domain)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX domains_owner ON domains (domain) WHERE scope <> 0;

CREATE TABLE formation (
  app          INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  process_type TEXT NOT NULL,
  quantity     INTEGER NOT NULL,
  PRIMARY KEY (app, process_type)
) STRICT, WITHOUT ROWID;

CREATE TABLE releases (
  id              INTEGER PRIMARY KEY,
  app             INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  version         INTEGER NOT NULL,
  state           TEXT NOT NULL CHECK (state IN ('pending', 'live', 'superseded', 'failed')),
  created_at_ms   INTEGER NOT NULL,
  last_live_at_ms INTEGER,
  live_seq        INTEGER,           -- order in which releases became live; null: never was
  artifact_kind   TEXT NOT NULL CHECK (artifact_kind IN ('none', 'slug', 'image')),
  artifact_ref    TEXT NOT NULL,
  artifact_digest TEXT NOT NULL,
  artifact_size_bytes INTEGER NOT NULL,
  revision        TEXT NOT NULL,
  source          TEXT NOT NULL,
  runtime         TEXT NOT NULL,
  builder         TEXT NOT NULL,
  stack           TEXT NOT NULL,
  checks_json     TEXT NOT NULL,
  formation       BLOB NOT NULL,     -- packed (store/packed.hpp): recorded, never searched
  domains         BLOB NOT NULL,     -- packed
  description     TEXT NOT NULL,
  actor           TEXT NOT NULL,
  UNIQUE (app, version)
) STRICT;
CREATE UNIQUE INDEX releases_live ON releases (app) WHERE state = 'live';

CREATE TABLE release_config (
  release INTEGER NOT NULL REFERENCES releases(id) ON DELETE CASCADE,
  key     TEXT NOT NULL,
  value   BLOB NOT NULL,
  PRIMARY KEY (release, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE release_processes (
  release      INTEGER NOT NULL REFERENCES releases(id) ON DELETE CASCADE,
  position     INTEGER NOT NULL,
  process_type TEXT NOT NULL,
  command      TEXT NOT NULL,
  launcher     BLOB NOT NULL,        -- packed argv
  extras_json  TEXT NOT NULL,
  PRIMARY KEY (release, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE deployments (
  number           INTEGER PRIMARY KEY AUTOINCREMENT,
  app              INTEGER NOT NULL,  -- no reference: history outlives an app
  app_name         TEXT NOT NULL,
  kind             TEXT NOT NULL,
  state            TEXT NOT NULL CHECK (state IN ('queued', 'running', 'committed', 'draining', 'done', 'failed',
                                                  'undone', 'cancelled', 'stuck')),
  phase            TEXT NOT NULL DEFAULT '',
  request_json     TEXT NOT NULL,
  actor            TEXT NOT NULL,
  from_version     INTEGER,
  to_version       INTEGER,
  owner_boot_id    TEXT,
  owner_pid        INTEGER,
  owner_start_time INTEGER,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  error_slug       TEXT,
  error_message    TEXT,              -- null: no error
  error_hint       TEXT,
  error_plugin     TEXT,
  created_at_ms    INTEGER NOT NULL,
  started_at_ms    INTEGER,
  committed_at_ms  INTEGER,
  finished_at_ms   INTEGER            -- null: unfinished or stuck
) STRICT;
CREATE INDEX deployments_by_app ON deployments (app, number);
CREATE INDEX deployments_open ON deployments (app, number) WHERE finished_at_ms IS NULL;

CREATE TABLE steps (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  deployment     INTEGER NOT NULL REFERENCES deployments(number) ON DELETE CASCADE,
  seq            INTEGER NOT NULL,
  phase          TEXT NOT NULL,
  plugin         TEXT NOT NULL,
  hook           TEXT NOT NULL,
  version        TEXT NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('prepared', 'applying', 'applied', 'undoing', 'undone', 'failed',
                                                'finished')),
  token          BLOB NOT NULL CHECK (length(token) <= 65536),
  undo_attempts  INTEGER NOT NULL DEFAULT 0,
  started_at_ms  INTEGER NOT NULL,
  finished_at_ms INTEGER,
  note           TEXT NOT NULL,
  UNIQUE (deployment, seq),
  UNIQUE (deployment, phase, plugin, hook)
) STRICT;

CREATE TABLE live_groups (
  app             INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  revision        TEXT NOT NULL,
  process_type    TEXT NOT NULL,
  release_version INTEGER NOT NULL,
  runtime         TEXT NOT NULL,
  count           INTEGER NOT NULL,
  state           TEXT NOT NULL CHECK (state IN ('launching', 'live', 'draining', 'stopping')),
  since_ms        INTEGER NOT NULL,
  PRIMARY KEY (app, revision, process_type)
) STRICT, WITHOUT ROWID;

CREATE TABLE ports (
  port           INTEGER PRIMARY KEY,
  owner          TEXT,                -- null: released, or found in use by a stranger
  leased_at_ms   INTEGER NOT NULL,
  released_at_ms INTEGER              -- the longest free is given out first
) STRICT;
CREATE INDEX ports_by_owner ON ports (owner, port);
CREATE INDEX ports_free ON ports (released_at_ms, port) WHERE owner IS NULL;

CREATE TABLE plugin_kv (
  plugin TEXT NOT NULL,
  scope  INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
  key    TEXT NOT NULL,
  value  BLOB NOT NULL,
  PRIMARY KEY (plugin, scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX plugin_kv_by_scope ON plugin_kv (scope);  -- for the cascade
)sql";

}  // namespace davit
