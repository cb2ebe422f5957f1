//! The public CQL test suites, translated to ELM: every expression evaluated, every invalid one
//! refused.

use std::path::Path;

use engine_elm::value::{Interval, Val};
use engine_elm::{Library, Linker, Options, Settings, with_evaluator};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;
use engine_patient::terminology::TerminologyStore;
use serde_json::Value as Json;

use crate::Score;

/// The translator has no `Slice`: there is no ELM to run.
const NO_ELM: &str = "the record has no `Test`: the translator does not know Slice";
const NOTHING: &str = "the record has no `Expected` to compare with";
/// `days between` an imprecise date: other tests of the suite (UncertainSubtract, UncertainMultiply,
/// DateTimeUncertain) need the bounds that these two contradict.
const CONTRADICTION: &str = "the suite contradicts itself on the bounds of an uncertain duration";
const SECONDS: &str = "seconds and milliseconds compare as one decimal (CQL 1.5, comparing dates and times), as cases of CMS1028 need; this test expects null";
const DIGITS: &str = "36 digits: CQL decimals have 28";

/// Expressions that do not come out as published, and why. One that passes fails the build.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("CqlListOperatorsTest", "SliceAll", NO_ELM),
    ("CqlListOperatorsTest", "SliceEmpty", NO_ELM),
    ("CqlListOperatorsTest", "SliceNull", NO_ELM),
    ("CqlListOperatorsTest", "SliceStart", NO_ELM),
    ("CqlListOperatorsTest", "SliceStartNull", NO_ELM),
    ("CqlListOperatorsTest", "SliceEnd", NO_ELM),
    ("CqlListOperatorsTest", "SliceEndNull", NO_ELM),
    ("CqlListOperatorsTest", "SliceNegative", NO_ELM),
    ("CqlListOperatorsTest", "SliceStartAndNegative", NO_ELM),
    (
        "CqlDateTimeOperatorsTest",
        "DateTimeDurationBetweenUncertainInterval",
        CONTRADICTION,
    ),
    (
        "CqlDateTimeOperatorsTest",
        "TimeDurationBetweenHourDiffPrecision2",
        CONTRADICTION,
    ),
    (
        "CqlIntervalOperatorsTest",
        "DateTimeIncludedInNull",
        SECONDS,
    ),
    (
        "CqlIntervalOperatorsTest",
        "TimeProperContainsNull",
        SECONDS,
    ),
    ("CqlIntervalOperatorsTest", "TimeProperInNull", SECONDS),
    ("CqlListOperatorsTest", "ProperContainsTimeNull", SECONDS),
    ("CqlListOperatorsTest", "ProperInTimeNull", SECONDS),
    ("CqlTypeOperatorsTest", "CodeToConcept1", NOTHING),
    (
        "ValueLiteralsAndSelectors",
        "Decimal10Pow28ToZeroOneStepDecimalMaxValue",
        DIGITS,
    ),
    (
        "ValueLiteralsAndSelectors",
        "DecimalNeg10Pow28ToZeroOneStepDecimalMinValue",
        DIGITS,
    ),
];

/// Runs all suites of a folder.
pub fn run(folder: &Path) -> Score {
    let mut score = Score::new("cql");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let records: Vec<Json> = serde_json::from_str(&text).unwrap();
        for record in records {
            let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
            let (suite, name) = (text("suite"), text("name"));
            let outcome = check(&record);
            let known = EXCEPTIONS
                .iter()
                .find(|(s, n, _)| *s == suite && *n == name);
            let shown = format!("{suite}/{name}: {}", text("expression").replace('\n', " "));
            score.case(&suite, &shown, outcome, known.map(|(_, _, why)| *why));
        }
    }
    score
}

/// Evaluates `Test` and `Expected` of a record; what is wrong, if anything.
fn check(record: &Json) -> Result<(), String> {
    let invalid = record["invalid"] != Json::Bool(false);
    if record["elm"].is_null() {
        // The translator refused it, which is the right answer for an invalid one.
        return if invalid {
            Ok(())
        } else {
            Err("there is no ELM".into())
        };
    }
    let bytes = serde_json::to_vec(&record["elm"]).unwrap();
    let refused = |what: String| if invalid { Ok(()) } else { Err(what) };
    let library = match Library::read("suite", &bytes) {
        Ok(library) => library,
        Err(issue) => return refused(issue.to_string()),
    };
    let libraries = [library];
    let terminology = TerminologyStore::default();
    let mut linker = Linker::new(&libraries, &terminology, Options::default());
    let test = linker.expression(0, "Test");
    let has = |name: &str| libraries[0].definitions.iter().any(|d| *d.name == *name);
    let expected = has("Expected")
        .then(|| linker.expression(0, "Expected"))
        .flatten();
    let (compiled, issues) = linker.finish();
    if let Some(issue) = issues.iter().find(|i| i.is_error()) {
        return refused(issue.to_string().replace('\n', " "));
    }
    let Some(test) = test else {
        return Err("there is no `Test`".into());
    };
    let now = DateTime::parse("2024-03-15T12:30:45.123Z").unwrap();
    let settings = Settings::of(&engine_patient::context::EvaluationContext::at(now));
    let patient = PatientRecord::new();
    with_evaluator(&compiled, &patient, &settings, |evaluator| {
        let value = match evaluator.expression(test) {
            Ok(value) => value,
            Err(fault) => return refused(fault.to_string()),
        };
        if invalid {
            return Err(format!("invalid, but it gave {}", show(&value)));
        }
        let wanted = match expected {
            Some(expected) => evaluator.expression(expected).map_err(|f| f.to_string())?,
            None => return Err(format!("nothing to compare with: {}", show(&value))),
        };
        let equal = engine_elm::equality::equal(&evaluator.cx, value, wanted);
        let same_type = value.type_name() == wanted.type_name();
        if same(&value, &wanted) || (same_type && equal == Ok(Some(true))) {
            Ok(())
        } else {
            Err(format!("got {}, expected {}", show(&value), show(&wanted)))
        }
    })
    .map_err(|f| f.to_string())?
}

/// Whether two values are the same in structure.
fn same(a: &Val<'_>, b: &Val<'_>) -> bool {
    match (a, b) {
        (Val::Null, Val::Null) => true,
        // "uncertainty": the expected bounds stand as an interval.
        (Val::Uncertain((low, high)), Val::Interval(interval)) => {
            interval.low_closed
                && interval.high_closed
                && same(low, &interval.low)
                && same(high, &interval.high)
        }
        (Val::Boolean(a), Val::Boolean(b)) => a == b,
        (Val::Integer(a), Val::Integer(b)) => a == b,
        (Val::Long(a), Val::Long(b)) => a == b,
        (Val::Decimal(a), Val::Decimal(b)) => a == b,
        (Val::String(a), Val::String(b)) => a == b,
        (Val::Date(a), Val::Date(b)) => a == b,
        (Val::DateTime(a), Val::DateTime(b)) => {
            a.precision() == b.precision()
                && a.earliest(&UTC) == b.earliest(&UTC)
                && a.offset() == b.offset()
        }
        (Val::Time(a), Val::Time(b)) => a == b,
        (Val::Quantity(a), Val::Quantity(b)) => a.value == b.value && a.unit == b.unit,
        (Val::Interval(a), Val::Interval(b)) => same_interval(a, b),
        (Val::List(a), Val::List(b)) => {
            a.len() == b.len() && a.iter().zip(*b).all(|(a, b)| same(a, b))
        }
        (Val::Tuple(a), Val::Tuple(b)) => {
            a.names.len() == b.names.len()
                && a.names
                    .iter()
                    .zip(a.values)
                    .all(|(name, value)| b.get(name).is_some_and(|other| same(value, &other)))
        }
        (Val::Code(a), Val::Code(b)) => a.key == b.key && a.display == b.display,
        (Val::Concept(a), Val::Concept(b)) => {
            a.codes.len() == b.codes.len()
                && a.codes.iter().zip(b.codes).all(|(a, b)| a.key == b.key)
        }
        _ => false,
    }
}

fn same_interval(a: &Interval<'_>, b: &Interval<'_>) -> bool {
    a.low_closed == b.low_closed
        && a.high_closed == b.high_closed
        && same(&a.low, &b.low)
        && same(&a.high, &b.high)
}

/// A value for the report: the suite has no patients.
fn show(value: &Val<'_>) -> String {
    match value {
        Val::Null => "null".into(),
        Val::Boolean(b) => b.to_string(),
        Val::Integer(i) => i.to_string(),
        Val::Long(l) => format!("{l}L"),
        Val::Decimal(d) => d.to_string(),
        Val::String(s) => format!("'{s}'"),
        Val::Date(d) => format!("@{d}"),
        Val::DateTime(d) => format!("@{d}"),
        Val::Time(t) => format!("@T{} ms/{:?}", t.millis, t.precision),
        Val::Quantity(q) => format!("{} '{}'", q.value, q.unit),
        Val::Ratio(r) => format!(
            "{} '{}' : {} '{}'",
            r.numerator.value, r.numerator.unit, r.denominator.value, r.denominator.unit
        ),
        Val::Interval(i) => format!(
            "Interval{}{}, {}{}",
            if i.low_closed { '[' } else { '(' },
            show(&i.low),
            show(&i.high),
            if i.high_closed { ']' } else { ')' }
        ),
        Val::List(items) => format!(
            "{{{}}}",
            items.iter().map(show).collect::<Vec<_>>().join(", ")
        ),
        Val::Tuple(t) => {
            let parts = t
                .names
                .iter()
                .zip(t.values)
                .map(|(n, v)| format!("{n}: {}", show(v)));
            format!("Tuple{{{}}}", parts.collect::<Vec<_>>().join(", "))
        }
        Val::Code(c) => format!("Code {:?}", c.code),
        Val::Concept(c) => format!(
            "Concept {:?}",
            c.codes.iter().map(|c| c.code).collect::<Vec<_>>()
        ),
        Val::Uncertain((low, high)) => format!("uncertain {} to {}", show(low), show(high)),
        other => other.type_name().into(),
    }
}
