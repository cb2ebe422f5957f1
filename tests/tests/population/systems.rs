//! Data coded in systems that the value sets of a rule do not have; the dead. A run over the lake and
//! one patient of it say the same.

use std::collections::BTreeMap;
use std::sync::Arc;

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

/// By rule and patient: outcomes of the populations (t, f, u) and the last reason that one of them has.
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
        let reason = rows.iter().rev().find_map(|row| row.reason.as_deref());
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
    let types = [name("Medication")];
    let record = engine_population::patient::record(&made.lake, patient, &types);
    let record = runtime().block_on(record).unwrap().unwrap();
    let rows = rule.rows(&record, &context()).unwrap();
    let outcomes = rows.iter().map(|r| &r.outcome.as_str()[..1]).collect();
    let reason = rows
        .iter()
        .rev()
        .find_map(|row| row.unknown_reason.as_deref());
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

/// Who is coded in other systems is not "not done", and not skipped as surely not eligible. Who has nothing
/// at all of a kind has nothing that could be coded otherwise.
#[test]
fn a_lake_coded_in_other_systems_is_not_evaluable() {
    let made = lake(&[
        patient("done-elsewhere", ""),
        patient("conditions-elsewhere", ""),
        patient("stool-test", ""),
        patient("child", "").replace("1965", "2020"),
        procedure("1", "done-elsewhere", LOCAL, "colonoscopy"),
        condition("2", "conditions-elsewhere", LOCAL, "diabetes"),
        r#"{"resourceType":"Observation","id":"3","status":"final","subject":{"reference":"Patient/stool-test"},"effectiveDateTime":"2025-05-01","code":{"coding":[{"system":"http://loinc.org","code":"57905-2"}]},"valueString":"negative"}"#.into(),
    ]);
    let rules = [rule("colorectal-cancer-screening"), rule("hba1c-control")];
    let (found, results) = outcomes(&made, &rules);
    let of = |rule: &str, patient: &str| {
        let (outcomes, reason) = &found[&(rule.to_owned(), patient.to_owned())];
        (outcomes.clone(), reason.clone())
    };
    let screening = "colorectal-cancer-screening";
    let coded = |ty: &str| format!("{ty}.code is coded in {LOCAL} here, the value set ");
    let (told, reason) = of(screening, "done-elsewhere");
    assert_eq!(told, "ttuu");
    assert!(
        reason.starts_with(&format!("excluded: {}", coded("Procedure"))),
        "{reason}"
    );
    let (told, reason) = of(screening, "conditions-elsewhere");
    assert_eq!(told, "ttuf", "{reason}");
    assert_eq!(of(screening, "stool-test").0, "ttft");
    let (told, reason) = of("hba1c-control", "conditions-elsewhere");
    assert_eq!(told[..3], *"uuu");
    assert!(reason.contains(&coded("Condition")), "{reason}");
    // Nobody wrote a Condition of theirs, in whatever codes.
    assert_eq!(of("hba1c-control", "done-elsewhere").0, "ffff");
    assert_eq!(of(screening, "child").0, "ffff");
    assert_eq!(of("hba1c-control", "child").0, "ffff");
    // No bare rate: of three in the denominator one is surely done, and two may be left out.
    let counts = &results[0].groups[0].counts;
    assert_eq!(counts.unknown, 2);
    assert_eq!(counts.rate_bounds(), Some((1.0 / 3.0, 1.0)));
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
    assert_eq!(of("conditions-elsewhere"), "ttff");
    assert_eq!(of("stool-test"), "ttft");
}

/// What other patients are coded in proves nothing: one HCPCS code in the lake does not make a colonoscopy
/// in CPT "not done". A card, a measure and the list of gaps say the same of every patient.
#[test]
fn a_mixed_lake_is_judged_patient_by_patient() {
    const CPT: &str = "http://www.ama-assn.org/go/cpt";
    const ICD: &str = "http://hl7.org/fhir/sid/icd-10-cm";
    let reference = |id: &str, patient: &str, drug: &str| {
        format!(
            r#"{{"resourceType":"MedicationRequest","id":"{id}","status":"active","intent":"order","subject":{{"reference":"Patient/{patient}"}},"medicationReference":{{"reference":"Medication/{drug}"}}}}"#
        )
    };
    let made = lake(&[
        patient("hcpcs", ""),
        patient("cpt", ""),
        patient("both", ""),
        patient("nothing", ""),
        patient("sct", ""),
        patient("icd", ""),
        patient("sct-and-icd", ""),
        patient("dead", r#","deceasedDateTime":"2025-06-01""#),
        procedure("1", "hcpcs", HCPCS, "G0121"),
        procedure("2", "cpt", CPT, "45378"),
        procedure("3", "both", CPT, "45378"),
        procedure("4", "both", HCPCS, "G0008"),
        procedure("5", "dead", HCPCS, "G0121"),
        condition("6", "sct", "http://snomed.info/sct", "44054006"),
        condition("7", "icd", ICD, "E11.9"),
        condition("8", "sct-and-icd", "http://snomed.info/sct", "44054006"),
        condition("9", "sct-and-icd", ICD, "I10"),
        reference("10", "nothing", "m"),
        r#"{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"urn:drugs","code":"1"}]}}"#.into(),
    ]);
    let all = rules::built_in().unwrap();
    let gaps: Vec<_> = all
        .into_iter()
        .filter(|r| r.kind == rules::Kind::CareGap)
        .collect();
    // Each against one patient at a time: see `outcomes`.
    let (found, _) = outcomes(&made, &gaps);
    let of = |rule: &str, patient: &str| found[&(rule.to_owned(), patient.to_owned())].clone();
    let screening = |patient: &str| of("colorectal-cancer-screening", patient).0;
    assert_eq!(screening("hcpcs"), "ttft");
    let (cpt, reason) = of("colorectal-cancer-screening", "cpt");
    assert_eq!(cpt, "ttuu", "{reason}");
    assert!(reason.contains(CPT), "{reason}");
    assert_eq!(screening("both"), "ttff");
    assert_eq!(screening("nothing"), "ttff");
    assert_eq!(screening("dead"), "ffff");
    // Nor is a diabetic coded in SNOMED CT skipped as not diabetic, because another is in ICD-10-CM.
    let control = |patient: &str| of("hba1c-control", patient).0;
    assert_eq!(control("sct")[..2], *"uu");
    assert_eq!(control("icd")[..2], *"tt");
    assert_eq!(control("sct-and-icd")[..2], *"ff");
    assert_eq!(control("nothing")[..2], *"ff");
    // A card is shown where the measure counts a gap, and where it cannot tell there is none.
    for rule in gaps
        .iter()
        .filter(|r| r.hooks.contains(&rules::Hook::PatientView))
    {
        for ((_, patient), (outcomes, reason)) in found
            .iter()
            .filter(|((id, _), _)| **id == *rule.artifact.id)
        {
            let types = [name("Medication")];
            let record = engine_population::patient::record(&made.lake, patient, &types);
            let record = runtime().block_on(record).unwrap().unwrap();
            let decision = rule.decide(&record, &context()).unwrap();
            let said = decision.applicability;
            // Who is surely excluded has no card, though it cannot be told whether they would count.
            let fits = match outcomes.as_str() {
                "ttff" => said == rules::Applicability::Applies,
                text if text.starts_with("uu") => said != rules::Applicability::Applies,
                text if text.contains('u') => said == rules::Applicability::Unknown,
                _ => said == rules::Applicability::DoesNotApply,
            };
            let of = &rule.artifact.id;
            assert!(fits, "{of} {patient} {outcomes} {reason}: {said:?}");
        }
    }
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
