-- Networks from which administrators have logged in: failed logins from elsewhere do not lock them out there.
CREATE TABLE login_networks (
    admin_id INTEGER NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    -- An IPv4 address or an IPv6 /64, in CIDR notation.
    network TEXT NOT NULL,
    last_login_at DATETIME NOT NULL,
    PRIMARY KEY (admin_id, network)
) WITHOUT ROWID;

-- When a refresh token that had been replaced was used; NULL once the administrator was told.
ALTER TABLE admins ADD COLUMN reuse_detected_at DATETIME;
