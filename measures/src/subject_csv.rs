//! The list of subjects as CSV: a line per measure, group and patient who is in the initial
//! population, or of whom something could not be told.

use std::io::Write;
use std::sync::Arc;

use engine_patient::system::truth::Truth;

use crate::package::{Basis, GroupDefinition, PopulationCode as Code};
use crate::structure::MeasureStructure;
use crate::subject::{Membership, Subject, SubjectGroup};

/// The columns, before those about the patient that the caller has, and the measure's url.
const HEADING: [&str; 14] = [
    "measure",
    "version",
    "group",
    "patient_id",
    "initial_population",
    "denominator",
    "measure_population",
    "denominator_exclusion",
    "measure_population_exclusion",
    "denominator_exception",
    "numerator",
    "numerator_exclusion",
    "due",
    "unknown_because",
];

/// The first line. `person` are the caller's columns about the patient.
pub fn heading(person: &[&'static str]) -> Vec<&'static str> {
    [&HEADING, person, &["url"]].concat()
}

/// Whether a patient has a line.
pub fn lists(structure: &MeasureStructure, subject: &Subject) -> bool {
    let mut groups = structure.groups.iter().zip(&subject.groups);
    groups.any(|(group, own)| is_initial(group, own))
}

/// Whether a patient is in the initial population, or that could not be told.
fn is_initial(group: &GroupDefinition, own: &SubjectGroup) -> bool {
    let initial = group.populations.iter().zip(&own.populations);
    let mut initial = initial.filter(|(p, _)| p.code == Code::InitialPopulation);
    initial.any(|(_, m)| m.outcome != Truth::False)
}

const COLUMNS: [Code; 8] = [
    Code::InitialPopulation,
    Code::Denominator,
    Code::MeasurePopulation,
    Code::DenominatorExclusion,
    Code::MeasurePopulationExclusion,
    Code::DenominatorException,
    Code::Numerator,
    Code::NumeratorExclusion,
];

/// A patient's lines. Of a resource basis a cell is how many resources; `unknown` is what could not be
/// told and is not counted. `person` are cells about the patient, see [`heading`].
pub fn write<W: Write>(
    structure: &MeasureStructure,
    subject: &Subject,
    person: &[String],
    out: &mut csv::Writer<W>,
) -> csv::Result<()> {
    let artifact = &structure.artifact;
    for (index, (group, own)) in structure.groups.iter().zip(&subject.groups).enumerate() {
        if !is_initial(group, own) {
            continue;
        }
        let name = group.name(index);
        let names = [
            &*structure.name,
            &*artifact.version,
            &name,
            &subject.patient,
        ];
        let mut cells: Vec<String> = names.map(str::to_owned).to_vec();
        cells.extend(COLUMNS.map(|code| cell(group, own, code)));
        let due = group.position(Code::Numerator);
        let due = due.and_then(|i| i.get(&own.populations)?.value.as_deref());
        cells.push(due.unwrap_or_default().to_owned());
        cells.push(reasons(own));
        cells.extend_from_slice(person);
        cells.push(artifact.url.to_string());
        out.write_record(&cells)?;
    }
    Ok(())
}

fn cell(group: &GroupDefinition, own: &SubjectGroup, code: Code) -> String {
    let found = group.position(code).and_then(|i| i.get(&own.populations));
    let text = |m: &Membership| match (&group.basis, m.outcome, m.count) {
        (_, Truth::Unknown, 0) => Truth::Unknown.to_string(),
        (Basis::Boolean, _, n) => (n > 0).to_string(),
        (Basis::Resource(_), _, n) => n.to_string(),
    };
    found.map_or_else(String::new, text)
}

fn reasons(own: &SubjectGroup) -> String {
    let mut all: Vec<&Arc<str>> = own
        .populations
        .iter()
        .filter_map(|m| m.reason.as_ref())
        .collect();
    all.extend(own.observations.iter().filter_map(|o| o.reason.as_ref()));
    all.extend(own.strata_unknown.iter().map(|(_, reason)| reason));
    all.sort_unstable();
    all.dedup();
    let all: Vec<&str> = all.into_iter().map(AsRef::as_ref).collect();
    all.join("; ")
}
