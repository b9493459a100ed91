//! The command line: commands, options, and their help.

#![expect(clippy::doc_markdown, reason = "these comments are the help texts")]

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use mtpannel_core::document::MaskSite;
use mtpannel_core::link::MaskDomain;
use mtpannel_core::rename::Rename;
use mtpannel_core::user::Username;

use crate::settings::RawSettings;

/// Control panel for MTProxy: web interface, API, traffic accounting, and the proxy's config.toml.
#[derive(Debug, Parser)]
#[command(
    name = "mtpannel",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "\
Settings come from flags, from the environment, and from a file .env in the current directory, in this order. DATABASE_URL \
(default sqlite:///data/panel.db), SECRET_KEY and TELEMT_API_AUTH have no flags, because they may hold secrets; each can \
also be read from the file that DATABASE_URL_FILE, SECRET_KEY_FILE or TELEMT_API_AUTH_FILE names.

Examples:
  mtpannel admin create root --sudo    create the first administrator
  mtpannel serve                       run the panel
  mtpannel help admin create           show the help of a command"
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) settings: RawSettings,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the panel: web interface, API, traffic accounting, and writing config.toml.
    ///
    /// On SIGTERM or SIGINT it finishes the requests in progress and the write of the file, and exits.
    #[command(after_help = "\
Examples:
  mtpannel serve
  mtpannel serve --listen 127.0.0.1:8080 --base-path /panel")]
    Serve,
    /// Run the built-in proxy alone, with a config.toml that a panel or you write.
    ///
    /// It reads a config.toml in the format of telemt, applies changes of the file at once, and serves the same metrics as
    /// telemt. On SIGTERM or SIGINT it drains its connections and exits. To run it in one process with the panel, set
    /// PROXY=embedded for serve.
    #[command(after_help = "\
Examples:
  mtpannel proxy --config data/telemt/config.toml")]
    Proxy {
        /// The proxy's config.toml.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Manage administrators.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// List users and print their links.
    #[command(subcommand)]
    User(UserCommand),
    /// Print, check or change the proxy's config.toml.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Import users from other programs.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Write a consistent copy of the SQLite database, also while the panel runs.
    ///
    /// The copy holds all secrets; only its owner can read it. For PostgreSQL it names the pg_dump command to use.
    #[command(after_help = "\
Examples:
  mtpannel backup /var/backups/panel-$(date +%F).db")]
    Backup {
        /// File to write; it must not exist.
        file: PathBuf,
    },
    /// Replace the SQLite database with a copy made by backup.
    ///
    /// Before anything is replaced the copy is checked: it must be complete, and a database of this version of the program
    /// or an older one. The present database is kept beside it. Everybody has to log in again. Stop the panel first.
    #[command(after_help = "\
Examples:
  mtpannel restore /var/backups/panel-2026-01-31.db")]
    Restore {
        /// Copy to restore.
        file: PathBuf,
    },
    /// Bring the database's schema up to date without starting the panel. Creates the database if there is none.
    #[command(after_help = "\
Examples:
  mtpannel migrate
  DATABASE_URL=postgres://mtpannel@db.example.com/mtpannel mtpannel migrate")]
    Migrate,
    /// Print the description of the API (OpenAPI 3.1, JSON).
    #[command(after_help = "\
Examples:
  mtpannel openapi > openapi.json")]
    Openapi,
    /// Ask the panel on this machine whether it works: exit code 0 if it does, 1 if not.
    ///
    /// It requests /health and /health/ready below BASE_PATH at the address of LISTEN, or at the loopback address if that is
    /// 0.0.0.0 or [::]. It fails if there is no answer within 3 seconds, or if the database cannot be read or written.
    #[command(after_help = "\
Examples:
  mtpannel healthcheck
  mtpannel healthcheck --listen 127.0.0.1:9000 --base-path /panel")]
    Healthcheck,
}

#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Create an administrator.
    ///
    /// On a terminal it asks for a password twice. Without a terminal it generates a password and prints it once on
    /// standard output. A password has 10 to 128 characters.
    #[command(after_help = "\
Examples:
  mtpannel admin create root --sudo
  mtpannel admin create alice --password-stdin < password.txt
  mtpannel admin create root --sudo --unless-any < /dev/null")]
    Create {
        /// Login name: 3 to 32 Latin letters, digits, '_', '.' and '-'.
        name: Username,
        /// The administrator may manage all users and all administrators; without it, only the users that they create.
        #[arg(long)]
        sudo: bool,
        /// Read the password from standard input: one line.
        #[arg(long)]
        password_stdin: bool,
        /// Do nothing if there is an administrator already.
        #[arg(long)]
        unless_any: bool,
    },
    /// List all administrators.
    #[command(after_help = "\
Examples:
  mtpannel admin list")]
    List,
    /// Replace an administrator's password and log them out everywhere.
    ///
    /// On a terminal it asks for the password twice. Without a terminal it generates a password and prints it once on
    /// standard output.
    #[command(after_help = "\
Examples:
  mtpannel admin set-password root
  mtpannel admin set-password root --password-stdin < password.txt")]
    SetPassword {
        /// Login name.
        name: Username,
        /// Read the password from standard input: one line.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Delete an administrator; their users stay. The last sudo administrator cannot be deleted.
    #[command(after_help = "\
Examples:
  mtpannel admin delete alice")]
    Delete {
        /// Login name.
        name: Username,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// List all users: name, status, usage and limit of traffic, expiry date (UTC).
    #[command(after_help = "\
Examples:
  mtpannel user list
  mtpannel user list | grep limited")]
    List,
    /// Print the links of a user. They contain the secret.
    #[command(after_help = "\
Examples:
  mtpannel user links alice
  mtpannel user links alice --qr")]
    Links {
        /// Name of the user; upper and lower case are the same.
        name: String,
        /// Also print the tg:// link as a QR code, for a terminal with light text on a dark background.
        #[arg(long)]
        qr: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the whole file, byte for byte as the panel would write it now. It contains secrets.
    ///
    /// This is the present file with the managed tables for the present users, or a new file if there is none. Nothing is
    /// written.
    #[command(after_help = "\
Examples:
  mtpannel config render | diff data/telemt/config.toml -")]
    Render,
    /// Check the settings and the file: exit code 0 only if there is no error.
    ///
    /// Reports every setting that is not valid, where the file does not parse, and whether file and database agree.
    #[command(after_help = "\
Examples:
  mtpannel config check")]
    Check,
    /// Print a first config.toml for these settings, without users. Nothing is written.
    ///
    /// The panel makes the same file when it starts and there is none. It is of use where the file has to say more, such as
    /// which router the proxy is behind. Start a proxy with it only after the panel has written its users.
    #[command(after_help = "\
Examples:
  mtpannel config template > data/telemt/config.toml
  mtpannel config template --router 172.29.43.2 --mask-site 192.0.2.7:8444")]
    Template {
        /// Address of the router in front of the proxy. It must name the client in the PROXY protocol.
        #[arg(long, value_name = "ADDRESS")]
        router: Option<IpAddr>,
        /// Where the proxy reaches the site of the masking domain, if not at the domain itself on port 443.
        #[arg(long, value_name = "HOST:PORT")]
        mask_site: Option<MaskSite>,
    },
    /// Write another masking domain into config.toml; everything else in the file stays as it is.
    ///
    /// A domain in an included file is not changed, nor is one that the file does not name; the error says where it is. Set
    /// TLS_DOMAIN to the same domain, and start panel and proxy again. Every link that was sent becomes invalid.
    #[command(after_help = "\
Examples:
  mtpannel config set-domain www.example.com
  mtpannel config set-domain www.example.com --mask-site 192.0.2.7:8444
  mtpannel config set-domain www.example.com --mask-site none")]
    SetDomain {
        /// The new masking domain.
        domain: MaskDomain,
        /// Where the proxy reaches its site; none means at the domain itself on port 443. Without this option the file
        /// keeps what it says.
        #[arg(long, value_name = "HOST:PORT")]
        mask_site: Option<MaskSite>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ImportCommand {
    /// Import the SQLite database of the Python panel (tables admins, users, traffic_logs, system_stats).
    ///
    /// Everything is checked first. If there are problems, all of them are reported and nothing is imported. Values with an
    /// obvious meaning are corrected and listed: a limit of 0 becomes no limit, a negative usage becomes 0, a long note is
    /// cut. The present database must have no users. Administrators keep their passwords; an administrator whose name exists
    /// already is not changed. Times without a zone are UTC. Stop both panels first, and leave the proxy running: its present
    /// counters become the base of the accounting.
    #[command(after_help = "\
Examples:
  mtpannel import panel-db /opt/old-panel/data/panel.db --dry-run
  mtpannel import panel-db /opt/old-panel/data/panel.db --rename 'my phone=my-phone' --rename x1=anna")]
    PanelDb {
        /// Database file of the old panel; it is only read.
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// Import the users of a telemt config.toml and of the files that it includes.
    ///
    /// Use it for the users of a second server, or for users that a bot has created. The panel may run; it writes its file
    /// within half a minute. Users keep names, secrets, limits and dates; comments on their lines become notes. A user who
    /// exists already with the same secret is not changed. A name that another user has, or that is not valid here, needs a
    /// new one with --rename. Either all users are imported, or none.
    #[command(after_help = "\
Examples:
  mtpannel import telemt-config second-server.toml --dry-run
  mtpannel import telemt-config second-server.toml --rename alice=alice-2 --rename 'my phone=my-phone'")]
    TelemtConfig {
        /// telemt's file; it is only read.
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
}

/// Options of both imports.
#[derive(Debug, Args)]
pub(super) struct How {
    /// Give the user or administrator OLD the name NEW; may be given several times.
    #[arg(long = "rename", value_name = "OLD=NEW")]
    pub(super) renames: Vec<Rename>,
    /// Report everything that would be imported and changed, and import nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Commands that need no settings, or only the database; their help does not list the other settings.
const WITHOUT_SETTINGS: [&str; 6] = ["proxy", "admin", "backup", "restore", "migrate", "openapi"];

/// The parser of the command line. The help of a command that does not use the settings hides them.
pub(super) fn parser() -> clap::Command {
    let mut parser = Cli::command();
    let settings: Vec<clap::Arg> =
        parser.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| arg.clone().hide(true)).collect();
    for name in WITHOUT_SETTINGS {
        parser = parser.mut_subcommand(name, |command| command.args(settings.clone()));
    }
    parser.mut_subcommand("user", |user| user.mut_subcommand("list", |list| list.args(settings)))
}
