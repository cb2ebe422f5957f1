//! Exit codes: what each command ends with, said in its help. One table, so that all say the same.

use clap::Command;

use crate::help_text::{flowing, help_width};
use crate::wrap::wrap;

/// What a code means, whatever the command.
pub const CODES: [(u8, &str); 5] = [
    (0, "done"),
    (1, "done, and the answer is no"),
    (
        2,
        "a mistake in what was asked, or in a file that was given",
    ),
    (3, "not supported"),
    (
        4,
        "a bug in Tandem, or the machine failed (a full disk, a damaged lake)",
    ),
];

/// Of each command: its codes, with what 0 and 1 mean there; of the others where it is more than above.
type Row = (&'static str, &'static [(u8, &'static str)]);

const DONE: (u8, &str) = (0, "done");
const MISTAKE: (u8, &str) = (2, "a mistake in what was asked");
const FILE: (u8, &str) = (
    2,
    "a mistake in what was asked, or in a file that was given",
);
const UNSUPPORTED: (u8, &str) = (3, "not supported");
const OURS: (u8, &str) = (
    4,
    "a bug in Tandem, or the machine failed (a full disk, a damaged lake)",
);

const STORE: (u8, &str) = (
    4,
    "the database cannot be reached or is damaged, the machine failed, or a bug in Tandem",
);

const MEASURE: (u8, &str) = (
    2,
    "a mistake in what was asked, or a measure that is named could not be run; the results of the others stand",
);
const MEASURE_UNSUPPORTED: (u8, &str) = (
    3,
    "the same, where a measure needs what is not supported, or was given up at its limits",
);

const TABLE: &[Row] = &[
    (
        "audit verify",
        &[
            (0, "the log is whole"),
            (1, "it is not: where, and what is wrong there"),
            MISTAKE,
            STORE,
        ],
    ),
    ("audit export", &[DONE, MISTAKE, STORE]),
    (
        "audit replay",
        &[
            (0, "the answer is the same"),
            (1, "it is another"),
            FILE,
            UNSUPPORTED,
            STORE,
        ],
    ),
    ("audit show", &[DONE, MISTAKE, STORE]),
    (
        "audit purge",
        &[
            (0, "done, whether or not there was something to remove"),
            MISTAKE,
            STORE,
        ],
    ),
    ("demo", &[DONE, MISTAKE, OURS]),
    (
        "doctor",
        &[
            (0, "nothing that must be is otherwise, perhaps with advice"),
            (
                1,
                "a check failed that must pass, or the service is not there",
            ),
            FILE,
            (3, "hostile requests over TLS"),
            OURS,
        ],
    ),
    ("explain", &[DONE, (2, "there is no such code"), OURS]),
    (
        "import",
        &[
            (0, "imported; rejected lines are counted"),
            (
                1,
                "a file is damaged, and imported up to there; or lines were rejected under --strict, and nothing is imported",
            ),
            MISTAKE,
            UNSUPPORTED,
            OURS,
        ],
    ),
    ("export", &[DONE, MISTAKE, OURS]),
    ("feedback report", &[DONE, MISTAKE, STORE]),
    ("lake info", &[DONE, MISTAKE, OURS]),
    ("lake files", &[DONE, MISTAKE, OURS]),
    ("lake snapshots", &[DONE, MISTAKE, OURS]),
    (
        "lake check",
        &[
            (0, "the lake is whole"),
            (1, "something is wrong with it"),
            MISTAKE,
            (4, "it cannot be told, or the manifest is damaged"),
        ],
    ),
    ("lake vacuum", &[DONE, MISTAKE, OURS]),
    (
        "measure run",
        &[
            (0, "all measures were run"),
            MEASURE,
            MEASURE_UNSUPPORTED,
            OURS,
        ],
    ),
    (
        "measure check",
        &[
            (0, "all measures can be run, perhaps with warnings"),
            (2, "something is wrong with what was given"),
            (3, "something in it is not supported"),
            OURS,
        ],
    ),
    (
        "measure test",
        &[
            (0, "every case passed, or --known names it"),
            (1, "a case failed"),
            (
                2,
                "a mistake in what was asked, or a deck cannot be read or run",
            ),
            UNSUPPORTED,
            OURS,
        ],
    ),
    (
        "measure explain",
        &[DONE, MEASURE, MEASURE_UNSUPPORTED, OURS],
    ),
    (
        "measure gaps",
        &[
            (0, "done, with or without gaps"),
            MEASURE,
            MEASURE_UNSUPPORTED,
            OURS,
        ],
    ),
    ("measure list", &[DONE, FILE, OURS]),
    (
        "rule eval",
        &[(0, "done, whether or not the rule applies"), FILE, OURS],
    ),
    (
        "rule check",
        &[
            (0, "the rules can be used, perhaps with warnings"),
            (2, "something is wrong with a rule, or there is none"),
            OURS,
        ],
    ),
    (
        "rule test",
        &[
            (
                0,
                "every case passed; with --mutate, also every change was found",
            ),
            (
                1,
                "a case failed; or with --mutate, a change survived that the file gives no reason for",
            ),
            (2, "something is wrong with a rule, or there is none"),
            OURS,
        ],
    ),
    (
        "rule rehearse",
        &[
            (0, "done, however often rules fired"),
            FILE,
            UNSUPPORTED,
            OURS,
        ],
    ),
    ("rule new", &[(0, "the file is written"), MISTAKE, OURS]),
    (
        "rule fmt",
        &[
            (0, "done; with --check, all files are in their usual form"),
            (1, "with --check, a file is not in its usual form"),
            (
                2,
                "a file cannot be read, or its form cannot be changed without changing what it says",
            ),
            OURS,
        ],
    ),
    ("rule show", &[DONE, FILE, OURS]),
    ("rule schema", &[DONE, OURS]),
    ("rule functions", &[DONE, OURS]),
    (
        "sql",
        &[
            (0, "done, also without rows"),
            (
                2,
                "a mistake in the query, or it needs more memory or time than it may have",
            ),
            UNSUPPORTED,
            OURS,
            (130, "interrupted"),
        ],
    ),
    ("serve", &[(0, "ended by Ctrl-C"), FILE, UNSUPPORTED, OURS]),
    ("synth", &[DONE, MISTAKE, OURS]),
    (
        "terminology check",
        &[
            (0, "all can be read, perhaps with warnings"),
            (2, "something is wrong with what was given"),
            UNSUPPORTED,
            OURS,
        ],
    ),
    ("terminology coverage", &[DONE, FILE, UNSUPPORTED, OURS]),
    (
        "terminology fetch",
        &[
            (0, "all that was missing is there"),
            (
                2,
                "a mistake in what was asked, or a value set could not be fetched; the others are kept",
            ),
            UNSUPPORTED,
            OURS,
        ],
    ),
    ("terminology rxnorm", &[DONE, FILE, OURS]),
];

/// The command line, each command with its exit codes at the end of its help.
pub fn told(command: Command) -> Command {
    let own = |path: &str| TABLE.iter().find(|(name, _)| *name == path);
    let with = |path: String, command: Command| match own(&path) {
        Some((_, codes)) => with_codes(command, codes),
        None => command,
    };
    command.mut_subcommands(|outer| {
        let name = outer.get_name().to_owned();
        with(name.clone(), outer).mut_subcommands(|inner| {
            let path = format!("{name} {}", inner.get_name());
            with(path, inner)
        })
    })
}

fn with_codes(command: Command, codes: &[(u8, &str)]) -> Command {
    let before = command.get_after_help().map(ToString::to_string);
    let before = before.map_or_else(String::new, |text| flowing(&text) + "\n\n");
    command.after_help(format!("{before}{}", listed(codes)))
}

/// `Exit codes:`, and a line each.
pub fn listed(codes: &[(u8, &str)]) -> String {
    let mut out = "Exit codes:".to_owned();
    for (code, what) in codes {
        let lines = wrap(what, help_width().saturating_sub(10));
        out.push_str(&format!("\n{code:>3}  {}", lines.join("\n     ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Each command that does something has a row, and no row is of a command that is not there.
    #[test]
    fn every_command_says_its_exit_codes() {
        let command = told(crate::Cli::command());
        let mut there = vec![];
        for outer in command.get_subcommands() {
            let mut own: Vec<&Command> = outer.get_subcommands().collect();
            if own.is_empty() {
                own.push(outer);
            }
            for command in own {
                let same = std::ptr::eq(command, outer);
                let name = match same {
                    true => outer.get_name().to_owned(),
                    false => format!("{} {}", outer.get_name(), command.get_name()),
                };
                let help = command.get_after_help().map(ToString::to_string);
                let help = help.unwrap_or_default();
                assert_eq!(
                    help.matches("Exit codes:\n  0  ").count(),
                    1,
                    "{name}: {help}"
                );
                there.push(name);
            }
        }
        for (name, codes) in TABLE {
            assert!(there.iter().any(|own| own == name), "{name} is no command");
            assert!(codes.is_sorted(), "{name}");
            // Each prints, and a disk may be full.
            assert!(codes.iter().any(|(code, _)| *code == 4), "{name}");
        }
    }
}
