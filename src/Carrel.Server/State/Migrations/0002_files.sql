-- Files of a workspace; their contents are in the data folder under their ids. computer_id says which computer a file was
-- meant for or came from, and stays when that computer is gone.
CREATE TABLE files (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    computer_id TEXT,
    filename TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    source TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX files_workspace ON files (workspace_id);

-- Which uploads a computer has been given, so that it is given none twice.
CREATE TABLE file_deliveries (
    file_id TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    computer_id TEXT NOT NULL REFERENCES computers (id) ON DELETE CASCADE,
    delivered_at BIGINT NOT NULL,
    PRIMARY KEY (file_id, computer_id)
);
