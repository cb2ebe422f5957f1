//! What `--help` says: the examples are typed as a reader would, and what read-mes name is there.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use super::document::{Document, Typed, root};
use super::elsewhere::{EXAMPLE_STAND_INS, EXAMPLES_ELSEWHERE};
use super::scratch::Scratch;
use super::{DOCUMENTS, Has, Place, give};
use crate::support::run;

/// Each command, as `measure run`, with its help; the program itself is "".
fn all() -> BTreeMap<String, String> {
    let (mut found, mut open) = (BTreeMap::new(), vec![String::new()]);
    while let Some(command) = open.pop() {
        let words = command.split_whitespace().chain(["--help"]);
        let help = run(&words.map(OsStr::new).collect::<Vec<_>>()).ok().out;
        let (_, below) = help.split_once("\nCommands:\n").unwrap_or_default();
        let listed = below.lines().take_while(|line| !line.is_empty());
        let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        let names = names.filter(|name| !name.is_empty() && *name != "help");
        open.extend(names.map(|name| format!("{command} {name}").trim().to_owned()));
        found.insert(command, help);
    }
    found
}

/// The lines below `Examples:`; a long one goes on below, what it does may stand behind it.
fn examples(help: &str) -> Vec<String> {
    let below = help
        .split_once("\nExamples:\n")
        .or_else(|| help.split_once("\nExample:\n"));
    let (_, below) = below.unwrap_or_default();
    let mut found: Vec<String> = vec![];
    for line in below.lines().map_while(|line| line.strip_prefix("  ")) {
        match (
            ["tandem ", "curl "].iter().any(|p| line.starts_with(p)),
            found.last_mut(),
        ) {
            (false, Some(before)) => *before = format!("{before} {line}"),
            _ => found.push(line.to_owned()),
        }
    }
    let typed = found.iter().map(|line| line.split("  ").next().unwrap());
    typed.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn examples_of_help_can_be_typed() {
    let has = [
        Has::Export,
        Has::Lake,
        Has::Bundle,
        Has::Packages,
        Has::Rules,
        Has::Results,
    ];
    let mut scratch = Scratch::new();
    give(&mut scratch, &has);
    let (mut wrong, mut service, mut typed) = (vec![], None, 0);
    let mut left: Vec<&str> = EXAMPLES_ELSEWHERE.iter().map(|row| row.0).collect();
    left.extend(EXAMPLE_STAND_INS.iter().map(|row| row.0));
    for (command, help) in all() {
        let place = Place {
            name: &format!("tandem {command} --help"),
            elsewhere: EXAMPLES_ELSEWHERE,
            stand_ins: EXAMPLE_STAND_INS,
        };
        for example in examples(&help) {
            left.retain(|row| !place.name.contains(row) && !example.contains(row));
            let line = Typed {
                line: 0,
                command: example,
                prints: None,
            };
            if let Err(what) = place.type_one(&line, &mut scratch, &mut service) {
                wrong.push(format!("{}: {}\n{what}", place.name, line.command));
            }
            typed += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(typed > 30, "{typed} examples");
    assert!(left.is_empty(), "no example has these: {left:?}");
}

/// What read-mes name in a line of text: commands of `tandem`, and options.
#[test]
fn commands_and_options_that_are_named_exist() {
    let (all, mut wrong, mut looked_at) = (all(), vec![], 0);
    let everything: String = all.values().map(String::as_str).collect();
    for name in DOCUMENTS {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        let lines = Document::read(name);
        let typed = lines.commands().map(|typed| typed.command.as_str());
        for span in spans(&text).into_iter().chain(typed) {
            let mut words = span
                .split_whitespace()
                .map(|word| word.trim_matches(['[', ']']));
            let ours = words.next() == Some("tandem");
            // Options of cargo.
            let others = name == "tests/fuzz/README.md";
            if !ours && (others || !span.starts_with("--")) {
                continue;
            }
            let mut command = String::new();
            for word in words.filter(|_| ours) {
                let longer = format!("{command} {word}").trim().to_owned();
                match all.contains_key(&longer) {
                    true => command = longer,
                    false => break,
                }
            }
            let known = ["help", "--help", "--version", "…"];
            let second = span.split_whitespace().nth(1).unwrap_or("…");
            if ours && command.is_empty() && !known.contains(&second) {
                wrong.push(format!("{name}: `{span}`: there is no such command"));
            }
            let help = if ours { &all[&command] } else { &everything };
            let options = span.split([' ', '=', '[', ']', '|', '/', '\n', '\'', '"']);
            for option in options.filter(|word| word.len() > 2 && word.starts_with("--")) {
                let there = help.contains(&format!("{option} "))
                    || help.contains(&format!("{option}\n"))
                    || help.contains(&format!("{option}]"));
                if !there {
                    wrong.push(format!("{name}: `{span}`: `{command}` has no {option}"));
                }
                looked_at += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(looked_at > 80, "{looked_at} options");
}

/// What stands in backticks within text.
fn spans(text: &str) -> Vec<&str> {
    let (mut found, mut within) = (vec![], false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            within = !within;
        } else if !within {
            found.extend(line.split('`').skip(1).step_by(2));
        }
    }
    found
}

/// Every function that a rule can call stands in the read-me of rules.
#[test]
fn every_function_stands_in_the_read_me_of_rules() {
    let text = std::fs::read_to_string(root().join("rules/README.md")).unwrap();
    let (_, text) = text.split_once("\n### Expressions\n").unwrap();
    let listed = run(&["rule", "functions"].map(OsStr::new)).ok().out;
    let names = listed
        .lines()
        .filter(|line| !line.starts_with(' ') && !line.is_empty());
    let names: Vec<&str> = names.collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let there = ["`", "("].map(|end| format!("`{name}{end}"));
        assert!(
            there.iter().any(|t| text.contains(t)),
            "`{name}` is missing"
        );
    }
}

#[test]
fn examples_are_found() {
    let help = "Usage\n\nExamples:\n  tandem a b           the first\n  tandem c \\\n  more\n  curl d\nText\n";
    assert_eq!(examples(help), ["tandem a b", "tandem c \\ more", "curl d"]);
    assert_eq!(examples("Usage\n"), Vec::<String>::new());
}
