//! Data coded in systems that the value sets of a rule do not have; the dead. A run over the lake and
//! one patient of it say the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::program::PatientProgram;
use engine_patient::program::RowOptions;
use engine_patient::systems::SystemsInUse;
use engine_patient::terminology::TerminologyBuilder;
use engine_population::lake::Lake;
use engine_population::lake::systems::systems_in_use;
use engine_population::session::{register_tables, session};
use measures::structure::MeasureStructure;
use measures_run::evaluate::{Pass, ProgramMeasure, run_programs};

use crate::fixture::{context, import_into};

const HCPCS: &str = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets";
const LOCAL: &str = "https://hospital.example.org/codes";

fn patient(id: &str, more: &str) -> String {
    format!(r#"{{"resourceType":"Patient","id":"{id}","birthDate":"1965-06-15"{more}}}"#)
}

fn procedure(id: &str, patient: &str, system: &str, code: &str) -> String {
    format!(
        r#"{{"resourceType":"Procedure","id":"{id}","status":"completed","performedDateTime":"2020-03-01","subject":{{"reference":"Patient/{patient}"}},"code":{{"coding":[{{"system":"{system}","code":"{code}"}}]}}}}"#
    )
}

fn condition(id: &str, patient: &str, system: &str, code: &str) -> String {
    format!(
        r#"{{"resourceType":"Condition","id":"{id}","clinicalStatus":{{"coding":[{{"code":"active"}}]}},"subject":{{"reference":"Patient/{patient}"}},"code":{{"coding":[{{"system":"{system}","code":"{code}"}}]}}}}"#
    )
}

struct Made {
    folder: tempfile::TempDir,
    lake: Lake,
}

fn lake(lines: &[String]) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("all.ndjson"), lines.join("\n")).unwrap();
    let at = folder.path().join("lake");
    import_into(&data, &at, 8, 1_700_000_000_000);
    let lake = runtime().block_on(Lake::open(&at, None)).unwrap();
    Made { folder, lake }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

fn name(ty: &str) -> Name {
    Name::of(ty).unwrap()
}

/// By rule and patient: outcomes of the populations (t, f, u) and the reason of the last.
type Outcomes = BTreeMap<(String, String), (String, String)>;

/// Of a run over the lake, checked against one patient at a time; and the results of the run.
fn outcomes(
    made: &Made,
    rules: &[Arc<rules::Rule>],
) -> (Outcomes, Vec<measures::result::MeasureResult>) {
    let programs: Vec<ProgramMeasure> = rules
        .iter()
        .map(|rule| {
            let program = Arc::clone(rule) as Arc<dyn PatientProgram>;
            ProgramMeasure::care_gap(program, measures::result::Improvement::Increase)
        })
        .collect();
    let file = made.folder.path().join("rows.parquet");
    let moment = context();
    let pass = Pass {
        lake: &made.lake,
        measures: &programs,
        context: &moment,
        rows: RowOptions::default(),
        subject: None,
        threads: 2,
        file: &file,
    };
    let run = run_programs(&pass);
    let (results, _) = runtime().block_on(run).unwrap();
    let structures: Vec<Arc<MeasureStructure>> =
        programs.iter().flat_map(|p| p.structures.clone()).collect();
    let mut found = Outcomes::new();
    measures_run::rows::read_rows(Some(&file), &structures, &mut |subject| {
        let rule = &rules[subject.measure];
        let rows = &subject.groups[0].populations;
        let outcomes = rows.iter().map(|row| &row.outcome.as_str()[..1]).collect();
        let reason = rows.last().unwrap().reason.as_deref();
        let of_run = (outcomes, reason.unwrap_or_default().to_owned());
        assert_eq!(
            of_run,
            alone(made, rule, &subject.patient),
            "{}",
            subject.patient
        );
        found.insert(
            (rule.artifact.id.to_string(), subject.patient.clone()),
            of_run,
        );
    })
    .unwrap();
    (found, results)
}

/// One patient of the lake, as `tandem rule eval --lake` asks.
fn alone(made: &Made, rule: &rules::Rule, patient: &str) -> (String, String) {
    let (record, systems) = runtime().block_on(async {
        let record = engine_population::patient::record(&made.lake, patient, &[]).await;
        let systems = systems_in_use(&made.lake, rule.coded_elements()).await;
        (record.unwrap().unwrap(), systems.unwrap())
    });
    let context: EvaluationContext = context().with_systems(Arc::new(systems));
    let rows = rule.rows(&record, &context).unwrap();
    let outcomes = rows.iter().map(|r| &r.outcome.as_str()[..1]).collect();
    let reason = rows.last().unwrap().unknown_reason.as_deref();
    (outcomes, reason.unwrap_or_default().to_owned())
}

fn rule(id: &str) -> Arc<rules::Rule> {
    let all = rules::built_in().unwrap();
    all.into_iter().find(|r| *r.artifact.id == *id).unwrap()
}

#[test]
fn the_systems_of_a_lake_are_by_element_and_of_all_patients() {
    let made = lake(&[
        patient("a", ""),
        patient("b", ""),
        procedure("1", "a", HCPCS, "G0008"),
        procedure("2", "b", LOCAL, "1"),
        condition("3", "b", "urn:oid:2.16.840.1.113883.6.90", "I10"),
        r#"{"resourceType":"Observation","id":"4","status":"final","subject":{"reference":"Patient/a"},"code":{"text":"none"}}"#.into(),
        r#"{"resourceType":"MedicationRequest","id":"5","subject":{"reference":"Patient/a"},"medicationReference":{"reference":"Medication/m"}}"#.into(),
        r#"{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"urn:drugs","code":"1"}]}}"#.into(),
    ]);
    let elements = [
        (name("Procedure"), "code"),
        (name("Condition"), "code"),
        (name("Observation"), "code"),
        (name("MedicationRequest"), "medication"),
        (name("Encounter"), "reasonCode"),
    ];
    let used = runtime()
        .block_on(systems_in_use(&made.lake, &elements))
        .unwrap();
    let mut expected = SystemsInUse::default();
    expected.add(elements[0], [LOCAL, HCPCS]);
    expected.add(elements[1], ["http://hl7.org/fhir/sid/icd-10-cm"]);
    expected.add(elements[2], []);
    expected.add(elements[3], ["urn:drugs"]);
    // Not indexed, so not known.
    assert_eq!(used, expected);
    let none = runtime().block_on(systems_in_use(&made.lake, &[])).unwrap();
    assert_eq!(none, SystemsInUse::default());
}

/// A lake coded in other systems: nobody is "not done", nobody is skipped as surely not eligible.
#[test]
fn a_lake_coded_in_other_systems_is_not_evaluable() {
    let made = lake(&[
        patient("done-elsewhere", ""),
        patient("nothing", ""),
        patient("stool-test", ""),
        patient("child", "").replace("1965", "2020"),
        procedure("1", "done-elsewhere", LOCAL, "colonoscopy"),
        condition("2", "nothing", LOCAL, "diabetes"),
        r#"{"resourceType":"Observation","id":"3","status":"final","subject":{"reference":"Patient/stool-test"},"effectiveDateTime":"2025-05-01","code":{"coding":[{"system":"http://loinc.org","code":"57905-2"}]},"valueString":"negative"}"#.into(),
    ]);
    let rules = [rule("colorectal-cancer-screening"), rule("hba1c-control")];
    let (found, results) = outcomes(&made, &rules);
    let of = |rule: &str, patient: &str| {
        let (outcomes, reason) = &found[&(rule.to_owned(), patient.to_owned())];
        (outcomes.clone(), reason.clone())
    };
    let screening = "colorectal-cancer-screening";
    for patient in ["done-elsewhere", "nothing", "stool-test"] {
        let (outcomes, reason) = of(screening, patient);
        assert_eq!(outcomes, "ttuu", "{patient}");
        let condition =
            format!("excluded: Condition.code is coded in {LOCAL} here, the value set ");
        assert!(reason.starts_with(&condition), "{reason}");
        assert_eq!(of("hba1c-control", patient).0[..3], *"uuu", "{patient}");
    }
    assert_eq!(of(screening, "child").0, "ffff");
    assert_eq!(of("hba1c-control", "child").0, "ffff");
    // No bare rate: of three in the denominator nothing is certain.
    let counts = &results[0].groups[0].counts;
    assert_eq!(counts.unknown, 3);
    assert_eq!(counts.rate_bounds(), Some((0.0, 1.0)));
    assert_eq!(counts.score(&results[0].structure.groups[0]), None);
    // With the local codes added, the same lake is evaluable.
    let own = format!(
        r#"{{"resourceType":"Bundle","entry":[{}]}}"#,
        ["colonoscopy", "flexible-sigmoidoscopy", "colorectal-cancer", "hospice", "palliative-care"]
            .map(|set| format!(r#"{{"resource":{{"resourceType":"ValueSet","url":"https://tandem-cds.dev/ValueSet/{set}","version":"9","expansion":{{"contains":[{{"system":"{LOCAL}","code":"{set}"}}]}}}}}}"#))
            .join(",")
    );
    let mut builder = TerminologyBuilder::new();
    builder.add_json("own.json", own.as_bytes());
    let mut store = rules::built_in_terminology();
    store.unite(builder.build().0);
    let all = rules::built_in_with(&store).unwrap();
    let (found, _) = outcomes(&made, &all[..1]);
    let of = |patient: &str| found[&(screening.to_owned(), patient.to_owned())].0.clone();
    assert_eq!(of("done-elsewhere"), "ttft");
    assert_eq!(of("nothing"), "ttff");
    assert_eq!(of("stool-test"), "ttft");
}

/// One patient's codes in a system are enough for the lake to use it; absence is absence then.
#[test]
fn a_lake_that_uses_the_systems_is_evaluable() {
    let made = lake(&[
        patient("a", ""),
        patient("b", ""),
        patient("c", r#","deceasedDateTime":"2025-06-01""#),
        patient("d", r#","deceasedDateTime":"2026-06-01""#),
        patient("e", r#","deceasedBoolean":false"#),
        procedure("1", "a", LOCAL, "colonoscopy"),
        procedure("2", "b", HCPCS, "G0121"),
        procedure("3", "c", HCPCS, "G0121"),
    ]);
    let (found, _) = outcomes(&made, &[rule("colorectal-cancer-screening")]);
    let all: Vec<_> = found
        .iter()
        .map(|((_, p), o)| format!("{p} {}", o.0))
        .collect();
    assert_eq!(all, ["a ttff", "b ttft", "c ffff", "d ttff", "e ttff"]);
}

/// Who died in the stay, or before its end was written down, could not be readmitted.
#[test]
fn readmission_leaves_out_stays_that_ended_with_death() {
    let stay = |id: &str, patient: &str, from: &str, to: &str, more: &str| {
        format!(
            r#"{{"resourceType":"Encounter","id":"{id}","status":"finished","class":{{"code":"IMP"}},"subject":{{"reference":"Patient/{patient}"}},"period":{{"start":"{from}","end":"{to}"}}{more}}}"#
        )
    };
    let plain = |id: &str, patient: &str| stay(id, patient, "2025-03-01", "2025-03-05", "");
    let died = |id: &str, when: &str| patient(id, &format!(r#","deceasedDateTime":"{when}""#));
    let expired = r#","hospitalization":{"dischargeDisposition":{"coding":[{"code":"exp"}]}}"#;
    let made = lake(&[
        patient("alive", ""),
        plain("1", "alive"),
        patient("said", ""),
        stay("2", "said", "2025-03-01", "2025-03-05", expired),
        died("in-stay", "2025-03-05T10:00:00Z"),
        plain("3", "in-stay"),
        died("later", "2025-03-20"),
        plain("4", "later"),
        died("some-month", "2025-03"),
        plain("5", "some-month"),
        died("next-year", "2026"),
        plain("6", "next-year"),
        patient("no-date", r#","deceasedBoolean":true"#),
        plain("7", "no-date"),
        patient("again", r#","deceasedBoolean":true"#),
        plain("8", "again"),
        stay("9", "again", "2025-03-10", "2025-03-12", expired),
        patient("living", r#","deceasedBoolean":false"#),
        plain("10", "living"),
        // Only referred to: in no measure.
        plain("11", "nobody"),
    ]);
    let result = runtime().block_on(async {
        let session = session(&made.lake, 2).unwrap();
        register_tables(&session, &made.lake).unwrap();
        let measure = measures_run::sql::built_in().unwrap().remove(0);
        let period = context().period.unwrap();
        let day = |d: engine_patient::system::date_time::DateTime| {
            engine_patient::system::date_time::DateTime::parse(&d.to_string()[..10]).unwrap()
        };
        measure
            .run(&session, (day(period.0), day(period.1)))
            .await
            .unwrap()
    });
    let counts = &result.groups[0].counts;
    // alive, later, next-year, again, living; again was readmitted; some-month and no-date are open.
    let of = |code: measures::package::PopulationCode| {
        let group = &result.structure.groups[0];
        counts.populations[group.position(code).unwrap().position()].count
    };
    assert_eq!(of(measures::package::PopulationCode::Denominator), 5);
    assert_eq!(of(measures::package::PopulationCode::Numerator), 1);
    assert_eq!(counts.unknown, 2);
}
