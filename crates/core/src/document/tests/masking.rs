//! Another masking domain in the text of a file.

use std::path::Path;

use rstest::rstest;

use crate::document::{MaskSite, set_mask_domain};
use crate::include::Source;

fn set(text: &str, domain: &str, site: Option<&str>) -> Result<String, String> {
    let site = site.map(|site| site.parse().unwrap());
    set_mask_domain(&Source::alone(text), &domain.parse().unwrap(), site.as_ref()).map_err(|error| error.to_string())
}

#[rstest]
#[case::section(
    "# tls_domain = 'a'\r\n[other]\r\ntls_domain = 'keep'\r\n[censorship] # x\r\n  tls_domain='old.example' # mine\r\n",
    "# tls_domain = 'a'\r\n[other]\r\ntls_domain = 'keep'\r\n[censorship] # x\r\n  tls_domain=\"new.example\" # mine\r\n"
)]
#[case::inline(
    "censorship = { tls_domain = 'old.example', mask = true } # y",
    "censorship = { tls_domain = \"new.example\", mask = true } # y"
)]
#[case::dotted("\u{feff}censorship.tls_domain = \"old.example\"", "\u{feff}censorship.tls_domain = \"new.example\"")]
#[case::the_same("[censorship]\ntls_domain = 'new.example'\n", "[censorship]\ntls_domain = 'new.example'\n")]
#[case::several_lines(
    "[censorship]\ntls_domain = '''\nold.example'''\n",
    "[censorship]\ntls_domain = \"new.example\"\n"
)]
fn only_the_domain_changes(#[case] before: &str, #[case] after: &str) {
    assert_eq!(set(before, "new.example", None), Ok(after.to_owned()));
}

#[test]
fn where_the_site_is_reached_is_written_beside_the_domain_changed_with_it_and_taken_away() {
    let before = "[other]\nmask_port = 1\n[censorship]\n  tls_domain = \"a.example\" # x\n# mine\nmask = true";
    let first = set(before, "a.example", Some("192.0.2.7:8444")).unwrap();
    assert_eq!(
        first,
        "[other]\nmask_port = 1\n[censorship]\n  tls_domain = \"a.example\" # x\n  mask_host = \"192.0.2.7\"\n  \
         mask_port = 8444\n# mine\nmask = true"
    );
    let second = set(&first, "b.example", Some("[2001:db8::1]:443")).unwrap();
    assert_eq!(
        second,
        first.replace("a.example", "b.example").replace("192.0.2.7", "2001:db8::1").replace("8444", "443")
    );
    let back = set(&second, "a.example", Some("none")).unwrap();
    assert_eq!(back, before.replace("# x\n", "# x\n  mask_port = 443\n"));
    assert_eq!(set(&back, "a.example", None), Ok(back));
}

#[rstest]
#[case(
    "censorship.tls_domain = 'a.example'",
    "censorship.tls_domain = 'a.example'\ncensorship.mask_host = \"site.example\"\ncensorship.mask_port = 8444"
)]
#[case(
    "[censorship]\r\ntls_domain = 'a.example'\r\n[x]\r\n",
    "[censorship]\r\ntls_domain = 'a.example'\r\nmask_host = \"site.example\"\r\nmask_port = 8444\r\n[x]\r\n"
)]
#[case(
    "[censorship]\nmask_port = 1 # p\nmask_host = 'x' # h\ntls_domain = 'a.example'\n",
    "[censorship]\nmask_port = 8444 # p\nmask_host = \"site.example\" # h\ntls_domain = 'a.example'\n"
)]
fn the_site_is_written_in_the_form_of_the_file(#[case] before: &str, #[case] after: &str) {
    assert_eq!(set(before, "a.example", Some("site.example:8444")), Ok(after.to_owned()));
}

#[rstest]
#[case("[server]\nport = 1\n", None, "line 1, column 1: there is no censorship.tls_domain here")]
#[case("x = 1\n[censorship]\nmask = true\n", None, "line 2, column 1: there is no censorship.tls_domain here")]
#[case("[[censorship]]\ntls_domain = 'a.example'\n", None, "line 1, column 1: there is no censorship.tls_domain here")]
#[case("[censorship]\ntls_domain = 5\n", None, "line 2, column 14: censorship.tls_domain must be a string")]
#[case("[censorship]\ntls_domain = \n", None, "line 2, column 14: ")]
#[case(
    "censorship = { tls_domain = 'a.example' }\n",
    Some("none"),
    "line 1, column 29: [censorship] is an inline table"
)]
fn what_cannot_be_changed_is_told_with_its_place(#[case] text: &str, #[case] site: Option<&str>, #[case] why: &str) {
    let error = set(text, "new.example", site).unwrap_err();
    assert!(error.starts_with(why), "{error}");
}

#[test]
fn a_domain_in_an_included_file_is_refused_and_one_behind_it_is_changed() {
    let include = |text: &str, included: &str| {
        let source = Source::read(Path::new("config.toml"), text, |_| Ok(included.to_owned())).unwrap();
        set_mask_domain(&source, &"new.example".parse().unwrap(), None).map_err(|error| error.to_string())
    };
    let error = include("include = \"other.toml\"\n", "[censorship]\n\ntls_domain = 'a.example'\n").unwrap_err();
    assert!(
        error.starts_with("in the included file other.toml, line 3, column 14: this stands in an included"),
        "{error}"
    );
    let main = "\u{feff}[server]\ninclude = \"other.toml\"\n[censorship]\ntls_domain = 'a.example' # x\n";
    let site = "[censorship]\ntls_domain = 'new.example'\nmask_host = 'x'\n";
    assert_eq!(set(site, "new.example", Some("none")), Ok(site.replace("mask_host = 'x'", "mask_port = 443")));
    assert_eq!(include(main, "port = 1\n# long enough\n"), Ok(main.replace("'a.example'", "\"new.example\"")));
}

#[rstest]
#[case("example.com:0")]
#[case("example.com")]
#[case("2001:db8::1:443")]
#[case("exa mple:443")]
#[case("a.example:65536")]
fn a_site_is_a_host_and_a_port(#[case] text: &str) {
    assert!(text.parse::<MaskSite>().is_err());
}
