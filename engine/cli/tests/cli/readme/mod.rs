//! Every line for a shell that a read-me shows, typed as a reader would, in order.
//!
//! Run is what needs nothing but the repository and the built program; the rest stands in a table with
//! its reason (`elsewhere`). What a read-me shows below a line is compared with what comes (`compare`).

mod compare;
mod document;
mod elsewhere;
mod help;
mod scratch;
mod service;

use std::path::Path;

use document::{Document, Step, Typed, root};
use elsewhere::{ELSEWHERE, STAND_INS};
use scratch::Scratch;
use service::{Service, at_its_port, has_curl, in_its_folder, serves};

use crate::support::{copy_folder, file, synth};

/// All read-mes that show lines for a shell.
const DOCUMENTS: [&str; 12] = [
    "README.md",
    "engine/README.md",
    "measures/README.md",
    "datasets/README.md",
    "rules/README.md",
    "cds-hooks/README.md",
    "tests/decks/README.md",
    "tests/fuzz/README.md",
    "rules/content/valuesets/README.md",
    "datasets/content/snomed-optional/NOTICE.md",
    "measures/CONFORMANCE.md",
    "cds-hooks/server/FIRST-CALL.md",
];

/// What a reader has at hand.
enum Has {
    /// A bulk export of 60 people, `export/`.
    Export,
    /// A lake of it, `lake/`.
    Lake,
    /// A Bundle, `bundle.json` and `more/bundle.json`.
    Bundle,
    /// A measure and its libraries in ELM: `packages/`, `CMS122/` and `libraries/`, `decks/`.
    Packages,
    /// The rule of the first read-me, `my-rules/` and `my-rule/`, and its value set, `my-sets/`.
    Rules,
    /// What a run of measures wrote, `out/`.
    Results,
}

#[test]
fn readme() {
    type_all("README.md", &[Has::Packages]);
}

#[test]
fn engine() {
    type_all("engine/README.md", &[Has::Export, Has::Lake]);
}

#[test]
fn measures() {
    type_all(
        "measures/README.md",
        &[Has::Export, Has::Lake, Has::Packages],
    );
}

#[test]
fn datasets() {
    type_all("datasets/README.md", &[Has::Export, Has::Lake, Has::Bundle]);
}

#[test]
fn rules() {
    type_all("rules/README.md", &[]);
}

#[test]
fn cds_hooks() {
    type_all(
        "cds-hooks/README.md",
        &[Has::Export, Has::Lake, Has::Packages],
    );
}

/// Keys, tokens and a service that knows who calls.
#[test]
fn first_call() {
    let openssl = std::process::Command::new("openssl")
        .arg("version")
        .output();
    match openssl.is_ok_and(|done| done.status.success()) {
        true => type_all("cds-hooks/server/FIRST-CALL.md", &[]),
        false => println!("not run: there is no openssl"),
    }
}

#[test]
fn the_other_read_mes() {
    for name in DOCUMENTS.iter().skip(6).take(5) {
        type_all(name, &[Has::Packages]);
    }
}

/// A read-me that is new, or shows its first line, is in the list above.
#[test]
fn every_read_me_is_looked_at() {
    let (mut folders, mut missed) = (vec![root()], vec![]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if name.ends_with(".md") && !path.is_symlink() {
                let text = std::fs::read_to_string(&path).unwrap();
                let known = DOCUMENTS.iter().any(|known| path.ends_with(known));
                if !known && (text.contains("```sh") || text.contains("\n$ ")) {
                    missed.push(path.clone());
                }
                // In a block, but not marked as what is typed.
                let unmarked = |block: &&str| {
                    let programs = ["tandem ", "cargo ", "curl "];
                    let typed = |line: &str| programs.iter().any(|p| line.starts_with(p));
                    !block.starts_with("sh\n") && block.lines().skip(1).any(typed)
                };
                let blocks = text.split("\n```").skip(1).step_by(2);
                missed.extend(blocks.filter(unmarked).map(|_| path.clone()));
            }
        }
    }
    assert!(missed.is_empty(), "not run: {missed:?}");
}

/// A number that is asked for in SQL stands below, and is compared.
#[test]
fn every_query_shows_its_answer() {
    let documents = DOCUMENTS.map(Document::read);
    let typed = documents.iter().flat_map(Document::commands);
    let queries = typed.filter(|typed| typed.command.starts_with("tandem sql"));
    let queries: Vec<_> = queries.collect();
    assert!(queries.len() > 2, "{queries:?}");
    for query in queries {
        let whole = query.prints.is_some() || query.command.contains("> ");
        assert!(whole, "without its answer: {query:?}");
    }
}

/// A row of a table that fits no line any more is left over.
#[test]
fn tables_have_no_rows_left_over() {
    let documents = DOCUMENTS.map(Document::read);
    for (name, begins, _) in ELSEWHERE {
        let document = documents.iter().find(|d| d.name == *name).unwrap();
        let found = document.commands().any(|t| t.command.starts_with(begins));
        assert!(found, "{name}: no line begins with `{begins}`");
    }
    for (stands, _, _) in STAND_INS {
        let mut all = documents.iter().flat_map(Document::commands);
        let found = all.any(|typed| typed.command.contains(stands));
        assert!(found, "no line has `{stands}`");
    }
}

/// Types a read-me from its beginning to its end, and fails with all that was not as it says.
fn type_all(name: &'static str, has: &[Has]) {
    let document = Document::read(name);
    let mut scratch = Scratch::new();
    give(&mut scratch, has);
    let place = Place {
        name,
        elsewhere: ELSEWHERE,
        stand_ins: STAND_INS,
    };
    let (mut wrong, mut service) = (vec![], None);
    for step in &document.steps {
        match step {
            Step::Write { path, text } => scratch.write(path, text),
            Step::Run(typed) => {
                if let Err(what) = place.type_one(typed, &mut scratch, &mut service) {
                    wrong.push(format!("{name}:{}: {}\n{what}", typed.line, typed.command));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where lines stand, and the tables for them.
struct Place<'a> {
    name: &'a str,
    elsewhere: &'a [(&'a str, &'a str, &'a str)],
    stand_ins: &'a [(&'a str, &'a str, &'a str)],
}

impl Place<'_> {
    fn type_one(
        &self,
        typed: &Typed,
        scratch: &mut Scratch,
        service: &mut Option<Service>,
    ) -> Result<(), String> {
        let elsewhere =
            |row: &&(&str, &str, &str)| self.name == row.0 && typed.command.starts_with(row.1);
        if let Some((_, _, why)) = self.elsewhere.iter().find(elsewhere) {
            println!("not run: {}: {why}", typed.command);
            return Ok(());
        }
        let stand_in = |line: String, row: &(&str, &str, &str)| line.replace(row.0, row.1);
        let command = self.stand_ins.iter().fold(typed.command.clone(), stand_in);
        let command = in_its_folder(&command, scratch.folder());
        if serves(&command) {
            // One at a time: a reader would stop the one before.
            service.take();
            let started = Service::start(&command, scratch)?;
            let printed = started.printed.clone();
            *service = Some(started);
            return prints(typed, &printed, scratch);
        }
        if command.starts_with("kill ") && service.take().is_some() {
            return Ok(());
        }
        if command.starts_with("curl ") && !has_curl() {
            println!("not run: {command}: there is no curl");
            return Ok(());
        }
        let command = match service {
            Some(service) => at_its_port(&command, service),
            None => command,
        };
        let ended = scratch.run(&command);
        // A line that fails is shown with its error.
        let shown = typed.prints.as_deref().unwrap_or_default();
        let may_fail = shown.iter().any(|line| line.starts_with("error"));
        if (ended.code != 0) != may_fail || !(0..4).contains(&ended.code) {
            let printed: Vec<&str> = ended.printed.lines().take(40).collect();
            let printed = printed.join("\n  ");
            return Err(format!("exit code {}:\n  {printed}", ended.code));
        }
        prints(typed, &ended.printed, scratch)
    }
}

fn prints(typed: &Typed, printed: &str, scratch: &Scratch) -> Result<(), String> {
    let shown = typed.prints.as_ref();
    let differs = shown.and_then(|shown| compare::difference(shown, printed, scratch.folder()));
    differs.map_or(Ok(()), Err)
}

fn give(scratch: &mut Scratch, has: &[Has]) {
    let folder = scratch.folder().to_owned();
    let decks = root().join("tests/decks");
    let deck = decks.join("SystolicControl");
    let copy = |from: &Path, to: &str| drop(file(folder.join(to), std::fs::read(from).unwrap()));
    for one in has {
        match one {
            Has::Export => drop(synth(&folder, "export", 60, &["--dirty", "0.01"])),
            Has::Lake => drop(
                tandem!(
                    "import",
                    &folder.join("export"),
                    "--lake",
                    &folder.join("lake")
                )
                .ok(),
            ),
            Has::Bundle => {
                let bundle = r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:5e1f0c3a-8f0e-4a57-9d0e-0c1d2e3f4a5b","resource":{"resourceType":"Patient","birthDate":"1960-05-01"}}]}"#;
                scratch.write("bundle.json", bundle);
                scratch.write("more/bundle.json", bundle);
            }
            Has::Packages => {
                let library = decks.join("libraries/SystolicControl-1.0.0.json");
                copy(&library, "packages/library.json");
                copy(&library, "libraries/SystolicControl.json");
                copy(&library, "decks/libraries/SystolicControl.json");
                copy_folder(&deck, &folder.join("decks/SystolicControl"));
                for name in ["measure.json", "valuesets.ndjson"] {
                    copy(&deck.join(name), &format!("packages/{name}"));
                    copy(&deck.join(name), &format!("CMS122/{name}"));
                }
            }
            Has::Rules => {
                for step in Document::read("README.md").steps {
                    let Step::Write { path, text } = step else {
                        continue;
                    };
                    scratch.write(&path, &text);
                    if path.ends_with(".json") {
                        scratch.write("valuesets/one.json", &text);
                        scratch.write("vs.json", &text);
                    } else {
                        // One that needs no file beside it.
                        let own = "https://example.org/ValueSet/smoking-status";
                        let text = text.replace(own, "https://tandem-cds.dev/ValueSet/hba1c-lab");
                        let text = text.replace("id: tobacco-status-recorded", "id: my-rule");
                        scratch.write("my-rule.yaml", &text);
                    }
                }
                scratch.write("known.json", "[]");
            }
            Has::Results => {
                let run =
                    "tandem measure run --lake lake --period 2025-01-01..2025-12-31 --out out";
                assert_eq!(scratch.run(run).code, 0);
            }
        }
    }
}
