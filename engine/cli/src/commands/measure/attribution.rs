//! What patients are attributed to: an organization or practitioner of the Patient resource, or the
//! locations of their encounters.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, AsArray};
use engine_population::lake::Lake;
use engine_population::session::{register_tables, session};

use crate::commands::threads;
use crate::failure::Failure;

/// Patients and what each is attributed to, sorted. Who has nothing is not there.
pub async fn of(lake: &Lake, by: &str) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let sql = match by {
        "organization" => {
            "SELECT patient_id, managing_organization FROM patients WHERE managing_organization IS NOT NULL"
        }
        "practitioner" => {
            "SELECT patient_id, general_practitioner FROM patients WHERE general_practitioner IS NOT NULL"
        }
        _ => "SELECT patient_id, raw FROM resources WHERE resource_type = 'Encounter'",
    };
    let failed =
        |e: datafusion::error::DataFusionError| Failure::from(measures_run::RunError::from(e));
    let session = session(lake, threads()).map_err(failed)?;
    register_tables(&session, lake).map_err(failed)?;
    let batches = session
        .sql(sql)
        .await
        .map_err(failed)?
        .collect()
        .await
        .map_err(failed)?;
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for batch in batches {
        let text = |column: usize| {
            let column = batch.columns().get(column);
            let column = column.map(|c| {
                datafusion::arrow::compute::cast(c, &datafusion::arrow::datatypes::DataType::Utf8)
            });
            column.and_then(Result::ok)
        };
        let (Some(patients), Some(places)) = (text(0), text(1)) else {
            return Err(Failure::Internal(
                "the table of patients has other columns".into(),
            ));
        };
        let (Some(patients), Some(places)) = (
            patients.as_string_opt::<i32>(),
            places.as_string_opt::<i32>(),
        ) else {
            return Err(Failure::Internal(
                "the table of patients has other columns".into(),
            ));
        };
        for row in (0..batch.num_rows()).filter(|r| patients.is_valid(*r) && places.is_valid(*r)) {
            let own = out.entry(patients.value(row).to_owned()).or_default();
            if by == "location" {
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
