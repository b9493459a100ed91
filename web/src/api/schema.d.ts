// Generated from openapi.json by "npm run generate". Do not edit.

export interface paths {
    "/api/admin/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who am I */
        get: operations["login_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in from a browser
         * @description Gives an access token and sets two cookies that no script can read: one that renews it, and one by which the browser is
         *     known at later logins, so that wrong passwords from elsewhere do not lock it out.
         */
        post: operations["login_begin"];
        /**
         * Log out of this browser
         * @description The access tokens of the login session end at once.
         */
        delete: operations["login_end"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/session/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Renew a browser's token
         * @description Takes the refresh cookie, which is replaced; one that was replaced before ends all login sessions of the administrator.
         */
        post: operations["login_refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Log out everywhere
         * @description Voids every token of the administrator, this one too, and ends their login sessions in every browser.
         */
        delete: operations["login_end_all"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get an access token
         * @description For the name and password of an administrator.
         */
        post: operations["login_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List administrators */
        get: operations["administrators_list"];
        put?: never;
        /** Create an administrator */
        post: operations["administrators_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admins/{username}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change an administrator
         * @description A password: one's own, or anybody's for a sudo administrator. The role: another one's, for a sudo administrator. Their
         *     older tokens become void. More than ten minutes after the login that the token comes from, `current_password` must stand
         *     beside it: the present password of the administrator who asks. Otherwise the answer is 403 with `fresh_login_required`.
         */
        put: operations["administrators_update"];
        post?: never;
        /**
         * Delete an administrator
         * @description Not oneself, and not the last sudo administrator. Their users stay.
         */
        delete: operations["administrators_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The audit log */
        get: operations["system_audit_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The proxy's metrics
         * @description The last text that it gave, with its age.
         */
        get: operations["system_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What is configured
         * @description By environment and flags; secrets are left out.
         */
        get: operations["system_settings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/soon": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who runs out soon
         * @description Of the users that the administrator sees.
         */
        get: operations["system_soon"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The dashboard's figures
         * @description Users and traffic are those that the administrator sees.
         */
        get: operations["system_show"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/traffic": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Everybody's traffic over time
         * @description For a sudo administrator with that of deleted users; for others that of their present users.
         */
        get: operations["system_traffic"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List users */
        get: operations["users_list"];
        put?: never;
        /**
         * Create a user
         * @description With a fresh secret. The answer comes when the proxy's file holds the user, or says that it does not yet.
         */
        post: operations["users_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{username}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a user */
        get: operations["users_show"];
        /**
         * Change a user
         * @description Absent fields stay, null clears. A user who was limited or expired is served again when the limit or the date allows it.
         */
        put: operations["users_update"];
        post?: never;
        /**
         * Delete a user
         * @description Their open connections are cut.
         */
        delete: operations["users_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{username}/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Links of a user */
        get: operations["users_show_links"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{username}/qr.svg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A user's link as a QR code */
        get: operations["users_qr"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{username}/regenerate-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a user a new secret
         * @description The old link stops working, and connections that were opened with it are cut.
         */
        post: operations["users_regenerate_secret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{username}/reset-usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Set a user's usage to 0 */
        post: operations["users_reset_usage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{username}/traffic": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A user's traffic over time */
        get: operations["users_traffic"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * One action on many users
         * @description One transaction and one write of the proxy's file. GET, PUT and DELETE of this path are about a user of this name.
         */
        post: operations["users_bulk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process lives */
        get: operations["health_live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether everything works
         * @description 503 if the database does not answer or takes no writes, the proxy's file is not what it should be, or the proxy answers
         *     without the counters that accounting needs. A proxy that does not answer is shown, but the panel works without it.
         */
        get: operations["health_ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An administrator. */
        AdminBody: {
            created_at: components["schemas"]["Moment"];
            /** @description Sees and manages everything. */
            is_sudo: boolean;
            last_login_at: components["schemas"]["Moment"] | null;
            username: string;
        };
        /** @description A page of administrators. */
        AdminPage: {
            admins: components["schemas"]["AdminBody"][];
            /**
             * Format: int64
             * @description How many there are.
             */
            total: number;
        };
        /** @description Changes to an administrator; at least one. */
        AdminPatchBody: {
            /**
             * Format: password
             * @description The present password of the administrator who asks; needed more than ten minutes after the login.
             */
            current_password?: string;
            /** @description By another sudo administrator only. */
            is_sudo?: boolean;
            /** Format: password */
            password?: string;
        };
        /** @description One action. */
        AuditEntry: {
            /** @example user.update */
            action: string;
            /** @description Name of the administrator; `command line`; `system`, the panel itself; `-` for a failed login. */
            actor: string;
            address: string | null;
            /** @description The same fields, after. */
            after: Record<string, never> | null;
            at: components["schemas"]["Moment"];
            /** @description The fields that changed, before; secrets are masked. */
            before: Record<string, never> | null;
            /**
             * Format: int64
             * @description Grows with every action.
             */
            id: number;
            target: string | null;
        };
        /** @description A page of the audit log, the newest first. */
        AuditPage: {
            entries: components["schemas"]["AuditEntry"][];
            /**
             * Format: int64
             * @description How many match in all.
             */
            total: number;
        };
        /**
         * @description What to do.
         * @enum {string}
         */
        BulkAction: "enable" | "disable" | "delete" | "reset_usage" | "add_days" | "add_bytes";
        /** @description One action on the users that are named or that match; exactly one of `usernames` and `filter` must be given. */
        BulkBody: {
            action: components["schemas"]["BulkAction"];
            /** @description Only tell what would be done. */
            dry_run?: boolean;
            filter?: components["schemas"]["BulkFilter"] | null;
            /** @description 1 to 1,000 names. */
            usernames?: string[] | null;
            /**
             * Format: int64
             * @description Days for `add_days` (1 to 3,650), bytes for `add_bytes` (at least 1); nothing for the others.
             */
            value?: number | null;
        };
        /** @description What was done, or would be. */
        BulkDone: {
            /** @description Users that are different now. */
            changed: number;
            config_sync: components["schemas"]["ConfigSyncBody"];
            dry_run: boolean;
            /** @description Users that were found. */
            matched: number;
            /** @description Names that were asked for and not found. */
            missing: string[];
        };
        /** @description Users that match; an empty one matches all. */
        BulkFilter: {
            /** @description Part of the name. */
            search?: string | null;
            status?: components["schemas"]["StatusWord"] | null;
        };
        /** @description A user who was changed. */
        ChangedUser: components["schemas"]["LinkedUser"] & {
            config_sync: components["schemas"]["ConfigSyncBody"];
        };
        /** @description Whether the proxy's file says what the database says. */
        ConfigSyncBody: {
            /** @description Why it does not yet. */
            detail: string | null;
            state: components["schemas"]["SyncState"];
        };
        /** @description Name and password. */
        Credentials: {
            /** Format: password */
            password: string;
            /** @example admin */
            username: string;
        };
        /** @description The OAuth2 password form; what it has besides these two is ignored. */
        CredentialsForm: {
            /** Format: password */
            password: string;
            username: string;
        };
        /**
         * @description Where the data is.
         * @enum {string}
         */
        DatabaseWord: "sqlite" | "postgres";
        /** @description A field of the request that does not fit. */
        FieldProblem: {
            /** @description Name of the field. */
            field: string;
            /** @description What is wrong with it. */
            message: string;
        };
        /** @description That the process lives. */
        HealthBody: {
            /** @example ok */
            status: string;
        };
        /** @description Traffic over time; steps in which nothing moved are left out. */
        History: {
            points: components["schemas"]["Point"][];
        };
        /** @description One user with the links. */
        LinkedUser: components["schemas"]["UserBody"] & {
            proxy_links: components["schemas"]["LinksBody"];
        };
        /** @description Both forms of a user's link. */
        LinksBody: {
            /** @example https://t.me/proxy?server=proxy.example.com&port=443&secret=ee… */
            https_link: string;
            /** @example tg://proxy?server=proxy.example.com&port=443&secret=ee… */
            tg_link: string;
        };
        /**
         * Format: date-time
         * @description A moment, outside always RFC 3339 in UTC and whole seconds; inside a request any zone will do, but there must be one.
         * @example 2026-12-31T23:59:59Z
         */
        Moment: string;
        /** @description An administrator to be created. */
        NewAdminBody: {
            is_sudo?: boolean;
            /** Format: password */
            password: string;
            /**
             * @description The same rule as for users.
             * @example helper
             */
            username: string;
        };
        /** @description A user to be created. The server draws the secret. */
        NewUserBody: {
            /**
             * Format: int64
             * @description Traffic limit in bytes, both directions; null for no limit.
             * @example 10737418240
             */
            data_limit?: number | null;
            expire_at?: components["schemas"]["Moment"] | null;
            /**
             * Format: int64
             * @description Connections at the same time; null for no limit.
             */
            max_connections?: number | null;
            /**
             * Format: int64
             * @description IP addresses at the same time; null for no limit.
             */
            max_unique_ips?: number | null;
            /** @description A note for administrators. */
            note?: string | null;
            reset_strategy?: components["schemas"]["Reset"] | null;
            /**
             * @description 3 to 32 of `A-Za-z0-9_.-`, unique whatever the case; not starting with `scope_`, not `mtpannel-placeholder`.
             * @example alice
             */
            username: string;
        };
        /** @description The panel itself. */
        PanelBody: {
            version: string;
        };
        /** @description Bytes that moved in one step. */
        Point: {
            /** @description Beginning of the step. */
            at: components["schemas"]["Moment"];
            /**
             * Format: int64
             * @description Bytes from the clients.
             */
            octets_from: number;
            /**
             * Format: int64
             * @description Bytes to the clients.
             */
            octets_to: number;
        };
        /** @description What went wrong, and what to do. */
        Problem: {
            /**
             * @description Stable word for programs.
             * @example not_found
             */
            code: string;
            /** @description What happened this time. */
            detail: string;
            /** @description For 422: every field that does not fit. For 403 with `fresh_login_required`: that `current_password` is wrong. */
            errors?: components["schemas"]["FieldProblem"][];
            /**
             * Format: int32
             * @description HTTP status code.
             */
            status: number;
            /** @description The kind in words. */
            title: string;
            /**
             * @description Kind of problem, as a URI reference.
             * @example about:blank#not_found
             */
            type: string;
        };
        /** @description The state of the proxy. */
        ProxyBody: {
            /** @description Whether it runs with the file as the panel wrote it; null if it cannot be told. */
            config_accepted: boolean | null;
            config_failed_at: components["schemas"]["Moment"] | null;
            /** @description Why it refuses the file, with line and column; only the built-in proxy tells. */
            config_failure: string | null;
            /** @description Why the last scrape failed. */
            failure: string | null;
            /** Format: int64 */
            scrape_age_seconds: number | null;
            scraped_at: components["schemas"]["Moment"] | null;
            state: components["schemas"]["ProxyState"];
            /** @description Whether it leaves out the series of some users; nothing is concluded from what is missing then. */
            suppressed: boolean;
            version: string | null;
        };
        /**
         * @description Whether the proxy answers.
         * @enum {string}
         */
        ProxyState: "ok" | "unreachable" | "unknown";
        /**
         * @description Which proxy runs.
         * @enum {string}
         */
        ProxyWord: "external" | "embedded";
        /** @description Whether everything works; without details, because anybody may ask. */
        ReadyBody: {
            /** @description Whether the proxy's last answer has the counters that accounting needs; true as long as it does not answer. */
            accounting: boolean;
            /** @description Whether config.toml says what the database says. */
            config_sync: boolean;
            /** @description Whether the database answers. */
            database: boolean;
            /** @description Whether the database takes writes: false for example on a full disk. */
            database_writable: boolean;
            /** @description Whether the database answers and takes writes, the file is written and traffic can be counted. */
            ready: boolean;
            /** @description Whether the last scrape of the proxy succeeded. */
            scrape: boolean;
            tasks: components["schemas"]["TaskAge"][];
        };
        /**
         * @description How often usage goes back to zero, at midnight UTC.
         * @enum {string}
         */
        Reset: "none" | "daily" | "weekly" | "monthly";
        /** @description What a browser gets that has logged in. */
        SessionBody: components["schemas"]["TokenBody"] & {
            reuse_detected_at: components["schemas"]["Moment"] | null;
        };
        /** @description What is configured, without secrets. */
        SettingsBody: {
            /** @description The proxy's file. */
            config_path: string;
            database: components["schemas"]["DatabaseWord"];
            proxy: components["schemas"]["ProxyWord"];
            /** @description Host in the links. */
            proxy_host: string;
            /**
             * Format: int32
             * @description Port in the links.
             */
            proxy_port: number;
            /**
             * Format: int64
             * @description Seconds between two readings of the proxy's metrics.
             */
            scrape_interval_seconds: number;
            /** @description Domain that the proxy pretends to be. */
            tls_domain: string;
            /**
             * Format: int64
             * @description Seconds for which an access token is valid.
             */
            token_lifetime_seconds: number;
        };
        /** @description Users whose time or traffic is nearly used up, at most 10 in each list. */
        SoonBody: {
            /** @description Those who expire within a week; the next first. */
            by_time: components["schemas"]["UserBody"][];
            /** @description Those who have used 80 % of their limit or more; the fullest first. */
            by_traffic: components["schemas"]["UserBody"][];
        };
        /** @description The dashboard's figures. */
        StatsBody: {
            /**
             * Format: int64
             * @description Those of them without a valid secret.
             */
            bad_connections: number | null;
            config_sync: components["schemas"]["ConfigSyncBody"];
            config_written_at: components["schemas"]["Moment"] | null;
            /**
             * Format: int64
             * @description Open connections of the users that the administrator sees; null if it is not known.
             */
            connections: number | null;
            /**
             * Format: int64
             * @description How many of these users have a connection; null if it is not known.
             */
            online: number | null;
            panel: components["schemas"]["PanelBody"];
            proxy: components["schemas"]["ProxyBody"];
            tasks: components["schemas"]["TaskBody"][];
            /**
             * Format: int64
             * @description Connections since its start.
             */
            total_connections: number | null;
            /**
             * Format: double
             * @description Seconds since the proxy's start, at the last good scrape; null before the first.
             */
            uptime: number | null;
            /** @description The 100 users with the most traffic. */
            user_traffic: components["schemas"]["UserTraffic"][];
            users: components["schemas"]["UserCounts"];
            /** @description Warnings: conditions that stop nothing and that the operator should know of. */
            warnings: components["schemas"]["WarningBody"][];
        };
        /**
         * @description Whether a user is served, and why not.
         * @enum {string}
         */
        StatusWord: "active" | "disabled" | "limited" | "expired";
        /**
         * @description What an administrator can set as the status of a user.
         * @enum {string}
         */
        Switch: "active" | "disabled";
        /**
         * @description Whether a change stands in the proxy's file.
         * @enum {string}
         */
        SyncState: "applied" | "pending";
        /** @description How long ago a periodic task succeeded. */
        TaskAge: {
            /** Format: int64 */
            age_seconds: number | null;
            /** @description Whether it failed since. */
            failing: boolean;
            last_success: components["schemas"]["Moment"] | null;
            name: string;
        };
        /** @description A periodic task. */
        TaskBody: components["schemas"]["TaskAge"] & {
            /** @description Why it failed. */
            failure: string | null;
        };
        /** @description An access token. */
        TokenBody: {
            access_token: string;
            /** @example bearer */
            token_type: string;
        };
        /** @description A user. */
        UserBody: {
            /**
             * Format: int64
             * @description Connections at the last scrape.
             */
            connections: number;
            created_at: components["schemas"]["Moment"];
            /** @description The administrator who created the user; null if they are deleted or the user was imported. */
            created_by: string | null;
            /**
             * Format: int64
             * @description Traffic limit in bytes, both directions.
             */
            data_limit: number | null;
            /**
             * Format: int64
             * @description Bytes since the last reset, both directions.
             */
            data_used: number;
            expire_at: components["schemas"]["Moment"] | null;
            last_seen_at: components["schemas"]["Moment"] | null;
            /** Format: int64 */
            max_connections: number | null;
            /** Format: int64 */
            max_unique_ips: number | null;
            next_reset_at: components["schemas"]["Moment"] | null;
            note: string;
            /** @description Whether the user had a connection at the last scrape. */
            online: boolean;
            reset_strategy: components["schemas"]["Reset"];
            status: components["schemas"]["StatusWord"];
            /**
             * Format: int64
             * @description IP addresses at the last scrape.
             */
            unique_ips: number;
            updated_at: components["schemas"]["Moment"];
            username: string;
        };
        /** @description Users by status. */
        UserCounts: {
            /** Format: int64 */
            active: number;
            /** Format: int64 */
            disabled: number;
            /** Format: int64 */
            expired: number;
            /** Format: int64 */
            limited: number;
            /** Format: int64 */
            total: number;
        };
        /** @description A page of users. */
        UserPage: {
            /** @description How many match in all. */
            total: number;
            users: components["schemas"]["UserBody"][];
        };
        /** @description Changes to a user: an absent field stays, null clears, a value sets. */
        UserPatchBody: {
            /**
             * Format: int64
             * @description Traffic limit in bytes, both directions.
             */
            data_limit?: number | null;
            expire_at?: components["schemas"]["Moment"] | null;
            /**
             * Format: int64
             * @description Connections at the same time.
             */
            max_connections?: number | null;
            /**
             * Format: int64
             * @description IP addresses at the same time.
             */
            max_unique_ips?: number | null;
            /** @description A note for administrators. */
            note?: string | null;
            reset_strategy?: components["schemas"]["Reset"] | null;
            /** @description `active` or `disabled`; limited and expired follow from the limits. */
            status?: components["schemas"]["Switch"];
        };
        /** @description One user's traffic. */
        UserTraffic: {
            /** Format: int64 */
            connections: number;
            /** Format: int64 */
            data_limit: number | null;
            /**
             * Format: int64
             * @description Bytes since the last reset, both directions.
             */
            data_used: number;
            /** Format: int64 */
            unique_ips: number;
            username: string;
        };
        /** @description A user with a new secret. */
        UserWithSecret: components["schemas"]["ChangedUser"] & {
            /** @description 32 hex digits; shown here only. */
            secret: string;
        };
        /** @description A condition that stops nothing and that the operator should know of. */
        WarningBody: {
            /**
             * @description Its name, which does not change between versions.
             * @example tls_domain_differs
             */
            code: string;
            /** @description What it is and what to do, in English. */
            detail: string;
            /**
             * @description `info`: worth knowing; `warning`: something does not work as expected.
             * @example warning
             */
            level: string;
            /** @description Its values by name. */
            params: {
                [key: string]: string;
            };
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    login_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The administrator whose token this is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminBody"];
                };
            };
            /** @description The same as the answer whose ETag If-None-Match holds */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    login_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description A token */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionBody"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong user name or password */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request comes from another site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is of another kind */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something in the request does not fit; errors lists the fields */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many failed logins; Retry-After tells when to try again */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long, too many logins wait, or the database is away or takes no writes; Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    login_end: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The login session has ended, if there was one */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Wrong user name or password */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request comes from another site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many failed logins; Retry-After tells when to try again */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long, too many logins wait, or the database is away or takes no writes; Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    login_refresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A token */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenBody"];
                };
            };
            /** @description The login session has ended */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request comes from another site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many failed logins; Retry-After tells when to try again */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long, too many logins wait, or the database is away or takes no writes; Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    login_end_all: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every token and login session is void */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    login_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
                "application/x-www-form-urlencoded": components["schemas"]["CredentialsForm"];
            };
        };
        responses: {
            /** @description A token */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenBody"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Wrong user name or password */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request comes from another site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is of another kind */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something in the request does not fit; errors lists the fields */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many failed logins; Retry-After tells when to try again */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long, too many logins wait, or the database is away or takes no writes; Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    administrators_list: {
        parameters: {
            query?: {
                /** @description Entries to show. */
                limit?: number | "";
                /** @description Entries to skip. */
                offset?: number | "";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page, by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminPage"];
                };
            };
            /** @description The same as the answer whose ETag If-None-Match holds */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something in the request does not fit; errors lists the fields */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    administrators_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAdminBody"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminBody"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The name is taken */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is of another kind */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something in the request does not fit; errors lists the fields */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    administrators_update: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name, in any case */
                username: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AdminPatchBody"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminBody"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this, or `current_password` is needed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it belongs to somebody else */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description This is the last sudo administrator */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is of another kind */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something in the request does not fit; errors lists the fields */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong passwords; Retry-After tells when to try again */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    administrators_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name, in any case */
                username: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it belongs to somebody else */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description They are the last sudo administrator */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    system_audit_log: {
        parameters: {
            query?: {
                /** @description What was done, such as `user.create`. */
                action?: string | "";
                /** @description Name of who did it, in any case. */
                actor?: string | "";
                /** @description Entries to show. */
                limit?: number | "";
                /** @description Entries to skip. */
                offset?: number | "";
                /** @description On whom, in any case. */
                target?: string | "";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page, the newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                };
            };
            /** @description The same as the answer whose ETag If-None-Match holds */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something in the request does not fit; errors lists the fields */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    system_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prometheus text */
            200: {
                headers: {
                    /** @description Seconds since the proxy gave it */
                    Age?: number;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The proxy has not answered yet */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    system_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The settings */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SettingsBody"];
                };
            };
            /** @description The same as the answer whose ETag If-None-Match holds */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    system_soon: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By time and by traffic */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SoonBody"];
                };
            };
            /** @description The same as the answer whose ETag If-None-Match holds */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    system_show: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The figures */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatsBody"];
                };
            };
            /** @description The same as the answer whose ETag If-None-Match holds */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    system_traffic: {
        parameters: {
            query?: {
                /** @description Beginning, with a zone; a day before the end if absent. */
                from?: string | "";
                /** @description Width of the points; `hour` for up to two days and `day` for more if absent. */
                step?: ("stored" | "hour" | "day") | "";
                /** @description End, exclusive; now if absent. */
                to?: string | "";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The history */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["History"];
                };
            };
            /** @description The same as the answer whose ETag If-None-Match holds */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something in the request does not fit; errors lists the fields */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_list: {
        parameters: {
            query?: {
                /** @description Users to show. */
                limit?: number | "";
                /** @description Users to skip. */
                offset?: number | "";
                /** @description Part of the name, in any case; every character stands for itself. */
                search?: string | "";
                /** @description The order; with `-` the largest first. */
                sort?: ("created_at" | "-created_at" | "username" | "-username" | "data_used" | "-data_used" | "data_limit" | "-data_limit" | "expire_at" | "-expire_at" | "last_seen_at" | "-last_seen_at" | "status" | "-status") | "";
                /** @description Only those with this status. */
                status?: ("active" | "disabled" | "limited" | "expired") | "";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserPage"];
                };
            };
            /** @description The same as the answer whose ETag If-None-Match holds */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something in the request does not fit; errors lists the fields */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUserBody"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserWithSecret"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The name is taken */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is of another kind */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something in the request does not fit; errors lists the fields */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_show: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name, in any case */
                username: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkedUser"];
                };
            };
            /** @description The same as the answer whose ETag If-None-Match holds */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it belongs to somebody else */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_update: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name, in any case */
                username: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserPatchBody"];
            };
        };
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedUser"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it belongs to somebody else */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is of another kind */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something in the request does not fit; errors lists the fields */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name, in any case */
                username: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    /** @description Whether the proxy's file says so already */
                    "Config-Sync"?: components["schemas"]["SyncState"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it belongs to somebody else */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_show_links: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name, in any case */
                username: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Both forms of the link */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinksBody"];
                };
            };
            /** @description The same as the answer whose ETag If-None-Match holds */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it belongs to somebody else */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_qr: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name, in any case */
                username: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The tg:// link as a QR code */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/svg+xml": string;
                };
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it belongs to somebody else */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_regenerate_secret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name, in any case */
                username: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserWithSecret"];
                };
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it belongs to somebody else */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_reset_usage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name, in any case */
                username: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedUser"];
                };
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it belongs to somebody else */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_traffic: {
        parameters: {
            query?: {
                /** @description Beginning, with a zone; a day before the end if absent. */
                from?: string | "";
                /** @description Width of the points; `hour` for up to two days and `day` for more if absent. */
                step?: ("stored" | "hour" | "day") | "";
                /** @description End, exclusive; now if absent. */
                to?: string | "";
            };
            header?: never;
            path: {
                /** @description Name, in any case */
                username: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The history */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["History"];
                };
            };
            /** @description The same as the answer whose ETag If-None-Match holds */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it belongs to somebody else */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something in the request does not fit; errors lists the fields */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    users_bulk: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkBody"];
            };
        };
        responses: {
            /** @description What was done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkDone"];
                };
            };
            /** @description The body is not JSON */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no valid access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The administrator may not do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is of another kind */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something in the request does not fit; errors lists the fields */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Something went wrong on the server */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description It took too long; or, with the code database_unavailable, the database is away or takes no writes, and Retry-After tells when to try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    health_live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthBody"];
                };
            };
        };
    };
    health_ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReadyBody"];
                };
            };
            /** @description It does not */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReadyBody"];
                };
            };
        };
    };
}
