//! The plan of the house (`CONTRIBUTING.md`), held by a test: who may know what.

use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// No file written by hand is longer, tests apart.
const LONGEST_FILE: usize = 300;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.expect("a readable folder").path();
            match path.extension() {
                _ if path.is_dir() => walk(&path, found),
                Some(extension) if extension == "rs" => found.push(path),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(ROOT).join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has sources");
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        (path.strip_prefix(ROOT).expect("below the root").to_owned(), text)
    };
    found.into_iter().map(read).collect()
}

fn members() -> Vec<(PathBuf, String)> {
    ["bench/src", "consumer/src", "drill/src", "producer/src", "shared/src", "simulator/src"]
        .into_iter()
        .flat_map(sources)
        .collect()
}

/// Asserts that only files below these places say this.
fn only_below(said: &[&str], places: &[&str]) {
    for (path, text) in members() {
        let says = said.iter().find(|said| {
            text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(*said))
        });
        if let Some(said) = says {
            assert!(places.iter().any(|place| path.starts_with(place)), "{} says {said}", path.display());
        }
    }
}

#[test]
fn each_outside_world_has_one_room() {
    // The benchmark's reference speaks all three by itself: it is what ours is measured against.
    only_below(&["lapin::", "use lapin"], &["shared/src/queue", "bench/src/bare"]);
    only_below(
        &["reqwest::", "use reqwest"],
        &[
            "shared/src/elevenlabs",
            "shared/src/queue/management.rs",
            "bench/src/bare",
            "bench/src/control.rs",
        ],
    );
    only_below(
        &["diesel::", "use diesel"],
        &[
            "shared/src/database",
            "shared/src/testing",
            "consumer/src/persist",
            "drill/src/ledger.rs",
            "producer/src/records.rs",
            "producer/src/records",
            "bench/src/bare",
            "bench/src/tables.rs",
        ],
    );
    only_below(&["spawn_blocking"], &["shared/src/database/pool.rs"]);
}

#[test]
fn the_three_vocabularies_do_not_see_each_other() {
    let rooms = ["elevenlabs", "queue", "database"];
    for room in rooms {
        for (path, text) in sources(&format!("shared/src/{room}")) {
            for other in rooms.iter().filter(|other| **other != room) {
                let names = [format!("crate::{other}"), format!("shared::{other}")];
                assert!(
                    !names.iter().any(|name| text.contains(name.as_str())),
                    "{} sees {other}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn a_double_shares_nothing_with_what_it_stands_in_for() {
    for (path, text) in sources("simulator/src") {
        assert!(!text.contains("use shared") && !text.contains("shared::"), "{} uses shared", path.display());
    }
}

#[test]
fn files_stay_short_and_say_what_they_own() {
    for (path, text) in members() {
        let is_test =
            path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
        let is_generated = path.ends_with("schema.rs");
        let lines = text.lines().count();
        assert!(is_test || is_generated || lines <= LONGEST_FILE, "{} has {lines} lines", path.display());
        assert!(
            is_test || text.starts_with("//!") || text.starts_with("#![doc"),
            "{} opens with no //!",
            path.display()
        );
    }
}
