-- Every token of a session begins with the session's family, so that one that is long replaced still names the session
-- that it must end. Sessions of the older form end: every browser logs in once more.

DROP TABLE sessions;
CREATE TABLE sessions (
    -- Drawn at random: a stranger who could guess it could end sessions.
    family TEXT PRIMARY KEY NOT NULL,
    admin_id INTEGER NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL,
    previous_hash TEXT,
    rotated_at DATETIME NOT NULL,
    created_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_admin_id ON sessions (admin_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);
