//! Warnings of the built-in proxy; telemt has none.

use super::text::{labels, unescape};

/// More are not kept: the proxy shows a few of each kind.
const MOST: usize = 128;

/// A warning of the proxy (`mtproxy_warning`, labels `code` and `subject`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    /// The code of the warning.
    pub code: String,
    /// What it is about: a data centre, a server, a key of the file.
    pub subject: String,
}

/// Reads what follows the name in a line of `mtproxy_warning`. A value of 0 is no warning.
pub(super) fn read(rest: &str, troubles: &mut Vec<Trouble>) {
    let mut trouble = Trouble::default();
    let value = labels(rest, |label, value| match label {
        "code" => trouble.code = unescape(value).into_owned(),
        "subject" => trouble.subject = unescape(value).into_owned(),
        _ => {}
    });
    let in_force = value.is_some_and(|value| value.trim_ascii() != "0");
    if in_force && !trouble.code.is_empty() && troubles.len() < MOST {
        troubles.push(trouble);
    }
}

#[cfg(test)]
mod tests {
    use super::Trouble;
    use crate::exposition::Snapshot;

    fn troubles(lines: &str) -> Vec<Trouble> {
        Snapshot::parse(&format!("telemt_uptime_seconds 1\n{lines}\n")).unwrap().troubles
    }

    fn trouble(code: &str, subject: &str) -> Trouble {
        Trouble { code: code.to_owned(), subject: subject.to_owned() }
    }

    #[test]
    fn what_does_not_work_is_read_with_its_subject() {
        let lines = "# TYPE mtproxy_warning gauge\n\
            mtproxy_warning{code=\"dc_unreachable\",subject=\"-4\"} 1\n\
            mtproxy_warning{subject=\"a\\\"b\\\\\",code=\"upstream_login\"} 1\n\
            mtproxy_warning{code=\"dc_unknown\",subject=\"6\"} 0\n\
            mtproxy_warning{subject=\"6\"} 1\n\
            mtproxy_warnings_total{code=\"other\"} 1\n\
            mtproxy_warning{code=\"broken";
        assert_eq!(troubles(lines), [trouble("dc_unreachable", "-4"), trouble("upstream_login", "a\"b\\")]);
        assert_eq!(troubles(""), []);
    }

    #[test]
    fn a_text_full_of_them_does_not_fill_the_memory() {
        assert_eq!(troubles(&"mtproxy_warning{code=\"x\"} 1\n".repeat(10_000)).len(), super::MOST);
    }
}
