//! The views that ship with the engine: each loads without a warning and gives the rows it should.

use super::{View, ViewDefinition, ViewValue};
use engine_patient::record::PatientRecord;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../population/content/views");

fn shipped(name: &str) -> View {
    let text = std::fs::read_to_string(format!("{FOLDER}/{name}.json")).unwrap();
    ViewDefinition::from_json(&text).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"))
}

/// Rows as `column=value` of what is not null.
fn rows(view: &str, resource: &str) -> Vec<String> {
    let view = shipped(view);
    let mut record = PatientRecord::new();
    record.push(resource).unwrap();
    let mut out = vec![];
    for resource in record.resources() {
        let mut row = |row: &[ViewValue<'_>]| {
            let shown = view
                .columns
                .iter()
                .zip(row)
                .filter_map(|(column, value)| match value {
                    ViewValue::Null => None,
                    ViewValue::Bool(b) => Some(format!("{}={b}", column.name)),
                    ViewValue::Int(i) => Some(format!("{}={i}", column.name)),
                    ViewValue::Decimal(t) | ViewValue::Str(t) => {
                        Some(format!("{}={t}", column.name))
                    }
                    ViewValue::List(list) => Some(format!("{}={}", column.name, list.len())),
                });
            out.push(shown.collect::<Vec<_>>().join(" "));
        };
        view.rows(resource, &mut row, &mut |note| panic!("{note}"))
            .unwrap();
    }
    out
}

#[test]
fn every_view_loads_without_a_warning() {
    let Ok(files) = std::fs::read_dir(FOLDER) else {
        println!("skipped: no folder {FOLDER}");
        return;
    };
    let mut count = 0;
    for file in files {
        let name = file
            .unwrap()
            .path()
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let view = shipped(&name);
        assert_eq!(view.name, name);
        assert!(
            view.url
                .as_deref()
                .unwrap()
                .ends_with(&format!("/ViewDefinition/{name}")),
            "{name}"
        );
        assert!(view.description.is_some(), "{name}");
        assert!(view.warnings.is_empty(), "{name}: {:#?}", view.warnings);
        for column in &view.columns {
            assert!(column.description.is_some(), "{name}.{}", column.name);
            assert_eq!(column.name, column.name.to_lowercase(), "{name}");
        }
        count += 1;
    }
    assert!(count >= 14, "{count}");
}

#[test]
fn rows_of_shipped_views() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "patient_flat",
            r#"{"resourceType":"Patient","id":"p","name":[{"family":"M","use":"maiden"},{"family":"A","given":["B","C"],"use":"official"}],
            "birthDate":"1970","deceasedDateTime":"2020-01","gender":"female","generalPractitioner":[{"reference":"Practitioner/g"}],
            "identifier":[{"value":"0"},{"type":{"coding":[{"code":"MR"}]},"value":"1"}],"address":[{"line":["1 St","2"],"state":"MA"}],
            "extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[{"url":"ombCategory","valueCoding":{"code":"2106-3"}}]}]}"#,
            &[
                "id=p mrn=1 family_name=A given_names=B C gender=female birth_date=1970 deceased=true deceased_date_time=2020-01 race_code=2106-3 address_line=1 St, 2 state=MA general_practitioner_id=g",
            ],
        ),
        (
            "encounter_flat",
            r#"{"resourceType":"Encounter","id":"e","status":"finished","class":{"system":"c","code":"IMP"},"type":[{"coding":[{"code":"t"}]}],
            "subject":{"reference":"urn:uuid:p"},"period":{"start":"2024-01-01","end":"2024-01-05"},"serviceProvider":{"reference":"Organization/o"},
            "hospitalization":{"admitSource":{"coding":[{"code":"emd"}]},"dischargeDisposition":{"coding":[{"code":"home"}]}}}"#,
            &[
                "id=e patient_id=p status=finished class_system=c class_code=IMP type_code=t period_start=2024-01-01 period_end=2024-01-05 admit_source=emd discharge_disposition=home service_provider_id=o",
            ],
        ),
        (
            "observation_flat",
            r#"{"resourceType":"Observation","id":"o","status":"final","category":[{"coding":[{"code":"laboratory"}]}],"subject":{"reference":"Patient/p"},
            "code":{"coding":[{"system":"http://loinc.org","code":"4548-4","display":"A1c"}]},"effectivePeriod":{"start":"2024","end":"2025"},
            "valueQuantity":{"value":7.10,"unit":"%","code":"%"}}"#,
            &[
                "id=o patient_id=p status=final category=laboratory code_system=http://loinc.org code=4548-4 code_display=A1c effective_start=2024 effective_end=2025 value_quantity_value=7.10 value_quantity_unit=% value_quantity_code=%",
            ],
        ),
        (
            "observation_component_flat",
            r#"{"resourceType":"Observation","id":"o","status":"final","subject":{"reference":"Patient/p"},"effectiveInstant":"2024-01-01T00:00:00Z","code":{"coding":[{"code":"85354-9"}]},
            "component":[{"code":{"coding":[{"code":"8480-6"}]},"valueQuantity":{"value":120}},{"code":{"coding":[{"code":"8462-4"}]},"valueCodeableConcept":{"coding":[{"code":"x"}]}}]}"#,
            &[
                "observation_id=o component_index=0 patient_id=p status=final observation_code=85354-9 effective_start=2024-01-01T00:00:00Z code=8480-6 value_quantity_value=120",
                "observation_id=o component_index=1 patient_id=p status=final observation_code=85354-9 effective_start=2024-01-01T00:00:00Z code=8462-4 value_codeable_code=x",
            ],
        ),
        (
            "medication_request_flat",
            r#"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","subject":{"reference":"Patient/p"},"medicationCodeableConcept":{"coding":[{"code":"1"}],"text":"T"},
            "dosageInstruction":[{"text":"a","doseAndRate":[{"doseQuantity":{"value":2,"unit":"mg"}}]},{"text":"b"}],"dispenseRequest":{"numberOfRepeatsAllowed":3}}"#,
            &[
                "id=m patient_id=p status=active intent=order medication_code=1 medication_text=T dosage_text=a; b dose_value=2 dose_unit=mg repeats_allowed=3",
            ],
        ),
        (
            "condition_flat",
            r#"{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/p"},"code":{"text":"x"},"onsetPeriod":{"start":"2020"},"abatementDateTime":"2021","clinicalStatus":{"coding":[{"code":"resolved"}]}}"#,
            &[
                "id=c patient_id=p clinical_status=resolved code_text=x onset_start=2020 abatement_end=2021",
            ],
        ),
    ];
    for (view, resource, expected) in cases {
        assert_eq!(rows(view, resource), *expected, "{view}");
    }
}
