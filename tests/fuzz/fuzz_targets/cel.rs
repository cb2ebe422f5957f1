//! `Checker::compile` of arbitrary text; where it compiles, its evaluation over a small record.
#![no_main]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target fails by panicking"
)]

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, LazyLock, Once};

use cpu_time::ProcessTime;
use engine_cel::explain::{show, truth_of};
use engine_cel::{Checker, Clause, Compiled, Evaluation, Ty, Val};
use engine_patient::context::EvaluationContext;
use engine_patient::finding::Finding;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
use engine_patient::terminology::{Code, ValueSet};
use libfuzzer_sys::fuzz_target;

/// Panics of the third-party parser that are known: file and line. Elsewhere they are findings,
/// but for those on the thread with the large stack, which `compile` catches itself.
const KNOWN: &[&str] = &[];

/// Aliases of the tests and of the rules' seeds, with a code each of the record.
const VALUE_SETS: &[(&str, &str, &str)] = &[
    ("hba1c", "http://loinc.org", "4548-4"),
    ("bp", "http://loinc.org", "85354-9"),
    ("blood-pressure", "http://loinc.org", "85354-9"),
    ("systolic", "http://loinc.org", "8480-6"),
    ("diastolic", "http://loinc.org", "8462-4"),
    ("diabetes", "http://hl7.org/fhir/sid/icd-10-cm", "E11.9"),
    (
        "metformin",
        "http://www.nlm.nih.gov/research/umls/rxnorm",
        "860975",
    ),
    (
        "colonoscopy",
        "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "G0121",
    ),
    ("visit", "urn:x", "v"),
    ("hypertension", "urn:x", "-"),
    ("kidney-disease", "urn:x", "-"),
    ("pregnancy", "urn:x", "-"),
    ("hospice", "urn:x", "-"),
    ("palliative-care", "urn:x", "-"),
    ("colorectal-cancer", "urn:x", "-"),
    ("fobt", "urn:x", "-"),
    ("sdna-fit", "urn:x", "-"),
    ("ct-colonography", "urn:x", "-"),
    ("flexible-sigmoidoscopy", "urn:x", "-"),
];

/// Names that the rules' seeds have under `define`.
const DEFINES: &[(&str, &str)] = &[
    ("year_ago", "at - years(1)"),
    ("years_3_ago", "at - years(3)"),
    ("years_5_ago", "at - years(5)"),
    ("years_10_ago", "at - years(10)"),
];

const RESOURCES: &[&str] = &[
    r#"{"resourceType":"Patient","id":"p","birthDate":"1960-06-15","gender":"female","name":[{"family":"A","given":["B","C"]}]}"#,
    r#"{"resourceType":"Condition","id":"c1","clinicalStatus":{"coding":[{"code":"active"}]},"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"E11.9"}]},"onsetDateTime":"2010"}"#,
    r#"{"resourceType":"Condition","id":"c2","code":{"text":"x"},"abatementDateTime":"2020-05"}"#,
    r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"effectiveDateTime":"2025-03-01","valueQuantity":{"value":7.1,"system":"http://unitsofmeasure.org","code":"%"}}"#,
    r#"{"resourceType":"Observation","id":"o2","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"effectiveDateTime":"2025-08-01T10:00:00Z","valueQuantity":{"value":9.4,"comparator":">","system":"http://unitsofmeasure.org","code":"%"}}"#,
    r#"{"resourceType":"Observation","id":"b1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"effectiveDateTime":"2025","component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":150,"system":"http://unitsofmeasure.org","code":"mm[Hg]"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]}}]}"#,
    r#"{"resourceType":"Observation","id":"b2","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"effectivePeriod":{"start":"9999-12-31T23:59:59.999-14:00"},"valueInteger":-9223372036854775808}"#,
    r#"{"resourceType":"MedicationRequest","id":"m1","medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"860975"}]},"authoredOn":"0001-01-01"}"#,
    r#"{"resourceType":"Procedure","id":"x1","status":"completed","code":{"coding":[{"system":"https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets","code":"G0121"}]},"performedPeriod":{"start":"2016-03-01","end":"2016-03-02"}}"#,
    r#"{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"type":[{"coding":[{"system":"urn:x","code":"v"}]}],"period":{"start":"2025-01-01T10:00:00+05:30","end":"2025-01-01T11:00:00+05:30"}}"#,
];

static SETS: LazyLock<Vec<(String, Arc<ValueSet>)>> = LazyLock::new(|| {
    let set = |(name, system, code): &(&str, &str, &str)| {
        let codes = vec![Code::new(system, code)];
        let set = ValueSet::from_codes(&format!("urn:vs:{name}"), None, codes, "fuzz");
        (name.to_string(), Arc::new(set))
    };
    VALUE_SETS.iter().map(set).collect()
});

static RECORD: LazyLock<PatientRecord> = LazyLock::new(|| {
    let mut record = PatientRecord::new();
    for json in RESOURCES {
        record.push(json).expect("a resource");
    }
    record.seal();
    record
});

static DEFINED: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let compile = |(_, source): &(&str, &str)| Checker::new(vec![]).compile(source, None);
    DEFINES
        .iter()
        .map(compile)
        .collect::<Result<_, _>>()
        .expect("expressions")
});

static CONTEXTS: LazyLock<[EvaluationContext; 2]> = LazyLock::new(|| {
    let time = |text| DateTime::parse(text).expect("a date");
    [
        EvaluationContext::at(time("2025-12-31T12:00:00Z")),
        EvaluationContext::for_period(time("2024"), time("2024-12"), Zone::fixed(-720)),
    ]
});

fuzz_target!(|source: &str| {
    tell_panics_apart();
    let sets = &*SETS;
    let defined = DEFINED.iter().zip(DEFINES);
    let mut checker = Checker::new(sets.clone());
    defined.for_each(|(compiled, (name, _))| checker.define(name, compiled));
    // Only a panic that is known comes back here.
    let compile = || catch_unwind(AssertUnwindSafe(|| checker.compile(source, None)));
    let Ok(outcome) = timed(compile) else { return };
    match outcome {
        Ok(compiled) => evaluate(&checker, &compiled),
        Err(problems) => check(source, &problems),
    }
});

/// Whatever it is, it must be done within a second.
fn timed<T>(work: impl FnOnce() -> T) -> T {
    let start = ProcessTime::now();
    let done = work();
    let took = start.elapsed();
    assert!(took.as_secs() < 1, "took {took:?} of processor time");
    done
}

/// A panic is a crash at once, but for one of the parser that is known or that `compile` catches.
fn tell_panics_apart() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let main = std::thread::current().id();
        let before = take_hook();
        set_hook(Box::new(move |info| {
            let place = info
                .location()
                .map(|l| format!("{}:{}", l.file(), l.line()))
                .unwrap_or_default();
            let parser = place.contains("/cel-") || place.contains("/antlr4rust-");
            let caught = std::thread::current().id() != main;
            match KNOWN.iter().any(|known| place.ends_with(known)) || (parser && caught) {
                true => eprintln!("passed over: {place}: {info}"),
                false => before(info),
            }
        }));
    });
}

fn check(source: &str, problems: &[Finding]) {
    let length = source.chars().count();
    assert!(!problems.is_empty(), "refused without a reason");
    for problem in problems {
        let (from, to) = problem.chars();
        assert!(
            from <= to && to <= length,
            "{from}..{to} of {length}: {problem:?}"
        );
        assert!(!problem.message.is_empty());
    }
}

fn evaluate(checker: &Checker, compiled: &Compiled) {
    let sets: Vec<_> = checker.value_sets().cloned().collect();
    for context in CONTEXTS.iter() {
        let evaluation = Evaluation::new(&RECORD, context, checker.requirements(), &sets, &DEFINED);
        let value = timed(|| evaluation.evaluate(compiled)).unwrap();
        let shown = (show(&value), truth_of(&value));
        let again = Evaluation::new(&RECORD, context, checker.requirements(), &sets, &DEFINED);
        let again = timed(|| again.evaluate(compiled)).unwrap();
        assert!(
            shown == (show(&again), truth_of(&again)),
            "another value the second time"
        );
        // `[]` is of any type: what is made of it is not told.
        assert!(
            compiled.source.contains('[') || of_type(&value, &compiled.ty),
            "{} is {value:?}",
            compiled.ty
        );
        if let Val::Unknown(reason) = &value {
            assert!(!reason.starts_with("no value yet"), "{reason}");
        }
        explained(&timed(|| {
            evaluation.explain(compiled).expect("no bug of ours")
        }));
    }
}

fn of_type(value: &Val<'_>, ty: &Ty) -> bool {
    match (value, ty) {
        (Val::Unknown(_), _) | (_, Ty::Any | Ty::Choice(..)) => true,
        (Val::Bool(_), Ty::Bool) | (Val::Int(_), Ty::Int | Ty::Double) => true,
        (Val::Decimal(_), Ty::Double) | (Val::Str(_), Ty::String) => true,
        (Val::Time(_), Ty::Time) | (Val::Duration(_), Ty::Duration) => true,
        (Val::Element(_), Ty::Element(_)) => true,
        (Val::List(items), Ty::List(item)) => items.iter().take(2).all(|i| of_type(i, item)),
        _ => false,
    }
}

fn explained(clause: &Clause) {
    assert!(clause.truth.is_some() || clause.value.is_some());
    clause.clauses.iter().for_each(explained);
}
