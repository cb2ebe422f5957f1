//! What the READMEs name is there.
#![cfg(test)]

use std::path::{Path, PathBuf};

/// All READMEs of the repository, with their texts.
fn readmes() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut folders, mut all) = (vec![root.to_owned()], vec![]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if name == "README.md" {
                let text = std::fs::read_to_string(&path).unwrap();
                all.push((path, text));
            }
        }
    }
    assert!(all.len() > 5);
    all
}

#[test]
fn nothing_is_left_to_fill_in() {
    for (path, text) in readmes() {
        let line = text.lines().find(|line| line.contains("@@"));
        assert_eq!(line, None, "{}", path.display());
    }
}

#[test]
fn links_lead_somewhere() {
    for (path, text) in readmes() {
        let links = text.split("](").skip(1);
        let links = links.filter_map(|rest| rest.split_once(')'));
        for (link, _) in links.filter(|(link, _)| !link.contains("://")) {
            let file = link.split('#').next().unwrap();
            let there = file.is_empty() || path.parent().unwrap().join(file).exists();
            assert!(there, "{}: {link}", path.display());
        }
    }
}

/// Tests that keep an invariant are named by their path from the root, or beside the one before.
#[test]
fn tests_of_invariants_are_where_they_are_said_to_be() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read_to_string(root.join("engine/README.md")).unwrap();
    let (_, invariants) = text.split_once("\n## Invariants\n").unwrap();
    let (invariants, _) = invariants.split_once("\n## ").unwrap();
    let (mut folder, mut found) = (root.to_owned(), 0);
    for word in invariants.split('`').skip(1).step_by(2) {
        if word.contains(' ') || !(word.contains('/') || word.ends_with(".rs")) {
            continue;
        }
        let path = match word.contains('/') {
            true => root.join(word),
            false => folder.join(word),
        };
        assert!(path.exists(), "engine/README.md: `{word}`");
        folder = path.parent().unwrap().to_owned();
        found += 1;
    }
    assert!(found > 30, "{found} paths");
}
