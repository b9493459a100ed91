-- What is known of one proxy belongs to a node. Today there is one, on this machine. SQLite cannot change a primary key, so
-- that tables are made anew.

CREATE TABLE nodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    -- Number of good scrapes. The other scrape columns are null before the first.
    scrape_ordinal BIGINT NOT NULL DEFAULT 0,
    -- At the last good scrape: the epoch of the proxy's counters, its uptime, and when it answered.
    scrape_epoch BIGINT,
    scrape_uptime DOUBLE PRECISION,
    scraped_at DATETIME,
    -- The clocks that nobody sets, in seconds, when it answered, and the boot of the machine that they count from.
    scrape_boot TEXT,
    scrape_real DOUBLE PRECISION,
    scrape_running DOUBLE PRECISION
);
-- Its id is 1, the first of a new table.
INSERT INTO nodes (name, scrape_ordinal, scrape_epoch, scrape_uptime, scraped_at, scrape_boot, scrape_real, scrape_running)
SELECT 'local', scrape_ordinal, scrape_epoch, scrape_uptime, scraped_at, scrape_boot, scrape_real, scrape_running
FROM panel_state;
-- What stays is about the database as a whole, such as whether it has ever had users (file_imported).
ALTER TABLE panel_state DROP COLUMN scrape_ordinal;
ALTER TABLE panel_state DROP COLUMN scrape_epoch;
ALTER TABLE panel_state DROP COLUMN scrape_uptime;
ALTER TABLE panel_state DROP COLUMN scraped_at;
ALTER TABLE panel_state DROP COLUMN scrape_boot;
ALTER TABLE panel_state DROP COLUMN scrape_real;
ALTER TABLE panel_state DROP COLUMN scrape_running;

ALTER TABLE usage_meters RENAME TO old_meters;
CREATE TABLE usage_meters (
    node_id INTEGER NOT NULL REFERENCES nodes (id),
    username TEXT NOT NULL,
    last_from BIGINT NOT NULL CHECK (last_from >= 0),
    last_to BIGINT NOT NULL CHECK (last_to >= 0),
    epoch BIGINT NOT NULL,
    lifetime_from BIGINT NOT NULL CHECK (lifetime_from >= 0),
    lifetime_to BIGINT NOT NULL CHECK (lifetime_to >= 0),
    connections BIGINT NOT NULL DEFAULT 0,
    unique_ips BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (node_id, username)
) WITHOUT ROWID;
INSERT INTO usage_meters (node_id, username, last_from, last_to, epoch, lifetime_from, lifetime_to, connections, unique_ips)
SELECT 1, username, last_from, last_to, epoch, lifetime_from, lifetime_to, connections, unique_ips FROM old_meters;
DROP TABLE old_meters;

-- The order to the proxy to close the open connections of a name: its user was deleted or got a new secret, or the
-- database never had the name.
CREATE TABLE session_cuts (
    node_id INTEGER NOT NULL REFERENCES nodes (id),
    username TEXT NOT NULL,
    ordered_at DATETIME NOT NULL,
    -- When a file that holds the cut was written.
    written_at DATETIME,
    -- Whether a scrape that was asked for after the cut has told of the name: no byte of its former user is to come.
    settled BOOLEAN NOT NULL DEFAULT FALSE,
    -- Whether a user of the name was deleted, so that entries of the name in tables which the panel does not manage have to
    -- go from the file.
    user_deleted BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (node_id, username)
) WITHOUT ROWID;
INSERT INTO session_cuts (node_id, username, ordered_at, written_at, settled, user_deleted)
SELECT 1, username, since, cut_at, settled, deleted FROM departed;
DROP TABLE departed;

ALTER TABLE written_files RENAME TO old_files;
CREATE TABLE written_files (
    node_id INTEGER NOT NULL REFERENCES nodes (id),
    digest TEXT NOT NULL,
    written_at DATETIME NOT NULL,
    PRIMARY KEY (node_id, digest)
) WITHOUT ROWID;
INSERT INTO written_files (node_id, digest, written_at) SELECT 1, digest, written_at FROM old_files;
DROP TABLE old_files;
