-- Specification section 3 and design section 4. Times are UTC, bytes 64-bit integers.

CREATE TABLE admins (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username TEXT NOT NULL,
    hashed_password TEXT NOT NULL,
    is_sudo BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TIMESTAMPTZ NOT NULL,
    -- Raised whenever older tokens must become void.
    token_epoch BIGINT NOT NULL DEFAULT 0,
    last_login_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX admins_username ON admins (lower(username));

CREATE TABLE users (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username TEXT NOT NULL CHECK (length(username) BETWEEN 3 AND 32),
    secret TEXT NOT NULL CHECK (length(secret) = 32),
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled', 'limited', 'expired')),
    data_limit BIGINT CHECK (data_limit >= 1),
    data_used BIGINT NOT NULL DEFAULT 0 CHECK (data_used >= 0),
    max_connections BIGINT CHECK (max_connections >= 1),
    max_unique_ips BIGINT CHECK (max_unique_ips >= 1),
    expire_at TIMESTAMPTZ,
    note TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL,
    created_by_admin_id BIGINT REFERENCES admins (id) ON DELETE SET NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ,
    -- The name's lifetime total when usage was last reset; NULL until the sessions of an earlier owner of the name
    -- are known to be cut.
    usage_base BIGINT CHECK (usage_base >= 0),
    reset_strategy TEXT NOT NULL DEFAULT 'none' CHECK (reset_strategy IN ('none', 'daily', 'weekly', 'monthly')),
    next_reset_at TIMESTAMPTZ,
    -- The revision (see panel_state) that changed this row last: copies in memory ask for what is newer than theirs.
    revision BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX users_username ON users (lower(username));
CREATE INDEX users_status_expire_at ON users (status, expire_at);
CREATE INDEX users_next_reset_at ON users (next_reset_at) WHERE next_reset_at IS NOT NULL;
CREATE INDEX users_unsettled ON users (id) WHERE usage_base IS NULL;
CREATE INDEX users_created_by_admin_id ON users (created_by_admin_id);

-- By name, not by user: the proxy's counters outlive a user and go on for the next one of the same name.
CREATE TABLE usage_meters (
    username TEXT PRIMARY KEY NOT NULL,
    last_from BIGINT NOT NULL CHECK (last_from >= 0),
    last_to BIGINT NOT NULL CHECK (last_to >= 0),
    epoch BIGINT NOT NULL,
    lifetime_from BIGINT NOT NULL CHECK (lifetime_from >= 0),
    lifetime_to BIGINT NOT NULL CHECK (lifetime_to >= 0),
    connections BIGINT NOT NULL DEFAULT 0,
    unique_ips BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE departed (
    username TEXT PRIMARY KEY NOT NULL,
    since TIMESTAMPTZ NOT NULL,
    -- When a file that cuts the name's sessions was written.
    cut_at TIMESTAMPTZ
);

CREATE TABLE traffic_logs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    octets_from BIGINT NOT NULL CHECK (octets_from >= 0),
    octets_to BIGINT NOT NULL CHECK (octets_to >= 0),
    recorded_at TIMESTAMPTZ NOT NULL
);
-- Not with the time, which would triple it: a scrape writes to it all over. A user has ten thousand rows at most.
CREATE INDEX traffic_logs_user ON traffic_logs (user_id);
CREATE INDEX traffic_logs_recorded_at ON traffic_logs (recorded_at);

-- Everybody's traffic, one row a scrape: the totals stay when a user is deleted.
CREATE TABLE traffic_totals (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    octets_from BIGINT NOT NULL CHECK (octets_from >= 0),
    octets_to BIGINT NOT NULL CHECK (octets_to >= 0),
    recorded_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX traffic_totals_recorded_at ON traffic_totals (recorded_at);

CREATE TABLE system_stats (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uptime DOUBLE PRECISION NOT NULL,
    total_connections BIGINT NOT NULL,
    bad_connections BIGINT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX system_stats_recorded_at ON system_stats (recorded_at);

-- One row. The scrape columns are null before the first good scrape.
CREATE TABLE panel_state (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- Raised by every transaction that changes a user.
    revision BIGINT NOT NULL,
    -- Whether the users of the file that was there before the panel have been taken over.
    file_imported BOOLEAN NOT NULL DEFAULT FALSE,
    -- Number of good scrapes; ordinal of the epoch of the proxy's counters, its uptime and the moment of its answer at
    -- the last one.
    scrape_ordinal BIGINT NOT NULL DEFAULT 0,
    scrape_epoch BIGINT,
    scrape_uptime DOUBLE PRECISION,
    scraped_at TIMESTAMPTZ,
    -- Rows before these times are rolled up.
    hours_rolled_until TIMESTAMPTZ,
    days_rolled_until TIMESTAMPTZ
);
INSERT INTO panel_state (id, revision) VALUES (1, 0);

CREATE TABLE sessions (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    admin_id BIGINT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    previous_hash TEXT UNIQUE,
    rotated_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_admin_id ON sessions (admin_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Append-only. Names and not references, so that it says the same after a deletion.
CREATE TABLE audit_log (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    actor TEXT NOT NULL,
    address TEXT,
    action TEXT NOT NULL,
    target TEXT,
    before TEXT,
    after TEXT
);
CREATE INDEX audit_log_target ON audit_log (lower(target));
CREATE INDEX audit_log_actor ON audit_log (lower(actor));
CREATE INDEX audit_log_action ON audit_log (action);
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- SQLite's json_each takes text and gives keys and values; with this one, batched statements have the same text on
-- both engines.
CREATE FUNCTION json_each(rows TEXT) RETURNS TABLE (key TEXT, value JSON) LANGUAGE sql IMMUTABLE AS $$
    SELECT element.key, element.value FROM pg_catalog.json_each(rows::JSON) AS element
$$;

-- The one form of SQLite's strftime that statements use, strftime('%Y-%m-%dT%H:%M:%S+00:00', seconds, 'unixepoch'), with
-- which times can travel in such batches as well.
CREATE FUNCTION strftime(format TEXT, seconds BIGINT, modifier TEXT) RETURNS TIMESTAMPTZ LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT to_timestamp(seconds)
$$;
