-- auto_start, starred: 0 or 1.
ALTER TABLE computers ADD COLUMN auto_start BIGINT NOT NULL DEFAULT 0;
ALTER TABLE computers ADD COLUMN starred BIGINT NOT NULL DEFAULT 0;

-- Operations outlive their computer, so that whoever deletes one, or asks for one that fails, can ask how it went.
-- status: queued, running, succeeded, failed or needs_review.
CREATE TABLE operations_that_stay (
    id TEXT PRIMARY KEY,
    computer_id TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT,
    status TEXT NOT NULL,
    error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);

INSERT INTO operations_that_stay (id, computer_id, instance_id, account_id, workspace_id, kind, subject, status, error, created_at, finished_at)
SELECT o.id, c.id, c.instance_id, w.account_id, w.id, o.kind, o.subject, o.status, o.error, o.created_at, o.finished_at
FROM operations o JOIN computers c ON c.id = o.computer_id JOIN workspaces w ON w.id = c.workspace_id;

DROP TABLE operations;
ALTER TABLE operations_that_stay RENAME TO operations;
CREATE INDEX operations_computer ON operations (computer_id);

-- What was answered to a request with an Idempotency-Key. request: hash of what was asked. made: what the request makes, written
-- before it is made, so that an answer that a crash swallowed can be given after it. answer: encrypted; NULL until there is one.
CREATE TABLE idempotency_keys (
    caller TEXT NOT NULL,
    name TEXT NOT NULL,
    request TEXT NOT NULL,
    made TEXT,
    answer TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (caller, name)
);
