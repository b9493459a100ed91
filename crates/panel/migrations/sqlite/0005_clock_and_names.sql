-- What a clock that was wrong has decided is found and decided again, and a name's next owner begins at once.

-- Finds resets that were put off, by the kind of their schedule.
CREATE INDEX users_schedules ON users (reset_strategy, next_reset_at) WHERE next_reset_at IS NOT NULL;
-- The last reset by schedule; NULL if there was none.
ALTER TABLE users ADD COLUMN reset_at DATETIME;

-- Whether a scrape that was asked for after the cut has told of the name: no byte of its former owner is to come.
ALTER TABLE departed ADD COLUMN settled BOOLEAN NOT NULL DEFAULT FALSE;

-- Up to when the panel has followed the clock, for all that is deleted by age.
ALTER TABLE panel_state ADD COLUMN lived_until DATETIME;
UPDATE panel_state SET lived_until = scraped_at;
-- The clocks that nobody sets at the answer of the last scrape, in seconds, and the life of the machine that they count.
ALTER TABLE panel_state ADD COLUMN scrape_boot TEXT;
ALTER TABLE panel_state ADD COLUMN scrape_real DOUBLE PRECISION;
ALTER TABLE panel_state ADD COLUMN scrape_running DOUBLE PRECISION;
