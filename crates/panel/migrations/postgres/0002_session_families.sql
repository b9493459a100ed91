-- Every token of a session names its family and its generation, so that one that is long replaced still names the session
-- that it must end. Sessions of the older form end: every browser logs in once more.

DROP TABLE sessions;
CREATE TABLE sessions (
    -- Drawn at random, so that a restored database never gives it again.
    family TEXT PRIMARY KEY NOT NULL,
    admin_id BIGINT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    -- How often the token was replaced.
    generation BIGINT NOT NULL DEFAULT 0,
    rotated_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_admin_id ON sessions (admin_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);
