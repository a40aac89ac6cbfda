-- stream_key: encrypted under the installation's key; NULL where there is none.
CREATE TABLE stream_connections (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    stream_key TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (account_id, name)
);

-- status: recording, finishing, finished, interrupted (waits for its computer to run), failed, or deleting (hidden; only what
-- is left of it inside its computer has yet to go).
CREATE TABLE recordings (
    id TEXT PRIMARY KEY,
    computer_id TEXT NOT NULL REFERENCES computers (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    fps BIGINT NOT NULL,
    audio BIGINT NOT NULL,
    redact BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    duration_ms BIGINT,
    size_bytes BIGINT,
    actions BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX recordings_computer ON recordings (computer_id);
