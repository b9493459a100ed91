//! Files that include others.

use std::path::Path;

use chrono::DateTime;
use rstest::rstest;

use crate::access::Access;
use crate::document::{DocumentError, ImportError, Layout, read_users_of};
use crate::include::Source;
use crate::user::Secret;

const SECRET: &str = "6384e2b2184bcbf58eccf10ca7a6563c";
const PLACED: &str = "[access.users]\n\"mtpannel-placeholder\" = \"abababababababababababababababab\"\n\n\
    [access.user_enabled]\n\"mtpannel-placeholder\" = false\n";

fn source(main: &str, part: &str) -> Source {
    let part = part.replace("SECRET", SECRET);
    Source::read(Path::new("main.toml"), main.replace("SECRET", SECRET), |_| Ok(part.clone())).unwrap()
}

fn render(source: &Source) -> Result<String, DocumentError> {
    let nobody = Access::new(Vec::new(), &[], DateTime::UNIX_EPOCH);
    Layout::of(source).map(|layout| layout.render(&nobody, &Secret::new([0xab; 16])))
}

#[test]
fn users_of_an_included_file_are_read_and_their_problems_are_told_with_file_and_line() {
    let users = read_users_of(&source("x = 1\ninclude = \"p\"\n", "[access.users]\nalice = \"SECRET\"\n")).unwrap();
    assert_eq!(users[0].username.as_str(), "alice");
    let error = read_users_of(&source("x = 1\ninclude = \"p\"\n", "\n[access.users]\nalice = 5\n")).unwrap_err();
    assert!(
        error.to_string().starts_with("in the included file p, line 3, column 9: [access.users] \"alice\""),
        "{error}"
    );
    let twice = source("include = \"p\"\n[access.users]\nbob = \"SECRET\"\n", "[access.users]\nalice = \"SECRET\"\n");
    assert!(matches!(read_users_of(&twice), Err(ImportError::Document(_))));
}

/// What is refused, with file, line and column.
#[rstest]
#[case::header("include = \"p\"", "\n[access.users]\na = 1", Some("p"), 2)]
#[case::row("[access.users]\ninclude = \"p\"", "# c\na = \"x\"", Some("p"), 2)]
#[case::row_behind_a_comment(
    "[access.user_enabled]\nx = true\ninclude = \"p\"\ny = true",
    "\n\n a = true",
    Some("p"),
    3
)]
#[case::dotted("[access]\ninclude = \"p\"", "users.a = \"x\"", Some("p"), 1)]
#[case::dotted_at_the_root("include = \"p\"", "access.user_data_quota.a = 1", Some("p"), 1)]
#[case::inline("include = \"p\"", "access = { users = {} }", Some("p"), 1)]
#[case::value_across("include = \"p\"\n\"\"\"\n", "access.users.a = \"\"\"", Some("p"), 1)]
#[case::table_in_a_string("x = \"\"\"\ninclude = \"p\"\n\"\"\"", "\"\"\"\n[access.users]\ny = \"\"\"", Some("p"), 2)]
fn a_managed_table_in_an_included_file_is_refused(
    #[case] main: &str,
    #[case] part: &str,
    #[case] file: Option<&str>,
    #[case] line: usize,
) {
    let error = render(&source(main, part)).unwrap_err();
    assert_eq!((error.file.as_deref(), error.line), (file.map(Path::new), line), "{error}");
    assert!(error.message.contains("include line"), "{error}");
}

/// Files that are written, and what they are then.
#[rstest]
#[case::at_the_root("include = \"p\"\n", "x = 1", "include = \"p\"\n\nPLACED")]
#[case::last_line_without_end("x = 1\r\ninclude = \"p\"", "[a]", "x = 1\r\ninclude = \"p\"\r\n\r\nPLACED")]
#[case::no_toml_alone("include = p\ninclude = p\n", "# c", "include = p\ninclude = p\n\nPLACED")]
#[case::after_access(
    "[access]\nx = 1\n[b]\ninclude = \"p\"\ny = 1\n",
    "[c]",
    "[access]\nx = 1\n[b]\ninclude = \"p\"\ny = 1\n\nPLACED"
)]
#[case::in_a_managed_table(
    "[access.users]\na = \"x\"\n include = \"p\" \nb = \"y\"\n[c]\n",
    "# c",
    "PLACED include = \"p\" \n[c]\n"
)]
#[case::below_a_managed_table("[access.users]\na = \"x\"\ninclude = \"p\"\n", "[c]\nx = 1", "PLACEDinclude = \"p\"\n")]
#[case::in_a_later_table(
    "[access.users]\n[b]\n[access.user_enabled]\na = true\ninclude = \"p\"\nb = true\n",
    "",
    "PLACED[b]\ninclude = \"p\"\n"
)]
#[case::between_managed_tables(
    "[access.users]\na = \"x\"\n include = \"p\"\n[access.user_enabled]\n",
    "\n",
    "[access.users]\n\"mtpannel-placeholder\" = \"abababababababababababababababab\"\n include = \"p\"\n\
     [access.user_enabled]\n\"mtpannel-placeholder\" = false\n"
)]
#[case::in_a_string(
    "x = '''\ninclude = \"p\"\n'''\naccess.users.a = \"x\"\n",
    "[access.users]",
    "x = '''\ninclude = \"p\"\n'''\n\nPLACED"
)]
#[case::after_a_mark(
    "\u{feff}include = \"p\"\ninclude = \"p\"\n",
    "[b]\n",
    "\u{feff}include = \"p\"\ninclude = \"p\"\n\nPLACED"
)]
#[case::mark_in_the_included_file(
    "include = \"p\"\n[access.users]\na = \"x\"\n",
    "\u{feff}x = 1",
    "include = \"p\"\nPLACED"
)]
fn include_lines_survive_and_managed_tables_are_written_into_the_main_file(
    #[case] main: &str,
    #[case] part: &str,
    #[case] expected: &str,
) {
    let expected = expected.replace("PLACED", &PLACED.replace('\n', if main.contains("\r\n") { "\r\n" } else { "\n" }));
    let written = render(&source(main, part)).unwrap();
    assert_eq!(written, expected);
    assert_eq!(render(&source(&written, part)).unwrap(), expected, "once more");
}
