//! The order of the rooms (`docs/architecture.md`, "The house"): imports go one way, and in no circle. It reads the sources.

#![allow(clippy::unwrap_used, reason = "tests may")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module: its path below the crate.
type Module = Vec<String>;
type Imports = BTreeMap<Module, BTreeSet<Module>>;

/// The rooms of the panel, from the top; whoever stands together imports each other not at all.
const ORDER: [&[&str]; 11] = [
    &["main"],
    &["cli"],
    &["serve"],
    &["http"],
    &["service"],
    &["node", "task"],
    &["change"],
    &["app"],
    &["runtime"],
    &["settings"],
    &["store"],
];
/// What stands below all of them.
const BASE: [&str; 4] = ["clock", "random", "folder", "logging"];

fn sources(folder: &Path, at: &[String], found: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            sources(&path, &[at, &[name]].concat(), found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests" {
            let module = if name == "mod" { at.to_vec() } else { [at, &[name]].concat() };
            found.insert(module, code(&fs::read_to_string(path).unwrap()));
        }
    }
}

/// The text without comments and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The paths that begin with `crate`, `super` or `self` in a text, with the groups of `use` written out.
fn paths(text: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            if before.is_none_or(|before| !before.is_alphanumeric() && before != '_' && before != ':') {
                expand(&text[at..], &[], &mut found);
            }
        }
    }
    found
}

/// Reads one path, gives what follows it, and adds the path to `found`; one that ends in a group adds each of the group.
fn expand<'t>(mut text: &'t str, before: &[String], found: &mut Vec<Module>) -> &'t str {
    let mut path = before.to_vec();
    loop {
        let length = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        if length > 0 {
            path.push(text[..length].to_owned());
        }
        text = &text[length..];
        match text.strip_prefix("::") {
            Some(after) if after.starts_with('{') => {
                text = &after[1..];
                loop {
                    text = expand(text.trim_start(), &path, found).trim_start();
                    match text.strip_prefix(',') {
                        Some(after) => text = after,
                        None => return text.strip_prefix('}').unwrap_or(text),
                    }
                    if let Some(after) = text.trim_start().strip_prefix('}') {
                        return after;
                    }
                }
            }
            Some(after) => text = after,
            None => break,
        }
    }
    found.push(path);
    // `a::b as c` names nothing else.
    match text.trim_start().strip_prefix("as ") {
        Some(after) => after.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
        None => text,
    }
}

fn imports(root: &str) -> Imports {
    let mut modules = BTreeMap::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(root), &[], &mut modules);
    let resolve = |module: &Module, path: Module| -> Option<Module> {
        let mut at = if path[0] == "crate" { Vec::new() } else { module.clone() };
        for part in path {
            match part.as_str() {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                _ => at.push(part),
            }
        }
        while !at.is_empty() && !modules.contains_key(&at) {
            at.pop();
        }
        (!at.is_empty() && at != *module).then_some(at)
    };
    let of = |(module, text): (&Module, &String)| {
        let all = paths(text).into_iter().filter_map(|path| resolve(module, path));
        // A file and its own child modules are one thing.
        (module.clone(), all.filter(|other| !other.starts_with(module) && !module.starts_with(other)).collect())
    };
    modules.iter().map(of).collect()
}

/// A way from a module back to itself, if there is one.
fn circle(imports: &Imports) -> Option<Vec<String>> {
    fn visit(module: &Module, imports: &Imports, way: &mut Vec<Module>, done: &mut BTreeSet<Module>) -> bool {
        if way.contains(module) {
            way.push(module.clone());
            return true;
        }
        if !done.insert(module.clone()) {
            return false;
        }
        way.push(module.clone());
        if imports.get(module).into_iter().flatten().any(|next| visit(next, imports, way, done)) {
            return true;
        }
        way.pop();
        false
    }
    let mut done = BTreeSet::new();
    imports.keys().find_map(|module| {
        let mut way = Vec::new();
        visit(module, imports, &mut way, &mut done).then(|| way.iter().map(|module| module.join("::")).collect())
    })
}

fn rank(module: &Module) -> usize {
    let room = module[0].as_str();
    if BASE.contains(&room) {
        return ORDER.len();
    }
    ORDER.iter().position(|rooms| rooms.contains(&room)).unwrap_or_else(|| panic!("{room} has no place in the order"))
}

#[test]
fn no_module_imports_one_that_imports_it() {
    for root in ["src", "../core/src", "../proxy/src"] {
        let imports = imports(root);
        assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 10, "{root}: imports are found");
        assert_eq!(circle(&imports), None, "{root}");
    }
}

#[test]
fn rooms_of_the_panel_import_only_those_below_them() {
    let mut wrong = Vec::new();
    for (module, others) in imports("src").into_iter().filter(|(module, _)| !module.is_empty() && module[0] != "lib") {
        for other in others {
            if module[0] != other[0] && rank(&module) >= rank(&other) {
                wrong.push(format!("{} imports {}", module.join("::"), other.join("::")));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_bytes_of_the_protocol_are_read_without_input_or_output() {
    let mut files = BTreeMap::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../proxy/src/wire"), &[], &mut files);
    assert!(files.len() > 5);
    for (module, text) in files {
        for word in ["tokio", "std::net::Tcp", "std::fs", "std::io::"] {
            assert!(!text.contains(word), "wire::{}: {word}", module.join("::"));
        }
    }
}

#[test]
fn a_circle_is_found() {
    let module = |name: &str| vec![name.to_owned()];
    let imports: Imports =
        [("a", "b"), ("b", "c"), ("c", "a")].map(|(from, to)| (module(from), BTreeSet::from([module(to)]))).into();
    assert_eq!(circle(&imports).unwrap(), ["a", "b", "c", "a"]);
    let found = paths("use crate::{a, b::{self, c as d}, e};\nfn f() { super::g::h() }");
    let found: Vec<_> = found.iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["crate::a", "crate::b::self", "crate::b::c", "crate::e", "super::g::h"]);
}
