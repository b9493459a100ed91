-- Names are ASCII. They are compared as such, whatever the database's locale takes for the lower case of a letter.
ALTER TABLE admins ALTER COLUMN username TYPE TEXT COLLATE "C";
ALTER TABLE users ALTER COLUMN username TYPE TEXT COLLATE "C";
-- These as well: an index serves only comparisons by its own collation.
ALTER TABLE usage_meters ALTER COLUMN username TYPE TEXT COLLATE "C";
ALTER TABLE departed ALTER COLUMN username TYPE TEXT COLLATE "C";
ALTER TABLE audit_log ALTER COLUMN actor TYPE TEXT COLLATE "C", ALTER COLUMN target TYPE TEXT COLLATE "C";

-- Raised by writes that are made only to see whether the database takes any.
ALTER TABLE panel_state ADD COLUMN trial_writes BIGINT NOT NULL DEFAULT 0;

-- The audit log gives up what is older than the operator wants to keep. Only what stands here may go: the retention task sets
-- the time and takes it back in the transaction in which it deletes, so that nobody else ever finds it.
ALTER TABLE panel_state ADD COLUMN audit_removable_before TIMESTAMPTZ;
DROP TRIGGER audit_log_append_only ON audit_log;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE FUNCTION refuse_audit_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM panel_state WHERE OLD.at < audit_removable_before) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION refuse_audit_removal();
CREATE INDEX audit_log_at ON audit_log (at);
