use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::{Duration, Instant};

use super::*;

impl ConfigFile {
    fn apply(&mut self, access: &Access, fresh: &Secret) -> Result<bool, ConfigFileError> {
        let rendered = self.render(access, fresh)?;
        self.write(rendered, access)
    }
}

fn file(folder: &Path) -> ConfigFile {
    ConfigFile::new(&ProxySettings {
        kind: ProxyKind::External,
        config_path: folder.join("config.toml"),
        endpoint: Endpoint {
            host: "proxy.example.com".parse().unwrap(),
            port: 443,
            domain: "example.com".parse().unwrap(),
        },
    })
}

fn nobody() -> Access {
    Access::new(Vec::new(), &[], chrono::DateTime::UNIX_EPOCH)
}

const FRESH: Secret = Secret::new([7; 16]);

#[test]
fn a_missing_file_is_made_from_the_template_for_the_group_of_its_directory() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = file(folder.path());
    assert!(file.apply(&nobody(), &FRESH).unwrap());
    let text = fs::read_to_string(file.path()).unwrap();
    assert!(text.contains("tls_domain = \"example.com\""));
    let metadata = fs::metadata(file.path()).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o640);
    assert_eq!(metadata.gid(), fs::metadata(folder.path()).unwrap().gid());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

fn alice() -> Access {
    let alice = mtpannel_core::access::Entry {
        username: "alice".parse().unwrap(),
        secret: Secret::new([1; 16]),
        status: mtpannel_core::user::Status::Active,
        expire_at: None,
        limits: mtpannel_core::user::Limits::default(),
        usage_base: 0,
    };
    Access::new(vec![alice], &[], chrono::DateTime::UNIX_EPOCH)
}

#[test]
fn what_stood_in_a_file_that_was_removed_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = file(folder.path());
    fs::write(file.path(), "[mine]\nx = 1\n").unwrap();
    file.apply(&nobody(), &FRESH).unwrap();
    fs::remove_file(file.path()).unwrap();
    assert!(file.apply(&nobody(), &FRESH).unwrap());
    let made = fs::read_to_string(file.path()).unwrap();
    assert!(!made.contains("mine") && made.contains("tls_domain = \"example.com\""), "{made}");
    assert!(!file.apply(&nobody(), &FRESH).unwrap());
    assert!(file.apply(&alice(), &FRESH).unwrap());
    let text = fs::read_to_string(file.path()).unwrap();
    assert!(!text.contains("mine") && text.contains("tls_domain = \"example.com\""), "{text}");
}

#[test]
fn unknown_names_are_those_that_somebody_else_has_written_into_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = file(folder.path());
    assert_eq!(file.unknown_names(&alice()).unwrap(), []);
    file.apply(&alice(), &FRESH).unwrap();
    assert_eq!(file.unknown_names(&nobody()).unwrap(), []);
    let by_hand = "[access.users]\n\"eve\" = \"x\"\n\"no name\" = \"x\"\nalice = \"x\"\n";
    fs::write(file.path(), by_hand).unwrap();
    assert_eq!(file.unknown_names(&alice()).unwrap(), ["eve".parse().unwrap()]);
    assert!(file.apply(&alice(), &FRESH).unwrap());
    assert_eq!(file.unknown_names(&alice()).unwrap(), []);
}

#[test]
fn a_failed_write_leaves_no_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = file(folder.path());
    fs::create_dir(file.path()).unwrap();
    file.seen = State::of(file.path());
    let error = file.replace("text").unwrap_err().to_string();
    assert!(error.contains("replace the file"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn equal_bytes_are_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = file(folder.path());
    file.apply(&nobody(), &FRESH).unwrap();
    let before = state::stamp(file.path());
    assert!(!file.apply(&nobody(), &FRESH).unwrap());
    assert_eq!(state::stamp(file.path()), before);
    assert!(!file.was_touched());
}

#[test]
fn a_hand_edit_is_noticed_and_survives() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = file(folder.path());
    file.apply(&nobody(), &FRESH).unwrap();
    let edited = format!("# mine\n{}", fs::read_to_string(file.path()).unwrap());
    fs::write(file.path(), &edited).unwrap();
    assert!(file.was_touched());
    assert!(!file.apply(&nobody(), &FRESH).unwrap());
    assert_eq!(fs::read_to_string(file.path()).unwrap(), edited);
    assert!(!file.was_touched());
}

#[test]
fn a_file_that_does_not_parse_is_left_alone_and_the_error_tells_where() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = file(folder.path());
    fs::write(file.path(), "[general]\nx = = 1\n").unwrap();
    let error = file.apply(&nobody(), &FRESH).unwrap_err().to_string();
    assert!(error.contains("line 2"), "{error}");
    assert_eq!(fs::read_to_string(file.path()).unwrap(), "[general]\nx = = 1\n");
}

#[test]
fn the_mode_of_an_existing_file_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = file(folder.path());
    fs::write(file.path(), "[general]\n").unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o604)).unwrap();
    file.apply(&nobody(), &FRESH).unwrap();
    assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o604);
}

#[test]
fn leftovers_of_a_killed_process_are_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path());
    fs::write(folder.path().join(".mtpannel-x1y2z3.tmp"), "half").unwrap();
    fs::write(folder.path().join("other.tmp"), "whole").unwrap();
    file.remove_leftovers().unwrap();
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["other.tmp"]);
}

#[test]
fn symbolic_links_stay_and_lead_to_the_file_even_where_it_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = file(folder.path());
    std::os::unix::fs::symlink("next.toml", file.path()).unwrap();
    std::os::unix::fs::symlink("real/c.toml", folder.path().join("next.toml")).unwrap();
    let real = || fs::read_to_string(folder.path().join("real/c.toml")).unwrap();
    file.apply(&nobody(), &FRESH).unwrap();
    assert!(real().contains("[access.users]"));
    fs::write(folder.path().join("real/c.toml"), "[general]\n").unwrap();
    file.apply(&alice(), &FRESH).unwrap();
    assert!(real().contains("[general]") && real().contains("alice"));
    for link in [file.path(), &folder.path().join("next.toml")] {
        assert!(fs::symlink_metadata(link).unwrap().is_symlink());
    }
}

#[test]
fn a_file_of_others_is_quiet_as_long_as_neither_it_nor_an_included_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = file(folder.path());
    let began = Instant::now();
    let at = |seconds| began + Duration::from_secs(seconds);
    assert!(file.look(began).is_none(), "there never was a file");
    fs::write(file.path(), "[x]\n").unwrap();
    let quiet = |file: &mut ConfigFile, seconds| file.look(at(seconds)).unwrap().unchanged_for.as_secs();
    assert_eq!((quiet(&mut file, 0), quiet(&mut file, 1), quiet(&mut file, 3)), (0, 1, 3));
    fs::write(file.path(), "[y]\n").unwrap();
    assert_eq!((quiet(&mut file, 4), quiet(&mut file, 6)), (0, 2));
    fs::write(file.path(), "include = \"part.toml\"\n").unwrap();
    assert_eq!((quiet(&mut file, 7), quiet(&mut file, 9)), (0, 2));
    fs::write(folder.path().join("part.toml"), "[x]\n").unwrap();
    assert_eq!((quiet(&mut file, 10), quiet(&mut file, 12)), (0, 2));
    fs::write(folder.path().join("part.toml"), "[z]\n").unwrap();
    assert_eq!(quiet(&mut file, 13), 0);
    assert!(file.look(began).unwrap().digest.is_none(), "a file with includes is never known as the panel's");
    file.apply(&nobody(), &FRESH).unwrap();
    assert!(file.look(at(14)).is_none());
    fs::remove_file(file.path()).unwrap();
    assert_eq!((quiet(&mut file, 15), quiet(&mut file, 17)), (0, 2));
}

#[test]
fn a_file_that_changes_between_reading_and_writing_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = file(folder.path());
    file.apply(&nobody(), &FRESH).unwrap();
    let rendered = file.render(&alice(), &FRESH).unwrap();
    fs::write(file.path(), "# somebody else\n").unwrap();
    let error = file.write(rendered, &alice()).unwrap_err().to_string();
    assert!(error.contains("somebody else is writing it"), "{error}");
    assert_eq!(fs::read_to_string(file.path()).unwrap(), "# somebody else\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_changes_after_the_look_is_not_the_one_that_was_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = file(folder.path());
    let began = Instant::now();
    assert!(file.look(began).is_none());
    file.read().unwrap();
    assert!(file.is_as_looked_at(), "there is none, as before");

    // It appears between the look and the read.
    fs::write(file.path(), "").unwrap();
    file.read().unwrap();
    assert!(!file.is_as_looked_at());
    file.look(began).unwrap();
    file.read().unwrap();
    assert!(file.is_as_looked_at());

    // Somebody empties it to write it anew, before and after it was read.
    for text in ["[access.users]\n", "[access]\n"] {
        fs::write(file.path(), text).unwrap();
        assert!(!file.is_as_looked_at());
        file.read().unwrap();
        assert!(!file.is_as_looked_at());
        file.look(began).unwrap();
    }
}
