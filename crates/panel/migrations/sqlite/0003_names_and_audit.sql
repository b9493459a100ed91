-- Raised by writes that are made only to see whether the database takes any.
ALTER TABLE panel_state ADD COLUMN trial_writes BIGINT NOT NULL DEFAULT 0;

-- The audit log gives up what is older than the operator wants to keep. Only what stands here may go: the retention task sets
-- the time and takes it back in the transaction in which it deletes, so that nobody else ever finds it.
ALTER TABLE panel_state ADD COLUMN audit_removable_before DATETIME;
DROP TRIGGER audit_log_no_delete;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
WHEN NOT EXISTS (SELECT 1 FROM panel_state WHERE OLD.at < audit_removable_before)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE INDEX audit_log_at ON audit_log (at);
