//! The `tandem` binary from outside: what a user gives it, what comes back, and what is on disk.
#![cfg(test)]

#[macro_use]
mod support;

mod around_numbers;
mod attribution;
mod bad_input;
mod bad_lines;
mod concurrent;
mod crash;
mod deletions;
mod demo;
mod determinism;
mod doctor;
mod exit_codes;
mod explain;
mod findings;
mod formats;
mod full_disk;
mod hostile;
mod killed;
mod lake_commands;
mod limits;
mod measures;
mod names;
mod official;
mod other_readers;
mod out;
mod own_terminology;
mod packages_in_a_lake;
mod packed;
mod power;
mod printing;
mod reader;
mod readme;
mod references;
mod rehearse;
mod roundtrip;
mod rule_authoring;
mod rule_test;
mod serve;
mod sources;
mod sql;
mod sql_examples;
mod sql_results;
mod sql_words;
mod store;
mod supplement;
mod tables;
mod unreadable;
mod verdict_facts;
mod verdicts;
mod versions;

/// The binary under test.
fn tandem() -> &'static str {
    env!("CARGO_BIN_EXE_tandem")
}
