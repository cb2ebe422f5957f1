//! What an examination found: for people, and for programs.

use serde::Serialize;

use crate::check::{Check, Failure, Outcome, Severity, Tally};
use crate::play::Doctor;

/// The findings on one service.
pub struct Report {
    /// The base URL.
    pub url: String,
    /// Services that discovery lists.
    pub services: usize,
    /// Requests that were sent.
    pub requests: u64,
    /// Milliseconds of good calls: half of them, 99 of 100, all of them took at most so long.
    pub milliseconds: Option<Milliseconds>,
    /// Each check with its tally, in the order of the catalog.
    pub checks: Vec<(&'static Check, Tally)>,
    /// What the reader should know beside.
    pub notes: Vec<String>,
}

/// Times of calls.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Milliseconds {
    /// The median.
    pub p50: f64,
    /// 99 of 100.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

impl Report {
    pub(crate) fn of(mut doctor: Doctor<'_>, services: usize) -> Report {
        let notes = doctor.take_notes();
        let times = (
            doctor.percentile(0.5),
            doctor.percentile(0.99),
            doctor.percentile(1.0),
        );
        let milliseconds = match times {
            (Some(p50), Some(p99), Some(max)) => Some(Milliseconds { p50, p99, max }),
            _ => None,
        };
        Report {
            url: doctor.base.clone(),
            services,
            requests: doctor.requests,
            milliseconds,
            checks: doctor.book.results(),
            notes,
        }
    }

    /// Whether nothing that must be was otherwise.
    pub fn passed(&self) -> bool {
        self.count(Outcome::Failed, Severity::Must) == 0
    }

    /// Checks of an outcome and a severity.
    pub fn count(&self, outcome: Outcome, severity: Severity) -> usize {
        let is = |(check, tally): &&(&'static Check, Tally)| {
            check.severity == severity && tally.outcome() == outcome
        };
        self.checks.iter().filter(is).count()
    }

    /// Names of the checks that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = self
            .checks
            .iter()
            .filter(|(_, t)| t.outcome() == Outcome::Failed);
        failed.map(|(check, _)| check.id).collect()
    }

    /// One line for how it came out.
    pub fn verdict(&self) -> String {
        let of =
            |outcome| self.count(outcome, Severity::Must) + self.count(outcome, Severity::Should);
        let must = self.count(Outcome::Failed, Severity::Must);
        let should = self.count(Outcome::Failed, Severity::Should);
        let times = self.milliseconds.map_or_else(String::new, |ms| {
            format!(
                "; calls took {:.1} ms (median), {:.1} ms (99 of 100)",
                ms.p50, ms.p99
            )
        });
        format!(
            "{}: {} checks passed, {must} failed that must pass, {should} that should, {} not judged; {} services, {} requests{times}",
            if self.passed() { "passed" } else { "FAILED" },
            of(Outcome::Passed),
            of(Outcome::Skipped),
            self.services,
            self.requests
        )
    }

    /// The report as text: a line for each check; what failed in full, with how to mend it.
    pub fn text(&self) -> String {
        let width = self
            .checks
            .iter()
            .map(|(c, _)| c.id.len())
            .max()
            .unwrap_or(0);
        let mut out = format!("CDS Hooks service at {}\n\n", self.url);
        let mut unjudged = 0;
        for (check, tally) in &self.checks {
            if self.services == 0 && tally.outcome() == Outcome::Skipped {
                unjudged += 1;
                continue;
            }
            let mark = match (tally.outcome(), check.severity) {
                (Outcome::Passed, _) => "ok    ",
                (Outcome::Failed, Severity::Must) => "FAILED",
                (Outcome::Failed, Severity::Should) => "advice",
                (Outcome::Skipped, _) => "-     ",
            };
            let id = check.id;
            out.push_str(&format!("{mark}  {id:width$}  {}\n", check.expected));
            match tally.outcome() {
                Outcome::Failed => told(&mut out, check, tally, width),
                Outcome::Skipped => {
                    if let Some(why) = &tally.skipped {
                        out.push_str(&format!("{:8}{:width$}  not judged: {why}\n", "", ""));
                    }
                }
                Outcome::Passed => {}
            }
        }
        // Where nothing could be called, one line says it of all.
        if unjudged > 0 {
            let what = "not judged, since there is no service that could be called";
            out.push_str(&format!("-       {unjudged} more checks: {what}\n"));
        }
        for note in &self.notes {
            out.push_str(&format!("\nnote: {note}"));
        }
        if !self.notes.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("\n{}", self.verdict()));
        out
    }

    /// The report as JSON.
    pub fn json(&self) -> serde_json::Value {
        let checks: Vec<Row<'_>> = self.checks.iter().map(Row::of).collect();
        serde_json::json!({
            "url": self.url,
            "passed": self.passed(),
            "services": self.services,
            "requests": self.requests,
            "milliseconds": self.milliseconds,
            "checks": checks,
            "notes": self.notes,
        })
    }
}

/// What is said of a failure, behind the line of its check.
fn told(out: &mut String, check: &Check, tally: &Tally, width: usize) {
    let items: Vec<String> = check.items.iter().map(u8::to_string).collect();
    let mut line = |text: String| out.push_str(&format!("{:8}{:width$}  {text}\n", "", ""));
    for Failure { place, came, .. } in &tally.failures {
        line(format!("{place}: {came}"));
    }
    let more = tally.failed.saturating_sub(tally.failures.len() as u64);
    if more > 0 {
        line(format!("and {more} more"));
    }
    let mut mends: Vec<&str> = vec![];
    for failure in &tally.failures {
        let mend = failure.mend.unwrap_or(check.mend);
        if !mends.contains(&mend) {
            mends.push(mend);
        }
    }
    for mend in mends {
        line(format!("to mend: {mend} (checklist {})", items.join(", ")));
    }
}

#[derive(Serialize)]
struct Row<'r> {
    id: &'static str,
    items: &'static [u8],
    severity: Severity,
    outcome: &'static str,
    expected: &'static str,
    mend: &'static str,
    passed: u64,
    failed: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Came<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'r str>,
}

#[derive(Serialize)]
struct Came<'r> {
    place: &'r str,
    came: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<&'static str>,
}

impl<'r> Row<'r> {
    fn of((check, tally): &'r (&'static Check, Tally)) -> Self {
        let came = |f: &'r Failure| Came {
            place: &f.place,
            came: &f.came,
            mend: f.mend,
        };
        Row {
            id: check.id,
            items: check.items,
            severity: check.severity,
            outcome: match tally.outcome() {
                Outcome::Passed => "passed",
                Outcome::Failed => "failed",
                Outcome::Skipped => "skipped",
            },
            expected: check.expected,
            mend: check.mend,
            passed: tally.passed,
            failed: tally.failed,
            failures: tally.failures.iter().map(came).collect(),
            skipped: tally.skipped.as_deref(),
        }
    }
}
