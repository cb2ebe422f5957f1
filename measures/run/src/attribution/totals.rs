//! Totals by what patients are attributed to.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use engine_patient::plural::several;
use measures::ledger::Ledger;
use measures::result::MeasureResult;
use measures::result_table::{CSV_HEADING, csv_rows};
use measures::spreadsheet;
use measures::structure::MeasureStructure;
use measures::subject_csv::lists;
use measures::totals::Totals;

use super::assigned::{Assigned, Means};
use super::by::Attribution;
use super::places::Place;
use super::said::Unused;
use crate::error::RunError;
use crate::rows::read_rows;

/// How those who are attributed to nothing are called.
pub const UNATTRIBUTED: &str = "unattributed";

/// Totals by organization, practitioner or location.
#[derive(Debug)]
pub struct Attributed {
    /// By what.
    pub by: Attribution,
    /// By name and reference, each with the results of all measures; last those who are attributed to
    /// nothing.
    pub places: Vec<(Option<Place>, Vec<MeasureResult>)>,
    /// Patients in an initial population, or of whom that could not be told.
    pub patients: u64,
    /// Those whose Patient resource names the place.
    pub by_patient: u64,
    /// Those whose visits decided.
    pub by_visits: u64,
    /// Those who count in several places.
    pub in_several: u64,
    /// Those who are attributed to nothing.
    pub unattributed: u64,
    /// What of these patients' resources does not count.
    pub unused: Unused,
}

impl Attributed {
    /// A line a place, measure, group and stratum, after a heading: the columns of the results of all,
    /// with the place before them. The whole is not among them: who adds them up would count all twice.
    pub fn csv<W: Write>(&self, out: &mut csv::Writer<W>) -> csv::Result<()> {
        let by = self.by.as_str();
        let reference = format!("{by}_reference");
        out.write_record([by, &reference].into_iter().chain(CSV_HEADING))?;
        for (place, results) in &self.places {
            let (name, reference) = place
                .as_ref()
                .map_or((UNATTRIBUTED, ""), |p| (&p.name, &p.reference));
            let place = [spreadsheet::cell(name), spreadsheet::cell(reference)];
            for row in csv_rows(&with_patients(results)) {
                let place = place.iter().map(AsRef::as_ref);
                out.write_record(place.chain(row.iter().map(String::as_str)))?;
            }
        }
        Ok(())
    }

    /// How many are attributed by what, in words.
    pub fn told(&self) -> String {
        let by = self.by.as_str();
        let mut text = format!(
            "of {}, or may be, in an initial population, ",
            several(self.patients, "patient who is", "patients who are")
        );
        if self.by != Attribution::Location {
            text += &format!(
                "{} attributed to a{} by the Patient resource, ",
                self.by_patient,
                article(by)
            );
        }
        text += &format!(
            "{} by visits in the period, {} {UNATTRIBUTED}",
            self.by_visits, self.unattributed
        );
        if self.by == Attribution::Location {
            text += &format!(
                "; {} have several locations and count in each, so that rows may add up to more than the whole",
                self.in_several
            );
        }
        let untyped = "do not say whether they are to one, and the lake has no such identifier";
        let general = format!("references that may be to a{}", article(by));
        for (count, of, what) in [
            (
                self.unused.undated,
                "encounters",
                "have no date that can be read",
            ),
            (
                self.unused.unclear,
                "encounters",
                "do not say whether they took place (status)",
            ),
            (self.unused.untyped, &*general, untyped),
            (
                self.unused.absent,
                "locations",
                "were only planned or reserved",
            ),
        ] {
            if count > 0 {
                text += &format!("; {count} of their {of} do not count, they {what}");
            }
        }
        text
    }

    /// The same, for reports.
    pub fn record(&self, ledger: &mut Ledger) {
        let by = self.by.as_str();
        if self.by != Attribution::Location {
            ledger.add(
                "patients attributed by the Patient resource",
                by,
                self.by_patient,
            );
        }
        ledger.add("patients attributed by visits", by, self.by_visits);
        ledger.add("patients unattributed", by, self.unattributed);
        for (count, line) in [
            (self.in_several, "patients attributed to several"),
            (
                self.unused.undated,
                "encounters without a date, not used for attribution",
            ),
            (
                self.unused.unclear,
                "encounters of unclear status, not used for attribution",
            ),
            (
                self.unused.untyped,
                "references without a type, not used for attribution",
            ),
            (
                self.unused.absent,
                "locations planned or reserved, not used for attribution",
            ),
        ] {
            if count > 0 {
                ledger.add(line, by, count);
            }
        }
    }
}

/// Measures that have somebody there.
pub fn with_patients(results: &[MeasureResult]) -> Vec<MeasureResult> {
    results.iter().filter(|r| r.patients > 0).cloned().collect()
}

fn article(by: &str) -> String {
    match by.starts_with('o') {
        true => format!("n {by}"),
        false => format!(" {by}"),
    }
}

/// The patients who are, or may be, in an initial population.
pub(crate) fn listed(
    rows: Option<&Path>,
    structures: &[Arc<MeasureStructure>],
) -> Result<HashSet<String>, RunError> {
    let mut patients: HashSet<String> = HashSet::new();
    read_rows(rows, structures, &mut |subject| {
        let structure = structures.get(subject.measure);
        if structure.is_some_and(|s| lists(s, subject)) && !patients.contains(&subject.patient) {
            patients.insert(subject.patient.clone());
        }
    })?;
    Ok(patients)
}

/// The results of a run by what its patients, see [`listed`], are attributed to.
pub(crate) fn attribute(
    by: Attribution,
    (assigned, patients): (&Assigned, &HashSet<String>),
    rows: Option<&Path>,
    structures: &[Arc<MeasureStructure>],
) -> Result<Attributed, RunError> {
    let mut attributed = Attributed {
        by,
        places: vec![],
        patients: patients.len() as u64,
        by_patient: 0,
        by_visits: 0,
        in_several: 0,
        unattributed: 0,
        unused: assigned.unused(by),
    };
    for patient in patients {
        let (means, places) = assigned.places(by, patient);
        *match means {
            Means::Patient => &mut attributed.by_patient,
            Means::Visits => &mut attributed.by_visits,
            Means::Nothing => &mut attributed.unattributed,
        } += 1;
        attributed.in_several += u64::from(places.len() > 1);
    }
    let mut totals: BTreeMap<Option<Place>, Totals> = BTreeMap::new();
    read_rows(rows, structures, &mut |subject| {
        let structure = structures.get(subject.measure);
        if !structure.is_some_and(|s| lists(s, subject)) {
            return;
        }
        let (_, places) = assigned.places(by, &subject.patient);
        let places = places.into_iter().map(|id| Some(assigned.place(id)));
        let mut places: Vec<Option<Place>> = places.collect();
        if places.is_empty() {
            places.push(None);
        }
        for place in places {
            let own = totals.entry(place);
            own.or_insert_with(|| Totals::new(structures)).add(subject);
        }
    })?;
    // Those without a place come last.
    let none = totals.remove(&None).map(|t| (None, t));
    let all = totals.into_iter().chain(none);
    attributed.places = all
        .map(|(place, totals)| (place, totals.finish()))
        .collect();
    Ok(attributed)
}
