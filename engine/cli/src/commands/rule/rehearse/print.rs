//! What a rehearsal prints.

use std::collections::BTreeMap;
use std::time::Duration;

use engine_patient::plural::{several, thousands};
use measures_run::RunError;
use rehearse::report::{self, Report, table as cells};

use crate::commands::measure::print_unmatched;
use crate::failure::Failure;
use crate::format::Format;
use crate::table;

pub fn print(report: &Report, format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => data!("{:#}", json(report)?),
        Format::Csv => {
            let all = cells::rules(report);
            let mut out = crate::say::csv();
            out.write_record(all.heading.iter().map(|name| name.replace([' ', '-'], "_")))?;
            for row in &all.rows {
                out.write_record(row)?;
            }
            out.flush().map_err(RunError::from)?;
        }
        _ => print_table(report),
    }
    Ok(())
}

/// How long it took: every patient of the lake was looked at.
pub fn speed(report: &Report, took: Duration) -> String {
    let calls = report.hooks.iter().map(|hook| hook.calls).sum();
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let a_second = |count: u64| thousands(count.saturating_mul(1000) / millis);
    format!(
        "{} and {} in {:.1} s ({} patients/s, {} calls/s)",
        several(report.patients, "patient", "patients"),
        several(calls, "call", "calls"),
        took.as_secs_f64(),
        a_second(report.patients),
        a_second(calls),
    )
}

pub fn json(report: &Report) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(report).map_err(|e| Failure::Internal(e.to_string()))
}

/// So many clinicians, sites, pairs and reasons are printed; files have more.
const SHOWN: usize = 5;

fn print_table(report: &Report) {
    let calls: u64 = report.hooks.iter().map(|h| h.calls).sum();
    say!(
        "{} calls of {} patients, of {} in the lake, in {} days",
        thousands(calls),
        thousands(report.patients_called),
        thousands(report.patients),
        thousands(report.days)
    );
    if let Some(told) = cells::no_call(report) {
        say!("{told}");
    }
    for hook in &report.hooks {
        let per_day = cells::decimals(hook.per_day);
        say!(
            "  {}: {}, {per_day} a day",
            hook.hook,
            thousands(hook.calls)
        );
    }
    say!("");
    let rules = cells::short(report);
    table::print(rules.heading, &rules.rows);
    say!("\n{}", cells::legend(report));
    for d in &report.differences {
        say!(
            "\n{} against {} {} ({}):",
            d.this(),
            d.against,
            d.against_version,
            d.against_file
        );
        say!(
            "  both: {} with a card, {} of them with other cards",
            several(d.both, "call", "calls"),
            thousands(d.other_cards)
        );
        only(&d.this(), d.only_this, &d.patients_only_this);
        only(&d.against_file, d.only_other, &d.patients_only_other);
        if d.other_unknown > 0 {
            let calls = several(d.other_unknown, "call", "calls");
            say!("  {calls} at which one cannot tell, and the other can");
        }
    }
    people("clinician", &report.clinicians, report.clinicians_count);
    people("site", &report.sites, report.sites_count);
    if !report.together.is_empty() {
        say!("");
        let row =
            |t: &report::Together| vec![t.first.clone(), t.second.clone(), thousands(t.calls)];
        let rows: Vec<_> = report.together.iter().take(SHOWN).map(row).collect();
        table::print(&["rule", "fires together with", "calls"], &rows);
    }
    let mut reasons = vec![];
    for rule in &report.rules {
        for reason in rule.reasons.iter().take(SHOWN) {
            reasons.push(vec![
                rule.id.clone(),
                thousands(reason.count),
                reason.name.clone(),
            ]);
        }
    }
    if !reasons.is_empty() {
        say!("");
        table::print(&["rule", "calls", "could not tell, because"], &reasons);
    }
    let samples = report.rules.iter().flat_map(|rule| {
        let row = |s: &report::SampleReport| {
            vec![
                rule.id.clone(),
                s.patient.clone(),
                s.at.clone(),
                s.hook.clone(),
            ]
        };
        rule.samples.iter().map(row)
    });
    let samples: Vec<_> = samples.collect();
    if !samples.is_empty() {
        say!("");
        table::print(&["rule", "patient, for example", "at", "hook"], &samples);
    }
    say!("\nResources of the patients who had a call, and visits and orders that made none:");
    for (what, count) in cells::dating(report) {
        if count > 0 {
            say!("  {}: {what}", thousands(count));
        }
    }
    if !report.unmatched.is_empty() {
        print_unmatched(&report.unmatched, &BTreeMap::new(), false);
    }
    if report.failed > 0 {
        let patients = several(report.failed, "patient", "patients");
        say!("  the evaluation of {patients} failed as a whole");
    }
}

/// Calls at which only one of two versions had a card, and the patients who had none of the other ever.
fn only(name: &str, calls: u64, patients: &[String]) {
    let calls = several(calls, "call", "calls");
    let count = several(patients.len() as u64, "patient", "patients");
    say!("  only {name}: {calls}; {count} without a card of the other");
    if patients.is_empty() {
        return;
    }
    let shown: Vec<&str> = patients.iter().take(SHOWN).map(String::as_str).collect();
    let more = patients.len().saturating_sub(SHOWN);
    let more = match more {
        0 => String::new(),
        _ => format!(" and {} more", thousands(more as u64)),
    };
    say!("    {}{more}", shown.join(", "));
}

fn people(what: &'static str, all: &[report::Named], count: u64) {
    if count == 0 {
        return;
    }
    say!("");
    let row = |n: &report::Named| {
        let name = match n.name.is_empty() {
            true => "not recorded".to_owned(),
            false => n.name.clone(),
        };
        let per = cells::decimals(n.per_100_calls);
        vec![name, thousands(n.calls), thousands(n.cards), per]
    };
    let rows: Vec<_> = all.iter().take(SHOWN).map(row).collect();
    table::print(&[what, "calls", "cards", "cards per 100"], &rows);
    if count > SHOWN as u64 {
        say!("  and {} more", thousands(count - SHOWN as u64));
    }
}
