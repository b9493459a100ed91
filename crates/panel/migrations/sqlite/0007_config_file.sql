-- Whether a user of the name was deleted, so that entries of the name in tables which the panel does not manage have to
-- go from the file. Otherwise the user has a new secret, or the panel never knew the name.
ALTER TABLE departed ADD COLUMN deleted BOOLEAN NOT NULL DEFAULT FALSE;

-- Texts of config.toml that a panel has written lately, by their digests: what somebody else has written is not among them.
CREATE TABLE written_files (
    digest TEXT PRIMARY KEY NOT NULL,
    written_at DATETIME NOT NULL
) WITHOUT ROWID;
