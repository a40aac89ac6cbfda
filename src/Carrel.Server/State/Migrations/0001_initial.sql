-- Portable SQL: SQLite today, PostgreSQL later. Times are Unix milliseconds.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE workspaces (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    icon_url TEXT,
    deleting BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (account_id, name)
);

-- A key with a workspace may use that workspace only. hash is SHA-256 of the key, hex.
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    workspace_id TEXT REFERENCES workspaces (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

-- secrets: the computer's token and password, encrypted under the installation's key.
CREATE TABLE computers (
    id TEXT PRIMARY KEY,
    instance_id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    name TEXT NOT NULL,
    image TEXT NOT NULL,
    cpu DOUBLE PRECISION NOT NULL,
    ram_gb BIGINT NOT NULL,
    disk_gb BIGINT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    depth BIGINT NOT NULL,
    auto_stop_minutes BIGINT,
    status TEXT NOT NULL,
    status_reason TEXT,
    secrets TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (workspace_id, name)
);

-- Written before the work it names begins; compared with the machines found alive after a crash.
CREATE TABLE operations (
    id TEXT PRIMARY KEY,
    computer_id TEXT NOT NULL REFERENCES computers (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);

CREATE INDEX operations_computer ON operations (computer_id);
