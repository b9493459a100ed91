//! Versions of telemt that the panel was checked with.

/// Minor versions whose file and metrics were checked: 3.4 with the program, 3.5 by its sources.
const CHECKED: [(u32, u32); 2] = [(3, 4), (3, 5)];

/// The checked versions in words.
pub(super) fn checked() -> String {
    let versions: Vec<String> = CHECKED.iter().map(|(major, minor)| format!("telemt {major}.{minor}")).collect();
    versions.join(" or ")
}

/// Whether `version`, as `telemt_build_info` shows it, is newer than all that were checked, by major and minor number.
/// What is no version of telemt (the built-in proxy's is not) is not newer.
pub fn is_untested(version: &str) -> bool {
    let mut parts = version.strip_prefix('v').unwrap_or(version).split(['.', '-', '+']);
    let mut number = || parts.next()?.parse::<u32>().ok();
    let (Some(major), Some(minor)) = (number(), number()) else { return false };
    CHECKED.iter().all(|checked| *checked < (major, minor))
}

#[cfg(test)]
mod tests {
    use super::is_untested;
    use rstest::rstest;

    #[rstest]
    #[case("3.4.25", false)]
    #[case("3.5.0", false)]
    #[case("3.5.99-rc1", false)]
    #[case("3.6.0", true)]
    #[case("v3.10", true)]
    #[case("4.0.0-beta", true)]
    #[case("3.3.9", false)]
    #[case("mtpannel-0.1.0", false)]
    #[case("", false)]
    #[case("3", false)]
    fn a_newer_minor_version_is_untested(#[case] version: &str, #[case] expected: bool) {
        assert_eq!(is_untested(version), expected);
    }
}
