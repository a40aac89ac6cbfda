-- A plan's limit that is NULL is none. cpu in CPUs, ram and disk in GB; max_ of one computer, total_ of all of an account.
CREATE TABLE plans (
    name TEXT PRIMARY KEY,
    max_computers BIGINT,
    max_cpu DOUBLE PRECISION,
    max_ram_gb BIGINT,
    max_disk_gb BIGINT,
    total_cpu DOUBLE PRECISION,
    total_ram_gb BIGINT,
    total_disk_gb BIGINT,
    templates_allowed BIGINT NOT NULL DEFAULT 1,
    rate_limit_per_minute BIGINT,
    max_api_keys BIGINT
);

INSERT INTO plans (name) VALUES ('unlimited');

ALTER TABLE accounts ADD COLUMN plan TEXT NOT NULL DEFAULT 'unlimited';

-- A user's id is that of the account they own; what others share with them stands in workspace_members. password: a PHC-like string
-- of a slow hash, NULL until one is set. link_hash: SHA-256 of the one-time token with which a password can be set.
CREATE TABLE users (
    id TEXT PRIMARY KEY REFERENCES accounts (id),
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password TEXT,
    disabled BIGINT NOT NULL DEFAULT 0,
    link_hash TEXT UNIQUE,
    link_expires_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Installations from before there were users have one account, called admin.
INSERT INTO users (id, email, name, role, created_at, updated_at)
SELECT id, CASE WHEN name = 'admin' THEN 'admin@localhost' ELSE id || '@localhost' END, name,
       CASE WHEN name = 'admin' THEN 'operator' ELSE 'user' END, created_at, created_at
FROM accounts;

-- The owner of a workspace is its account, and not among these.
CREATE TABLE workspace_members (
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);

CREATE INDEX workspace_members_user ON workspace_members (user_id);

-- prefix: the first characters of the key, to tell it apart; empty for keys from before it was kept.
ALTER TABLE api_keys ADD COLUMN prefix TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN expires_at BIGINT;
ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT;

-- hash: SHA-256 of the cookie. A session that was begun with a key ends with that key.
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    key_id TEXT REFERENCES api_keys (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- A workspace that was made for somebody's customer, with what it may hold.
CREATE TABLE clients (
    workspace_id TEXT PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    external_id TEXT NOT NULL,
    max_computers BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (account_id, external_id)
);

-- Who did what. Ids sort by time. account_id and actor are who asked, owner_id is whose workspace it was about; nothing refers to other
-- tables, because what is written here outlives them.
CREATE TABLE audit_log (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    account_id TEXT,
    actor TEXT,
    key_id TEXT,
    session_id TEXT,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    method TEXT NOT NULL,
    target_kind TEXT,
    target_id TEXT,
    workspace_id TEXT,
    owner_id TEXT,
    status BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    details TEXT
);

CREATE INDEX audit_log_at ON audit_log (at);
CREATE INDEX audit_log_account ON audit_log (account_id, id);
CREATE INDEX audit_log_owner ON audit_log (owner_id, id);
