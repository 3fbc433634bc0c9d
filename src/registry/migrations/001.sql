-- Names are the operator's, texts are the backends', times are nanoseconds since 1970. No arguments, no results, no
-- secrets, no commands: those live in the configuration or nowhere. SQLite does not notice a flipped bit inside a text,
-- so whatever is read from servers has a CRC-32 beside it.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (key, value) VALUES ('generation', 0), ('revision', 0);

CREATE TABLE servers (
    name TEXT PRIMARY KEY,
    era TEXT NOT NULL CHECK (era IN ('legacy', 'modern')),
    protocol_version TEXT NOT NULL,
    server_info TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    instructions TEXT,
    read_at INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A table with rowids, so that a start reads it front to back: definitions are too large for an index tree.
CREATE TABLE tools (
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    title TEXT,
    description TEXT NOT NULL,
    definition TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    checksum INTEGER NOT NULL,
    UNIQUE (server, name)
) STRICT;

CREATE TABLE prompts (
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    definition TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (server, position)
) STRICT;

CREATE TABLE resources (
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    definition TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (server, position)
) STRICT;

CREATE TABLE resource_templates (
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    definition TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (server, position)
) STRICT;

CREATE TABLE quarantined (
    server TEXT NOT NULL REFERENCES servers (name) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (server, position)
) STRICT, WITHOUT ROWID;

-- Health, era and use exist for servers that were never read, so they refer to no row of `servers`.
CREATE TABLE health (
    server TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    reason TEXT,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE eras (
    server TEXT PRIMARY KEY,
    era TEXT NOT NULL CHECK (era IN ('legacy', 'modern'))
) STRICT, WITHOUT ROWID;

CREATE TABLE tool_use (
    server TEXT NOT NULL,
    tool TEXT NOT NULL,
    calls INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    result_bytes INTEGER NOT NULL,
    result_tokens INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    PRIMARY KEY (server, tool)
) STRICT, WITHOUT ROWID;

CREATE TABLE search_use (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    searches INTEGER NOT NULL,
    without_match INTEGER NOT NULL,
    reply_tokens INTEGER NOT NULL
) STRICT;

INSERT INTO search_use VALUES (1, 0, 0, 0);

CREATE TABLE changes (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    server TEXT NOT NULL,
    change TEXT NOT NULL
) STRICT;
