//! No circle between files, but for those that are listed with their reason: by the `use` lines of each
//! crate, names that are passed on (`pub use`) followed to the file that has them.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The files of a circle, and why it is one. Whoever cuts one takes it out here.
const ALLOWED: &[(&[&str], &str)] = &[
    (
        &[
            "engine/patient/src/bundle/mod.rs",
            "engine/patient/src/bundle/deletion.rs",
            "engine/patient/src/bundle/identity.rs",
            "engine/patient/src/bundle/reference.rs",
            "engine/patient/src/bundle/rewrite.rs",
        ],
        "`mod.rs` has the Bundle and its context, which the parts of reading one take and it calls",
    ),
    (
        &[
            "engine/patient/src/fhir/profiles/mod.rs",
            "engine/patient/src/fhir/profiles/content.rs",
        ],
        "`mod.rs` has the decision, which its part by content gives",
    ),
    (
        &[
            "engine/patient/src/record/mod.rs",
            "engine/patient/src/record/age.rs",
            "engine/patient/src/record/element.rs",
            "engine/patient/src/record/kept.rs",
        ],
        "a record gives its elements, an element is a place in a record; what is kept of it follows its changes",
    ),
    (
        &[
            "engine/population/src/lake/commit/change.rs",
            "engine/population/src/lake/commit/plausible.rs",
            "engine/population/src/lake/commit/snapshot.rs",
        ],
        "a snapshot is checked when it is read, by rules that a change of it keeps too",
    ),
    (
        &[
            "measures/src/explain/mod.rs",
            "measures/src/explain/clause_results.rs",
            "measures/src/explain/resource_facts.rs",
            "measures/src/explain/verdict/group.rs",
            "measures/src/explain/verdict/mod.rs",
        ],
        "`mod.rs` has the types of an explanation, which its parts fill",
    ),
    (
        &[
            "measures/src/package/mod.rs",
            "measures/src/package/load.rs",
            "measures/src/package/resolve.rs",
            "measures/src/package/select.rs",
        ],
        "`mod.rs` has the package, which its parts load and choose from",
    ),
    (
        &["measures/src/score/mod.rs", "measures/src/score/gate.rs"],
        "`mod.rs` has what criteria gave, which the gate takes and it calls",
    ),
    (
        &[
            "rules/src/explanation/mod.rs",
            "rules/src/explanation/evidence.rs",
            "rules/src/explanation/tree.rs",
        ],
        "`mod.rs` has the types of an explanation, which its parts fill",
    ),
];

/// A module's place in its crate.
type Module = Vec<String>;

/// A name that a file takes from elsewhere.
struct Use {
    /// As it is called here; `*` for all.
    name: String,
    path: Vec<String>,
    passed_on: bool,
}

struct File {
    path: PathBuf,
    /// Without comments, uses and tests.
    code: String,
    uses: Vec<Use>,
}

#[test]
fn no_circle_between_files_but_those_with_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = BTreeSet::new();
    for krate in [
        "engine/patient",
        "engine/cel",
        "engine/elm",
        "engine/fhirpath",
        "engine/population",
        "engine/cli",
        "datasets/sources",
        "datasets",
        "rules",
        "rules/rehearse",
        "measures",
        "measures/run",
        "cds-hooks",
    ] {
        let mut files = BTreeMap::new();
        read(&root.join(krate).join("src"), &mut files);
        assert!(files.len() > 2, "{krate}");
        for circle in circles(&files) {
            let names = circle.iter().map(|module| {
                let path = files[*module].path.strip_prefix(root).unwrap();
                path.to_string_lossy().replace('\\', "/")
            });
            let mut names: Vec<String> = names.collect();
            names.sort();
            found.insert(names);
        }
    }
    let allowed = ALLOWED.iter().map(|(files, reason)| {
        assert!(reason.len() > 10, "{files:?}: no reason");
        let mut files: Vec<String> = files.iter().map(|&f| f.to_owned()).collect();
        files.sort();
        files
    });
    let allowed: BTreeSet<Vec<String>> = allowed.collect();
    let new: Vec<_> = found.difference(&allowed).collect();
    assert!(new.is_empty(), "new circles: {new:#?}");
    let gone: Vec<_> = allowed.difference(&found).collect();
    assert!(gone.is_empty(), "no circles any more: {gone:#?}");
}

/// The files of a crate by their modules, those of tests left out.
fn read(src: &Path, files: &mut BTreeMap<Module, File>) {
    let mut folders = vec![(src.to_owned(), vec![])];
    while let Some((folder, module)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            if stem == "tests" || stem.ends_with("_tests") {
                continue;
            }
            let mut module: Module = module.clone();
            if path.is_dir() {
                module.push(stem);
                folders.push((path, module));
            } else if path.extension().is_some_and(|e| e == "rs") {
                if !["mod", "lib", "main"].contains(&&*stem) {
                    module.push(stem);
                }
                let text = std::fs::read_to_string(&path).unwrap();
                files.insert(module, file(path, &text));
            }
        }
    }
}

fn file(path: PathBuf, text: &str) -> File {
    let (mut code, mut uses) = (String::new(), vec![]);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let line = line.trim();
        // Tests within a file are its end.
        if line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.ends_with('{')) {
            break;
        }
        if line.starts_with("//") {
            continue;
        }
        let before = line.split_once("use ").map(|(before, _)| before.trim());
        let passed_on =
            before.is_some_and(|b| b == "pub" || b.starts_with("pub(") && b.ends_with(')'));
        if before != Some("") && !passed_on {
            code.push_str(line);
            code.push('\n');
            continue;
        }
        let mut statement = line.to_owned();
        while !statement.contains(';') {
            statement.push_str(lines.next().unwrap().trim());
        }
        let (_, tree) = statement.split_once("use ").unwrap();
        let (tree, _) = tree.split_once(';').unwrap();
        flatten(&[], tree, passed_on, &mut uses);
    }
    File { path, code, uses }
}

/// The paths of a tree such as `a::{b, c::{self, d as e}}`.
fn flatten(before: &[String], tree: &str, passed_on: bool, uses: &mut Vec<Use>) {
    let mut path = before.to_vec();
    if let Some((start, branches)) = tree.split_once('{') {
        path.extend(segments(start));
        let branches = branches.trim_end().strip_suffix('}').unwrap();
        let (mut depth, mut from) = (0, 0);
        for (at, c) in branches.char_indices().chain([(branches.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let branch = branches[from..at].trim();
                    if !branch.is_empty() {
                        flatten(&path, branch, passed_on, uses);
                    }
                    from = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let (tree, alias) = match tree.split_once(" as ") {
        Some((tree, alias)) => (tree, Some(alias.trim().to_owned())),
        None => (tree, None),
    };
    path.extend(segments(tree));
    if path.len() > 1 && path.last().is_some_and(|l| l == "self") {
        path.pop();
    }
    let name = alias.or_else(|| path.last().cloned()).unwrap();
    uses.push(Use {
        name,
        path,
        passed_on,
    });
}

fn segments(path: &str) -> impl Iterator<Item = String> {
    let parts = path.split("::").map(str::trim);
    parts.filter(|p| !p.is_empty()).map(str::to_owned)
}

/// The module that has what a path names; `None` for what is of another crate.
fn resolve(
    files: &BTreeMap<Module, File>,
    from: &Module,
    path: &[String],
    left: u8,
) -> Option<Module> {
    let mut module = from.clone();
    let mut rest = path.iter().peekable();
    let mut begun = false;
    while let Some(segment) = rest.peek() {
        match &***segment {
            "crate" => module.clear(),
            "super" => {
                module.pop()?;
            }
            "self" => {}
            _ => break,
        }
        begun = true;
        rest.next();
    }
    while let Some(segment) = rest.next() {
        let mut inner = module.clone();
        inner.push(segment.clone());
        if files.contains_key(&inner) {
            (module, begun) = (inner, true);
            continue;
        }
        let here = files.get(&module)?;
        if !defines(here, segment) && left > 0 {
            let named = here
                .uses
                .iter()
                .filter(|u| u.name == **segment || u.name == "*");
            for passed in named {
                let mut path = passed.path.clone();
                match passed.name == "*" {
                    true => *path.last_mut()? = segment.clone(),
                    false if path == [segment.clone()] => continue,
                    false => {}
                }
                path.extend(rest.clone().cloned());
                if let Some(found) = resolve(files, &module, &path, left - 1) {
                    return Some(found);
                }
            }
        }
        // A name of its own, or of another crate that came in by a `use`.
        let own = begun
            && (segment == "*" || defines(here, segment) || here.code.contains("macro_rules!"));
        return own.then_some(module);
    }
    begun.then_some(module)
}

fn defines(file: &File, name: &str) -> bool {
    let kinds = [
        "struct",
        "enum",
        "fn",
        "type",
        "trait",
        "const",
        "static",
        "union",
        "macro_rules!",
        "mod",
    ];
    kinds
        .iter()
        .any(|kind| has_word(&file.code, &format!("{kind} {name}")))
}

fn has_word(text: &str, word: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(letter) && !after.starts_with(letter)
    })
}

/// The groups of files that lead to each other.
fn circles(files: &BTreeMap<Module, File>) -> Vec<Vec<&Module>> {
    let mut leads: BTreeMap<&Module, BTreeSet<&Module>> = BTreeMap::new();
    for (module, file) in files {
        // What is only passed on does not lead there: whoever takes it does.
        let own = file
            .uses
            .iter()
            .filter(|u| !u.passed_on || has_word(&file.code, &u.name));
        let to = own.filter_map(|u| resolve(files, module, &u.path, 8));
        let to = to.filter_map(|to| files.get_key_value(&to).map(|(to, _)| to));
        leads
            .entry(module)
            .or_default()
            .extend(to.filter(|to| *to != module));
    }
    let mut reach: BTreeMap<&Module, BTreeSet<&Module>> = BTreeMap::new();
    for module in files.keys() {
        let (mut seen, mut next) = (BTreeSet::new(), vec![module]);
        while let Some(module) = next.pop() {
            next.extend(leads[module].iter().filter(|to| seen.insert(**to)));
        }
        reach.insert(module, seen);
    }
    let mut groups: BTreeSet<Vec<&Module>> = BTreeSet::new();
    for (module, seen) in &reach {
        if seen.contains(module) {
            let group = seen.iter().filter(|other| reach[**other].contains(module));
            groups.insert(group.copied().collect());
        }
    }
    groups.into_iter().collect()
}

/// A circle of two through a name that a third passes on is found; what only passes on is in none.
#[test]
fn a_circle_is_found_through_a_name_that_is_passed_on() {
    let of = |texts: &[(&str, &str)]| {
        let files = texts.iter().map(|(module, text)| {
            let module = segments(module).collect();
            (module, file(PathBuf::new(), text))
        });
        let files: BTreeMap<Module, File> = files.collect();
        let circles = circles(&files).into_iter();
        circles
            .map(|c| c.into_iter().map(|m| m.join("::")).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let lib = (
        "",
        "mod a;\nmod b;\npub use a::A;\npub use b::{B as Bee, C};\n",
    );
    let b = ("b", "use super::A;\npub struct B;\npub struct C(A);\n");
    let a = ("a", "use crate::{\n    Bee,\n};\npub struct A;\n");
    assert_eq!(of(&[lib, a, b]), [["a", "b"]]);
    let a = (
        "a",
        "// use crate::Bee;\npub struct A;\n#[cfg(test)]\nmod tests {\n    use super::super::Bee;\n}\n",
    );
    assert!(of(&[lib, a, b]).is_empty());
}
