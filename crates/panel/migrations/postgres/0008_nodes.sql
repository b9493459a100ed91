-- What is known of one proxy belongs to a node. Today there is one, on this machine.

CREATE TABLE nodes (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    -- Number of good scrapes. The other scrape columns are null before the first.
    scrape_ordinal BIGINT NOT NULL DEFAULT 0,
    -- At the last good scrape: the epoch of the proxy's counters, its uptime, and when it answered.
    scrape_epoch BIGINT,
    scrape_uptime DOUBLE PRECISION,
    scraped_at TIMESTAMPTZ,
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
ALTER TABLE panel_state
    DROP COLUMN scrape_ordinal,
    DROP COLUMN scrape_epoch,
    DROP COLUMN scrape_uptime,
    DROP COLUMN scraped_at,
    DROP COLUMN scrape_boot,
    DROP COLUMN scrape_real,
    DROP COLUMN scrape_running;

-- The default fills the rows that exist; new ones say their node.
ALTER TABLE usage_meters
    ADD COLUMN node_id BIGINT NOT NULL DEFAULT 1 REFERENCES nodes (id),
    DROP CONSTRAINT usage_meters_pkey,
    ADD PRIMARY KEY (node_id, username);
ALTER TABLE usage_meters ALTER COLUMN node_id DROP DEFAULT;

-- The order to the proxy to close the open connections of a name: its user was deleted or got a new secret, or the
-- database never had the name.
ALTER TABLE departed RENAME TO session_cuts;
ALTER TABLE session_cuts RENAME COLUMN since TO ordered_at;
-- When a file that holds the cut was written.
ALTER TABLE session_cuts RENAME COLUMN cut_at TO written_at;
ALTER TABLE session_cuts RENAME COLUMN deleted TO user_deleted;
ALTER TABLE session_cuts
    ADD COLUMN node_id BIGINT NOT NULL DEFAULT 1 REFERENCES nodes (id),
    DROP CONSTRAINT departed_pkey,
    ADD PRIMARY KEY (node_id, username);
ALTER TABLE session_cuts ALTER COLUMN node_id DROP DEFAULT;

ALTER TABLE written_files
    ADD COLUMN node_id BIGINT NOT NULL DEFAULT 1 REFERENCES nodes (id),
    DROP CONSTRAINT written_files_pkey,
    ADD PRIMARY KEY (node_id, digest);
ALTER TABLE written_files ALTER COLUMN node_id DROP DEFAULT;
