use std::collections::HashMap;

use rstest::rstest;

use super::*;

/// A source over files in memory; the main file is `/etc/main.toml`.
fn source(main: &str, files: &[(&str, &str)]) -> Result<Source, IncludeError> {
    let files: HashMap<&Path, &str> = files.iter().map(|(path, text)| (Path::new(*path), *text)).collect();
    let read = |path: &Path| files.get(path).map(|text| (*text).to_owned()).ok_or_else(|| "not there".to_owned());
    Source::read(Path::new("/etc/main.toml"), main, read)
}

#[rstest]
#[case("include = \"a.toml\"", Some("a.toml"))]
#[case("\t include=a.toml \r\n", Some("a.toml"))]
#[case("include   =   \"\"a b.toml\"\"  ", Some("a b.toml"))]
#[case("include = 'a.toml'", Some("'a.toml'"))]
#[case("include = \"a.toml\" # mine", Some("a.toml\" # mine"))]
#[case("include =", Some(""))]
#[case("# include = \"a.toml\"", None)]
#[case("\"include\" = \"a.toml\"", None)]
#[case("includes = \"a.toml\"", None)]
#[case("include.x = 1", None)]
#[case("include_x = 1", None)]
#[case("x = 1; include = \"a.toml\"", None)]
#[case("\u{feff}include = \"a.toml\"", None)]
fn a_line_is_an_include_line_where_the_proxy_takes_it_as_one(#[case] line: &str, #[case] path: Option<&str>) {
    assert_eq!(included_path(line), path);
}

#[test]
fn files_stand_in_the_place_of_their_lines_and_paths_start_at_the_file_that_names_them() {
    let files = [
        ("/etc/sub/a.toml", "a = 1\ninclude = \"b.toml\"\nc = 1"),
        ("/etc/sub/b.toml", "b = 1"),
        ("/opt/d.toml", "d = 1\n"),
        ("/etc/empty.toml", ""),
    ];
    let main = "x = 1\r\ninclude = \"sub/a.toml\"\r\ny = 1\ninclude = \"/opt/d.toml\"\ninclude = empty.toml\nz = 1";
    let source = source(main, &files).unwrap();
    assert_eq!(source.text(), "x = 1\r\na = 1\nb = 1\n\nc = 1\n\ny = 1\nd = 1\n\n\nz = 1\n");
    assert_eq!(source.main(), main);
    let paths: Vec<_> = source.included().iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(paths, ["/etc/sub/a.toml", "/etc/sub/b.toml", "/opt/d.toml", "/etc/empty.toml"]);
}

#[test]
fn every_place_is_found_in_its_own_file() {
    let files = [("/etc/a.toml", "a = 1\n\ninclude = \"b.toml\"\n  c = 1"), ("/etc/b.toml", "\nb = 1")];
    let main = "\u{feff}x = 1\ninclude = \"a.toml\"\n y = 1";
    let source = source(main, &files).unwrap();
    let lines = Lines::new(&source);
    let locate = |part: &str| {
        let at = lines.locate(source.bare().find(part).unwrap());
        (at.file.map(|file| file.to_str().unwrap().to_owned()), at.line, at.column)
    };
    let (a, b) = (Some("/etc/a.toml".to_owned()), Some("/etc/b.toml".to_owned()));
    assert_eq!(locate("x = 1"), (None, 1, 1));
    assert_eq!(locate("a = 1"), (a.clone(), 1, 1));
    assert_eq!(locate("b = 1"), (b, 2, 1));
    assert_eq!(locate("c = 1"), (a, 4, 3));
    assert_eq!(locate("y = 1"), (None, 3, 2));
    let in_main = |part: &str| source.in_main(source.bare().find(part).unwrap());
    assert_eq!(in_main("x = 1"), Some(0));
    assert_eq!((in_main("a = 1"), in_main("b = 1")), (None, None));
    assert_eq!(in_main("y = 1"), source.bare_main().find("y = 1"));
    let all = source.bare().len();
    assert_eq!(source.range_in_main(&(0..all)), Some(0..source.bare_main().len()));
    let parts: String = source.included_parts(3..all).map(|part| &source.bare()[part]).collect();
    assert_eq!(parts, "a = 1\n\n\nb = 1\n\n  c = 1\n\n");
}

#[test]
fn a_text_that_includes_nothing_is_itself() {
    let text = "x = 1\n# include = \"a.toml\"\nincludes = 2";
    let source = source(text, &[]).unwrap();
    assert_eq!((source.text(), source.included().len(), source.in_main(7)), (text, 0, Some(7)));
    assert_eq!(Source::alone("include = 1").text(), "include = 1");
}

#[rstest]
#[case::missing(
    "x = 1\ninclude = \"away.toml\"",
    "/etc/main.toml, line 2: the included file /etc/away.toml cannot be read: not there"
)]
#[case::deeper("include = \"deep.toml\"", "/etc/deep.toml, line 3: the included file /etc/away.toml cannot be read")]
#[case::itself("include = \"main.toml\"", "more than 10 levels deep")]
#[case::a_ring("include = \"ring.toml\"", "more than 10 levels deep")]
fn an_include_that_the_proxy_refuses_is_named_with_its_line(#[case] main: &str, #[case] expected: &str) {
    let files = [
        ("/etc/main.toml", main),
        ("/etc/deep.toml", "\n\ninclude = \"away.toml\""),
        ("/etc/ring.toml", "include = \"gnir.toml\""),
        ("/etc/gnir.toml", "include = \"ring.toml\""),
    ];
    let error = source(main, &files).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[rstest]
#[case(10, true)]
#[case(11, false)]
fn ten_levels_are_followed(#[case] levels: usize, #[case] fine: bool) {
    let names: Vec<String> = (1..=levels).map(|level| format!("/etc/{level}.toml")).collect();
    let texts: Vec<String> = (1..=levels).map(|level| format!("include = \"{}.toml\"", level + 1)).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    files[levels - 1].1 = "x = 1";
    assert_eq!(source("include = \"1.toml\"", &files).is_ok(), fine);
}

#[test]
fn a_tree_of_files_is_bounded() {
    let names: Vec<String> = (0..=4).map(|level| format!("/etc/{level}.toml")).collect();
    let texts: Vec<String> = (0..=4).map(|level| format!("include = \"{}.toml\"\n", level + 1).repeat(9)).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    files[4].1 = "";
    let error = source("include = \"0.toml\"", &files).unwrap_err().to_string();
    assert!(error.contains("more than 1000 included files"), "{error}");
}
