-- status: creating (a crash makes it never have been), ready, or deleting. The contents are on the host, by id.
CREATE TABLE snapshots (
    id TEXT PRIMARY KEY,
    computer_id TEXT NOT NULL REFERENCES computers (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT,
    status TEXT NOT NULL,
    image TEXT NOT NULL,
    image_digest TEXT,
    cpu DOUBLE PRECISION NOT NULL,
    ram_gb BIGINT NOT NULL,
    disk_gb BIGINT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    depth BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX snapshots_computer ON snapshots (computer_id);

-- What an operation is about beside its computer: the snapshot that is restored.
ALTER TABLE operations ADD COLUMN subject TEXT;
