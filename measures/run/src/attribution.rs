//! Totals by what patients are attributed to: an organization or practitioner of the Patient resource,
//! or the locations of their encounters.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use engine_population::lake::Lake;
use engine_population::session::{register_tables, session};
use measures::result::MeasureResult;
use measures::structure::MeasureStructure;
use measures::totals::Totals;

use crate::error::RunError;
use crate::rows::read_rows;

/// What patients are attributed to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attribution {
    /// `Patient.managingOrganization`
    Organization,
    /// `Patient.generalPractitioner`
    Practitioner,
    /// `Encounter.location.location`
    Location,
}

impl Attribution {
    /// As in the name of its file.
    pub fn as_str(self) -> &'static str {
        match self {
            Attribution::Organization => "organization",
            Attribution::Practitioner => "practitioner",
            Attribution::Location => "location",
        }
    }
}

/// Totals by organization, practitioner or location, sorted by it; a patient of several counts in each.
#[derive(Debug)]
pub struct Attributed {
    /// By what.
    pub by: Attribution,
    /// Each with the results of all measures. Who is attributed to nothing is under `(none)`.
    pub places: Vec<(String, Vec<MeasureResult>)>,
}

impl Attributed {
    /// A line a place, measure, group and stratum, after their heading.
    pub fn csv<W: Write>(&self, out: &mut csv::Writer<W>) -> csv::Result<()> {
        let by = self.by.as_str();
        out.write_record([by].into_iter().chain(measures::result_table::CSV_HEADING))?;
        for (place, results) in &self.places {
            for row in measures::result_table::csv_rows(results) {
                out.write_record([place].into_iter().chain(&row))?;
            }
        }
        Ok(())
    }
}

/// The results of a run by what its patients are attributed to.
pub async fn attribute(
    by: Attribution,
    lake: &Lake,
    threads: usize,
    rows: &Path,
    structures: &[Arc<MeasureStructure>],
) -> Result<Attributed, RunError> {
    let of_patient = places_of_patients(lake, by, threads).await?;
    let mut totals: BTreeMap<String, Totals> = BTreeMap::new();
    read_rows(rows, structures, &mut |subject| {
        let none = [String::from("(none)")];
        let places = of_patient
            .get(&subject.patient)
            .map_or(none.as_slice(), Vec::as_slice);
        for place in places {
            let own = totals
                .entry(place.clone())
                .or_insert_with(|| Totals::new(structures));
            own.add(subject);
        }
    })?;
    let places = totals.into_iter();
    let places = places.map(|(place, totals)| (place, totals.finish()));
    Ok(Attributed {
        by,
        places: places.collect(),
    })
}

/// Patients and what each is attributed to, sorted. Who has nothing is not there.
async fn places_of_patients(
    lake: &Lake,
    by: Attribution,
    threads: usize,
) -> Result<BTreeMap<String, Vec<String>>, RunError> {
    let sql = match by {
        Attribution::Organization => {
            "SELECT patient_id, managing_organization FROM patients WHERE managing_organization IS NOT NULL"
        }
        Attribution::Practitioner => {
            "SELECT patient_id, general_practitioner FROM patients WHERE general_practitioner IS NOT NULL"
        }
        Attribution::Location => {
            "SELECT patient_id, raw FROM resources WHERE resource_type = 'Encounter'"
        }
    };
    let session = session(lake, threads)?;
    register_tables(&session, lake)?;
    let batches = session.sql(sql).await?.collect().await?;
    let other = || RunError::Internal("the table of patients has other columns".into());
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for batch in batches {
        let text = |column: usize| {
            let column = batch.columns().get(column)?;
            arrow::compute::cast(column, &DataType::Utf8).ok()
        };
        let (Some(patients), Some(places)) = (text(0), text(1)) else {
            return Err(other());
        };
        let (Some(patients), Some(places)) = (
            patients.as_string_opt::<i32>(),
            places.as_string_opt::<i32>(),
        ) else {
            return Err(other());
        };
        for row in (0..batch.num_rows()).filter(|r| patients.is_valid(*r) && places.is_valid(*r)) {
            let own = out.entry(patients.value(row).to_owned()).or_default();
            if by == Attribution::Location {
                own.extend(locations(places.value(row)));
            } else {
                own.push(places.value(row).to_owned());
            }
        }
    }
    for places in out.values_mut() {
        places.sort();
        places.dedup();
    }
    out.retain(|_, places| !places.is_empty());
    Ok(out)
}

/// The locations that an Encounter refers to.
fn locations(encounter: &str) -> Vec<String> {
    let encounter: serde_json::Value = serde_json::from_str(encounter).unwrap_or_default();
    let all = encounter
        .get("location")
        .and_then(serde_json::Value::as_array);
    let references = all.into_iter().flatten().filter_map(|l| {
        l.get("location")?
            .get("reference")?
            .as_str()
            .map(str::to_owned)
    });
    references.collect()
}
