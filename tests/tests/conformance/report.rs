//! The results of the suites, as a page: `TANDEM_WRITE_CONFORMANCE=measures/CONFORMANCE.md`.

use std::fmt::Write;

use crate::Score;
use crate::ecqm::{DIFFERENCES, DIFFERENCES_2024, UNTAGGED};

const HEAD: &str = "# Conformance

Written by the test of that name; do not edit.

```sh
TANDEM_WRITE_CONFORMANCE=$PWD/measures/CONFORMANCE.md cargo test -p tests --test conformance -- --nocapture
```

Decks of our own (`own`, in [tests/decks](../tests/decks)) and suites that others wrote. A case that is
listed as an exception must fail, and any other must pass: both are checked by the build. The decks run through import, a lake and the path of `measure run`; those of
the current year with FHIRHelpers natively and as ELM (the same for every case), and a second time
without `meta.profile`.
";

/// The page.
pub fn of(scores: &[Score]) -> String {
    let mut out = HEAD.to_owned();
    out += "\n| suite | passed | failed |\n|---|---:|---:|\n";
    for score in scores {
        row(
            &mut out,
            &[
                score.name,
                &score.passed.to_string(),
                &score.failed.to_string(),
            ],
        );
    }
    for score in scores {
        let _ = write!(
            out,
            "\n## {}\n\n| part | passed | failed |\n|---|---:|---:|\n",
            score.name
        );
        for (part, [passed, failed]) in &score.parts {
            row(&mut out, &[part, &passed.to_string(), &failed.to_string()]);
        }
        match score.name {
            "ecqm" => decks(&mut out),
            "ecqm-2024" => decks_2024(&mut out),
            _ => exceptions(&mut out, score),
        }
    }
    out
}

fn exceptions(out: &mut String, score: &Score) {
    if !score.exceptions.is_empty() {
        *out += "\n| exception | why |\n|---|---|\n";
    }
    for (case, why) in &score.exceptions {
        row(out, &[&format!("`{case}`"), why]);
    }
}

fn decks_2024(out: &mut String) {
    *out += "\n### Differences from published expectations, year before\n
Packages exactly as published; kinds as above, and `wrong-patient`: resources of the case name the patient of
another. [As a table](conformance/differences-2024.tsv).\n\n";
    table(out, DIFFERENCES_2024);
}

fn decks(out: &mut String) {
    *out += "\n### Differences from published expectations\n
Kinds: `value-set-missing` the package has no expansion of a value set that decides; `contradicts-logic`
the expectation cannot follow from the published logic and data; `expansion-older-than-case` the codes of
the case are not in the published expansion; `profile-tag`, `invalid-unit`, `stale-dates` the data of the
case is not what its description says; `observation:…` populations agree, observed values do not. [As a table](conformance/differences.tsv).\n\n";
    table(out, DIFFERENCES);
    *out += "\n### Cases that differ without `meta.profile`\n
The data alone cannot tell these profiles apart; everything else comes out the same.
[As a table](conformance/untagged.tsv).\n\n";
    table(out, UNTAGGED);
}

fn table(out: &mut String, tsv: &str) {
    for (index, line) in tsv.lines().enumerate() {
        let cells: Vec<&str> = line.split('\t').collect();
        row(out, &cells);
        if index == 0 {
            row(out, &vec!["---"; cells.len()]);
        }
    }
}

fn row(out: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|c| c.replace('|', "\\|")).collect();
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}
