//! The same clinical question in CEL and in ELM, over dirty dates, zones, units and references: the
//! answers are the same, yes, no or unknown.
//!
//! ELM's answer is its outcome: unknown where the value is null, or where what it rests on cannot be
//! told (`Evaluator::in_doubt`). What the languages themselves see differently is left out:
//! - What is absent, as opposed to unreadable, CQL reads as "no" where a query drops it and CEL as
//!   unknown: questions say what is meant (`has(…) &&`). A Period without a start is left out: its
//!   start is unknown to both, and a CQL query drops the visit.
//! - A quantity with a comparator (`< 5`): `ToQuantity` gives null, which a query drops; CEL says
//!   unknown. So with a quantity without a unit's system, which FHIRHelpers takes for UCUM.
//! - A number of more than 28 digits (5.7 as a double writes it out in full): CQL has no Decimal of
//!   so many, CEL rounds it to 28.
//! - A unit of an amount of substance beside one of none or of another: `mmol/mol` beside `%`, `mmol/L`
//!   beside `10*9/L`, `meq/L` beside `mmol/L`, `mosm/kg` beside `mmol/kg` (`U`, `kat` and `[pH]` are of
//!   moles). UCUM, and so CQL, takes moles, equivalents and osmoles for numbers and converts; CEL does
//!   not (`Units::are_of_one_kind`).
//! - The first millisecond of a day beside that day: CQL cannot tell which is earlier, CEL knows that
//!   it is not later.
#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_cel::explain::truth_of;
use engine_cel::{Checker, Compiled, Evaluation};
use engine_elm::value::Val;
use engine_elm::{CompiledLibraries, Library, Linker, Options, Settings, with_evaluator};
use engine_patient::context::EvaluationContext;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;
use engine_patient::system::zone::Zone;
use engine_patient::terminology::{
    TerminologyBuilder, TerminologyProvider, TerminologyStore, ValueSet,
};
use serde_json::{Value as Json, json};

const FROM: &str = "2025-01-10T08:30:00.000Z";
/// Half a second after that.
const HALF: &str = "2025-01-10T08:30:00.500Z";
const TO: &str = "2025-11-20T17:45:00.000Z";
/// A moment of one day in all zones of the test.
const UNTIL: &str = "2025-11-20T08:30:00.000Z";

// ELM, as a translator writes it.

fn literal(ty: &str, value: &str) -> Json {
    json!({"type": "Literal", "valueType": format!("{{urn:hl7-org:elm-types:r1}}{ty}"), "value": value})
}

fn text(value: &str) -> Json {
    literal("String", value)
}

fn of(source: Json, path: &str) -> Json {
    json!({"type": "Property", "path": path, "source": source})
}

fn alias(name: &str) -> Json {
    json!({"type": "AliasRef", "name": name})
}

fn op(name: &str, operands: &[Json]) -> Json {
    json!({"type": name, "operand": operands})
}

fn one(name: &str, operand: Json) -> Json {
    json!({"type": name, "operand": operand})
}

fn as_fhir(operand: Json, ty: &str) -> Json {
    json!({"type": "As", "operand": operand, "strict": false, "asType": format!("{{http://hl7.org/fhir}}{ty}")})
}

fn retrieve(ty: &str) -> Json {
    json!({"type": "Retrieve", "dataType": format!("{{http://hl7.org/fhir}}{ty}")})
}

fn coded(ty: &str, property: &str) -> Json {
    let set = json!({"type": "ValueSetRef", "name": "Statin"});
    json!({"type": "Retrieve", "dataType": format!("{{http://hl7.org/fhir}}{ty}"), "codeProperty": property, "codeComparator": "in", "codes": set})
}

fn exists(source: Json, condition: Json) -> Json {
    let query = json!({"type": "Query", "source": [{"alias": "A", "expression": source}], "relationship": [], "where": condition});
    one("Exists", query)
}

fn moment(at: &str) -> Json {
    let at = DateTime::parse(at).unwrap();
    let (year, month, day) = at.civil();
    let clock = at.to_string();
    let part = |range: std::ops::Range<usize>| {
        literal(
            "Integer",
            clock[range]
                .trim_start_matches('0')
                .get(0..)
                .filter(|t| !t.is_empty())
                .unwrap_or("0"),
        )
    };
    let integer = |n: i64| literal("Integer", &n.to_string());
    json!({"type": "DateTime", "year": integer(year.into()), "month": integer(month.into()), "day": integer(day.into()),
        "hour": part(11..13), "minute": part(14..16), "second": part(17..19), "millisecond": integer((at.millis % 1000).into()),
        "timezoneOffset": literal("Decimal", "0.0")})
}

fn to_interval(period: Json) -> Json {
    json!({"type": "FunctionRef", "name": "ToInterval", "libraryName": "FHIRHelpers", "operand": [period]})
}

/// As translators say it: an interval of two null bounds has no type of its own.
fn typed(mut interval: Json) -> Json {
    interval["resultTypeSpecifier"] = json!({"type": "IntervalTypeSpecifier", "pointType":
        {"type": "NamedTypeSpecifier", "name": "{urn:hl7-org:elm-types:r1}DateTime"}});
    interval
}

/// The bounds as a library writes them that does without FHIRHelpers.
fn by_hand(period: &Json) -> Json {
    typed(
        json!({"type": "Interval", "lowClosed": true, "highClosed": true,
        "low": of(of(period.clone(), "start"), "value"), "high": of(of(period.clone(), "end"), "value")}),
    )
}

fn between(from: &str, to: &str) -> Json {
    json!({"type": "Interval", "lowClosed": true, "highClosed": true, "low": moment(from), "high": moment(to)})
}

/// Name, CEL, ELM.
fn questions() -> Vec<(&'static str, String, Json)> {
    let period = || of(alias("A"), "period");
    let onset = || of(as_fhir(of(alias("A"), "onset"), "dateTime"), "value");
    let finished = || {
        op(
            "Equal",
            &[of(of(alias("A"), "status"), "value"), text("finished")],
        )
    };
    let and = |a, b| op("And", &[a, b]);
    let ended_after = |interval: Json| {
        let late = op("GreaterOrEqual", &[one("End", interval), moment(FROM)]);
        exists(retrieve("Encounter"), late)
    };
    let cel_end = format!(
        "Encounter().exists(e, has(e.period) && (!has(e.period.end) || end(e) >= date(\"{FROM}\")))"
    );
    let active = op(
        "Equal",
        &[of(of(alias("A"), "status"), "value"), text("active")],
    );
    let reference = of(
        of(
            as_fhir(of(alias("R"), "medication"), "Reference"),
            "reference",
        ),
        "value",
    );
    let id = op(
        "Concatenate",
        &[text("Medication/"), of(of(alias("M"), "id"), "value")],
    );
    let referred = json!({"type": "Query", "source": [{"alias": "R", "expression": retrieve("MedicationRequest")}],
        "relationship": [{"type": "With", "alias": "M", "expression": coded("Medication", "code"), "suchThat": op("Equal", &[reference, id])}]});
    let statins = op(
        "Union",
        &[coded("MedicationRequest", "medication"), referred],
    );
    let measurement_period = || json!({"type": "ParameterRef", "name": "Measurement Period"});
    let date = |year: &str, month: &str, day: &str| {
        let part = |n| literal("Integer", n);
        let date =
            json!({"type": "Date", "year": part(year), "month": part(month), "day": part(day)});
        one("ToDateTime", date)
    };
    let started = || one("Start", to_interval(period()));
    let decimal = |text: &str| literal("Decimal", text);
    let later = |amount: i64, unit: &str| {
        let duration = json!({"type": "Quantity", "value": amount, "unit": unit});
        op(
            "GreaterOrEqual",
            &[op("Add", &[onset(), duration]), moment(FROM)],
        )
    };
    let quantity = |value: Json| json!({"type": "FunctionRef", "name": "ToQuantity", "libraryName": "FHIRHelpers", "operand": [value]});
    let nine = json!({"type": "Quantity", "value": 9, "unit": "mg/dL"});
    let high = op(
        "Greater",
        &[quantity(as_fhir(of(alias("A"), "value"), "Quantity")), nine],
    );
    let birth = of(
        of(
            json!({"type": "SingletonFrom", "operand": retrieve("Patient")}),
            "birthDate",
        ),
        "value",
    );
    let of_age = |year: &str, month: &str, day: &str| {
        let part = |n| literal("Integer", n);
        let day =
            json!({"type": "Date", "year": part(year), "month": part(month), "day": part(day)});
        let age = op("CalculateAgeAt", &[birth.clone(), day]);
        with_precision(op("GreaterOrEqual", &[age, literal("Integer", "18")]))
    };
    let age = of_age("2025", "6", "30");
    let value = || {
        of(
            of(as_fhir(of(alias("A"), "value"), "Quantity"), "value"),
            "value",
        )
    };
    // The day rule: without a time the day counts.
    let by_day = |day: &str, exact: &str, at: &str| {
        let hour =
            json!({"type": "DateTimeComponentFrom", "precision": "Hour", "operand": onset()});
        let days = json!({"type": day, "precision": "Day", "operand": [onset(), moment(at)]});
        json!({"type": "If", "condition": one("IsNull", hour), "then": days,
            "else": op(exact, &[onset(), moment(at)])})
    };
    let since = || by_day("SameOrAfter", "GreaterOrEqual", FROM);
    let as_of = || by_day("SameOrBefore", "LessOrEqual", UNTIL);
    let begun = "Condition().filter(c, has(c.onset))";
    let cel_value = "has(o.valueQuantity) && has(o.valueQuantity.value)";
    vec![
        (
            "ended, FHIRHelpers",
            cel_end.clone(),
            ended_after(to_interval(period())),
        ),
        (
            "ended, by hand",
            // No bound at all is an interval without end.
            format!("Encounter().exists(e, !has(e.period) || !has(e.period.end) || end(e) >= date(\"{FROM}\"))"),
            ended_after(by_hand(&period())),
        ),
        (
            "ended and finished",
            format!(
                "Encounter().exists(e, e.status == \"finished\" && has(e.period) && (!has(e.period.end) || end(e) >= date(\"{FROM}\")))"
            ),
            exists(
                retrieve("Encounter"),
                and(
                    finished(),
                    op(
                        "GreaterOrEqual",
                        &[one("End", to_interval(period())), moment(FROM)],
                    ),
                ),
            ),
        ),
        (
            "no visit goes on",
            format!("Encounter().all(e, !has(e.period) || (has(e.period.end) && end(e) < date(\"{TO}\")))"),
            one(
                "Not",
                exists(
                    retrieve("Encounter"),
                    op(
                        "GreaterOrEqual",
                        &[one("End", to_interval(period())), moment(TO)],
                    ),
                ),
            ),
        ),
        (
            "overlaps",
            // An end is not before its start: where one cannot be read, the other may decide.
            format!(
                "Encounter().exists(e, has(e.period) && (start(e) <= date(\"{TO}\") || (isUnknown(start(e)) && has(e.period.end) && end(e) <= date(\"{TO}\"))) && (!has(e.period.end) || end(e) >= date(\"{FROM}\") || (isUnknown(end(e)) && start(e) >= date(\"{FROM}\"))))"
            ),
            exists(
                retrieve("Encounter"),
                op("Overlaps", &[to_interval(period()), between(FROM, TO)]),
            ),
        ),
        (
            "started within",
            format!("Encounter().filter(e, has(e.period)).during(date(\"{FROM}\"), date(\"{TO}\")).size() > 0"),
            exists(
                retrieve("Encounter"),
                op(
                    "In",
                    &[one("Start", to_interval(period())), between(FROM, TO)],
                ),
            ),
        ),
        (
            "onset",
            format!("Condition().exists(c, has(c.onset) && start(c) >= date(\"{FROM}\"))"),
            exists(
                retrieve("Condition"),
                op("GreaterOrEqual", &[onset(), moment(FROM)]),
            ),
        ),
        (
            "onset in the second before",
            format!("Condition().exists(c, has(c.onset) && start(c) < date(\"{HALF}\"))"),
            exists(
                retrieve("Condition"),
                op("Less", &[onset(), moment(HALF)]),
            ),
        ),
        (
            "no onset, or a late visit",
            format!("!Condition().exists(c, has(c.onset) && start(c) >= date(\"{FROM}\")) || {cel_end}"),
            op(
                "Or",
                &[
                    one(
                        "Not",
                        exists(
                            retrieve("Condition"),
                            op("GreaterOrEqual", &[onset(), moment(FROM)]),
                        ),
                    ),
                    ended_after(to_interval(period())),
                ],
            ),
        ),
        (
            "medication",
            "MedicationRequest(\"Statin\").exists(m, m.status == \"active\")".into(),
            exists(statins.clone(), active),
        ),
        (
            "any medication, and of age",
            "MedicationRequest(\"Statin\").size() > 0 && ageInYearsAt(date(\"2025-06-30\")) >= 18"
                .into(),
            op("And", &[one("Exists", statins), age.clone()]),
        ),
        (
            "age",
            "ageInYearsAt(date(\"2025-06-30\")) >= 18".into(),
            age,
        ),
        (
            "quantity",
            format!(
                "Observation().exists(o, {cel_value} && quantityIn(o.value, \"mg/dL\") > 9.0)"
            ),
            exists(retrieve("Observation"), high.clone()),
        ),
        (
            "onset since a day",
            format!("{begun}.since(date(\"{FROM}\")).exists()"),
            exists(retrieve("Condition"), since()),
        ),
        (
            "onset before a day",
            format!("{begun}.before(date(\"{UNTIL}\")).exists()"),
            exists(retrieve("Condition"), by_day("Before", "Less", UNTIL)),
        ),
        (
            "onset in a window of days",
            format!("!{begun}.since(date(\"{FROM}\")).asOf(date(\"{UNTIL}\")).isEmpty()"),
            exists(retrieve("Condition"), and(since(), as_of())),
        ),
        (
            "a value in a unit",
            format!("Observation().filter(o, {cel_value}).exists(o, valueIn(o, \"mg/dL\") > 9.0)"),
            exists(retrieve("Observation"), high),
        ),
        (
            "a decimal has its digits",
            format!("Observation().exists(o, {cel_value} && o.valueQuantity.value * 3.0 == 0.3)"),
            exists(
                retrieve("Observation"),
                op("Equal", &[op("Multiply", &[value(), decimal("3.0")]), decimal("0.3")]),
            ),
        ),
        (
            "a negative decimal",
            format!("Observation().exists(o, {cel_value} && o.valueQuantity.value * -2.5 < -22.0)"),
            exists(
                retrieve("Observation"),
                op(
                    "Less",
                    &[
                        op("Multiply", &[value(), one("Negate", decimal("2.5"))]),
                        one("Negate", decimal("22.0")),
                    ],
                ),
            ),
        ),
        (
            "of age on the last of February",
            "ageInYearsAt(date(\"2026-02-28\")) >= 18".into(),
            of_age("2026", "2", "28"),
        ),
        (
            "started in the measurement period",
            "Encounter().filter(e, has(e.period)).during(period_start, period_end).size() > 0".into(),
            exists(
                retrieve("Encounter"),
                op("In", &[started(), measurement_period()]),
            ),
        ),
        (
            "started in the year",
            "Encounter().exists(e, has(e.period) && start(e) >= date(\"2025-01-01\") && start(e) <= date(\"2025-12-31\"))".into(),
            exists(
                retrieve("Encounter"),
                and(
                    op("GreaterOrEqual", &[started(), date("2025", "1", "1")]),
                    op("LessOrEqual", &[started(), date("2025", "12", "31")]),
                ),
            ),
        ),
        (
            "onset, six months later",
            format!("Condition().exists(c, has(c.onset) && start(c) + months(6) >= date(\"{FROM}\"))"),
            exists(retrieve("Condition"), later(6, "months")),
        ),
        (
            "onset, 45 days later",
            format!("Condition().exists(c, has(c.onset) && start(c) + days(45) >= date(\"{FROM}\"))"),
            exists(retrieve("Condition"), later(45, "days")),
        ),
    ]
}

fn with_precision(mut age: Json) -> Json {
    age["operand"][0]["precision"] = json!("Year");
    age
}

/// What the tests need of FHIRHelpers, in our own words.
fn helpers() -> Json {
    let operand = || json!({"type": "OperandRef", "name": "x"});
    let start = || of(operand(), "start");
    let high = || of(of(operand(), "end"), "value");
    let interval = |closed: bool| {
        typed(
            json!({"type": "Interval", "lowClosed": closed, "highClosed": true, "low": of(start(), "value"), "high": high()}),
        )
    };
    let branches = json!({"type": "If", "condition": one("IsNull", operand()), "then": {"type": "Null"},
        "else": {"type": "If", "condition": one("IsNull", start()), "then": interval(false), "else": interval(true)}});
    let quantity = json!({"type": "If", "condition": one("IsNull", operand()), "then": {"type": "Null"},
        "else": {"type": "Instance", "classType": "{urn:hl7-org:elm-types:r1}Quantity", "element": [
            {"name": "value", "value": of(of(operand(), "value"), "value")},
            {"name": "unit", "value": of(of(operand(), "code"), "value")}]}});
    let function = |name: &str, ty: &str, body: Json| {
        json!({"type": "FunctionDef", "name": name, "context": "Unfiltered", "expression": body,
            "operand": [{"name": "x", "operandTypeSpecifier": {"type": "NamedTypeSpecifier", "name": format!("{{http://hl7.org/fhir}}{ty}")}}]})
    };
    json!({"library": {"identifier": {"id": "FHIRHelpers", "version": "4.4.000"}, "statements": {"def": [
        function("ToInterval", "Period", branches), function("ToQuantity", "Quantity", quantity)]}}})
}

fn library(questions: &[(&str, String, Json)]) -> Json {
    let definitions: Vec<Json> = questions
        .iter()
        .map(|(name, _, elm)| json!({"name": name, "context": "Patient", "expression": elm}))
        .collect();
    json!({"library": {
        "identifier": {"id": "Questions", "version": "1"},
        "includes": {"def": [{"localIdentifier": "FHIRHelpers", "path": "FHIRHelpers", "version": "4.4.000"}]},
        "valueSets": {"def": [{"name": "Statin", "id": "urn:statin"}]},
        "parameters": {"def": [{"name": "Measurement Period", "parameterTypeSpecifier": {"type": "IntervalTypeSpecifier",
            "pointType": {"type": "NamedTypeSpecifier", "name": "{urn:hl7-org:elm-types:r1}DateTime"}}}]},
        "statements": {"def": definitions},
    }})
}

fn terminology() -> TerminologyStore {
    let mut builder = TerminologyBuilder::new();
    let set = json!({"resourceType": "ValueSet", "url": "urn:statin", "status": "active", "expansion": {
        "timestamp": "2025-01-01", "contains": [{"system": "urn:rx", "code": "617310"}]}});
    builder.add_json("test", set.to_string().as_bytes());
    builder.build().0
}

// Patients.

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.below(from.len())]
    }
}

const WITHHELD: &str = r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}"#;

/// Values that no reader of FHIR dates takes.
const UNREADABLE: &[&str] = &[
    "\"\"",
    "\"06/04/2019\"",
    "\"20190604\"",
    "\"2019-02-30\"",
    "\"2025-02-29\"",
    "\"2019-06-04 11:00:00\"",
    "\"2019-06-04T11:00:00-0500\"",
    "\"2019-06-04T11:00:00z\"",
    "\"2019-06-04T24:00:00Z\"",
    "\"unknown\"",
    "20190604",
    "true",
    "[\"2025-06-01\"]",
    "{\"value\":\"2025-06-01\"}",
    "\"2025-13-01\"",
    "\" 2025-06-01\"",
];

const READABLE: &[&str] = &[
    "\"2019\"",
    "\"2024-12\"",
    "\"2025\"",
    "\"2025-01\"",
    "\"2025-01-10\"",
    "\"2025-06-04\"",
    "\"2025-11-20\"",
    "\"2025-01-10T08:30:00Z\"",
    "\"2025-01-10T03:29:59-05:00\"",
    "\"2025-01-10T22:30:00.001+14:00\"",
    "\"2025-06-04T10:00:00+05:30\"",
    "\"2025-11-20T12:00:00\"",
    "\"2025-11-20T12:45:00-05:00\"",
    "\"2026-03-01\"",
    // Half a year and 45 days before what is asked for.
    "\"2024-07-10T03:29:59-05:00\"",
    "\"2024-07-10T09:30:00\"",
    "\"2024-08-31\"",
    "\"2024-11-26T08:30:00Z\"",
];

/// `"name": value`, or its shadow.
fn element(random: &mut Random, name: &str, readable: &[&str]) -> String {
    match random.below(10) {
        0 | 1 => format!("\"{name}\":{}", random.pick(UNREADABLE)),
        2 => format!("\"_{name}\":{WITHHELD}"),
        _ => format!("\"{name}\":{}", random.pick(readable)),
    }
}

/// A period that does not end before it starts.
fn period(random: &mut Random) -> String {
    let sorted = [
        "\"2019-06-04\"",
        "\"2024-12-31T23:00:00Z\"",
        "\"2024-12-31T23:30:00-05:00\"",
        "\"2025-01-10T03:29:59-05:00\"",
        "\"2025-01\"",
        "\"2025-03-01T10:00:00+02:00\"",
        // Not on the clocks of New York, and twice.
        "\"2025-03-09T02:30:00\"",
        "\"2025-06-04\"",
        "\"2025-07-01T03:30:00Z\"",
        "\"2025-07-02T00:30:00\"",
        "\"2025-11-02T01:30:00\"",
        "\"2025-11-02T01:30:00-05:00\"",
        "\"2025-11-15T23:30:00\"",
        "\"2025-11-16T04:30:00Z\"",
        "\"2025-11-21T02:00:00+14:00\"",
        "\"2025-12-31T23:00:00-05:00\"",
        "\"2026-01-01\"",
    ];
    let first = random.below(sorted.len());
    let last = first + random.below(sorted.len() - first);
    let start = element(random, "start", &[sorted[first]]);
    match random.below(6) {
        0 => format!("{{{start}}}"),
        1 => format!("{{{start},\"end\":null}}"),
        _ => format!("{{{start},{}}}", element(random, "end", &[sorted[last]])),
    }
}

fn patient(random: &mut Random) -> Vec<String> {
    let born = [
        "\"1970-05-01\"",
        "\"2007\"",
        "\"2007-06\"",
        "\"2007-06-30\"",
        "\"2007-07-01\"",
        "\"2008-02-29\"",
        "\"2008-02-29\"",
        "\"2008-03-01\"",
        "\"2015-02-03\"",
    ];
    let born = match random.below(10) {
        0 => String::new(),
        _ => format!(",{}", element(random, "birthDate", &born)),
    };
    let mut all = vec![format!(r#"{{"resourceType":"Patient","id":"p"{born}}}"#)];
    for number in 0..random.below(4) {
        let status = random.pick(&["finished", "planned"]);
        let period = match random.below(8) {
            0 => String::new(),
            _ => format!(r#","period":{}"#, period(random)),
        };
        all.push(format!(
            r#"{{"resourceType":"Encounter","id":"e{number}","status":"{status}"{period}}}"#
        ));
    }
    for number in 0..random.below(3) {
        let onset = match random.below(8) {
            0 => String::new(),
            _ => format!(",{}", element(random, "onsetDateTime", READABLE)),
        };
        all.push(format!(
            r#"{{"resourceType":"Condition","id":"c{number}"{onset}}}"#
        ));
    }
    for number in 0..random.below(4) {
        let status = random.pick(&["active", "stopped"]);
        let medication = random.pick(&[
            r#""medicationCodeableConcept":{"coding":[{"system":"urn:rx","code":"617310"}]}"#,
            r#""medicationCodeableConcept":{"coding":[{"system":"urn:rx","code":"1"}]}"#,
            r#""medicationReference":{"reference":"Medication/statin"}"#,
            r#""medicationReference":{"reference":"Medication/other"}"#,
            r#""medicationReference":{"reference":"Medication/none"}"#,
            r#""medicationReference":{"reference":"urn:uuid:6b2e"}"#,
        ]);
        all.push(format!(r#"{{"resourceType":"MedicationRequest","id":"m{number}","status":"{status}",{medication}}}"#));
    }
    for (id, code) in [("statin", "617310"), ("other", "1")] {
        all.push(format!(r#"{{"resourceType":"Medication","id":"{id}","code":{{"coding":[{{"system":"urn:rx","code":"{code}"}}]}}}}"#));
    }
    for number in 0..random.below(3) {
        let unit = random.pick(&[
            "mg/dL", "mg/dL", "g/L", "ug/mL", "mg/L", "kg/m3", "%", "foo",
        ]);
        // 9 mg/dL is 0.09 g/L and 90 mg/L.
        let value = match random.below(14) {
            0 => ",\"value\":\"12\"".to_owned(),
            1 => format!(",\"_value\":{WITHHELD}"),
            2 => ",\"value\":true".to_owned(),
            3 => String::new(),
            number => {
                let numbers = [
                    "7.5",
                    "12",
                    "9",
                    "9.0",
                    "0.1",
                    "1E-1",
                    "0.10000000000000001",
                    "0.09",
                    "0.0900000001",
                    "90.00",
                ];
                format!(",\"value\":{}", numbers[number - 4])
            }
        };
        let value = match random.below(8) {
            0 => String::new(),
            _ => format!(
                r#","valueQuantity":{{"system":"http://unitsofmeasure.org","code":"{unit}"{value}}}"#
            ),
        };
        all.push(format!(
            r#"{{"resourceType":"Observation","id":"o{number}","status":"final"{value}}}"#
        ));
    }
    all
}

// Answers.

fn elm(
    compiled: &CompiledLibraries,
    names: &[&str],
    record: &PatientRecord,
    context: &EvaluationContext,
) -> Vec<(Truth, String)> {
    let library = compiled.library("Questions", None).unwrap();
    let settings = Settings::of(context);
    with_evaluator(compiled, record, &settings, |evaluator| {
        let answer = |name: &&str| {
            let expression = compiled.expression(library, name).unwrap();
            let value = evaluator.expression(expression);
            let why = evaluator.in_doubt(expression).map(|d| d.why.to_string());
            let truth = match (value, &why) {
                (Ok(Val::Boolean(true)), None) => Truth::True,
                (Ok(Val::Boolean(false)), None) => Truth::False,
                (Ok(Val::Boolean(_) | Val::Null), _) => Truth::Unknown,
                (other, _) => panic!("{name}: {other:?}"),
            };
            (truth, why.unwrap_or_default())
        };
        names.iter().map(answer).collect()
    })
    .unwrap()
}

/// Expressions that were checked once, and what they read.
fn checked(sources: &[&str], sets: &[(String, Arc<ValueSet>)]) -> Vec<(Checker, Compiled)> {
    let compile = |source: &&str| {
        let mut checker = Checker::new(sets.to_vec());
        let compiled = checker.compile(source, None);
        let compiled = compiled.unwrap_or_else(|p| panic!("{source}: {p:?}"));
        (checker, compiled)
    };
    sources.iter().map(compile).collect()
}

fn cel(
    checked: &[(Checker, Compiled)],
    record: &PatientRecord,
    context: &EvaluationContext,
) -> Vec<(Truth, String)> {
    let answer = |(checker, compiled): &(Checker, Compiled)| {
        let sets: Vec<_> = checker.value_sets().cloned().collect();
        let evaluation = Evaluation::new(record, context, checker.requirements(), &sets, &[]);
        let (truth, reason) = truth_of(&evaluation.evaluate(compiled).unwrap());
        (truth, reason.unwrap_or_default())
    };
    checked.iter().map(answer).collect()
}

#[test]
fn a_question_has_one_answer_in_both_languages() {
    let questions = questions();
    let libraries: Vec<Library> = [helpers(), library(&questions)]
        .iter()
        .map(|json| Library::read("test.json", &serde_json::to_vec(json).unwrap()).unwrap())
        .collect();
    let terminology = terminology();
    let both_ways: Vec<CompiledLibraries> = [true, false]
        .iter()
        .map(|native| {
            let options = Options {
                native_helpers: *native,
                ..Options::default()
            };
            let mut linker = Linker::new(&libraries, &terminology, options);
            linker.everything(1);
            let (compiled, issues) = linker.finish();
            assert!(issues.is_empty(), "{issues:#?}");
            compiled
        })
        .collect();
    let sets = vec![(
        "Statin".to_owned(),
        terminology.value_set("urn:statin").unwrap(),
    )];
    let names: Vec<&str> = questions.iter().map(|(name, ..)| *name).collect();
    let sources: Vec<&str> = questions.iter().map(|(_, cel, _)| cel.as_str()).collect();
    let checked = checked(&sources, &sets);
    let mut counts: BTreeMap<(&str, Truth), u32> = BTreeMap::new();
    let mut wrong = vec![];
    let zones = [
        "+00:00",
        "-05:00",
        "+14:00",
        "America/New_York",
        "Europe/London",
        "Australia/Lord_Howe",
    ];
    let zones = zones.map(|z| Zone::parse(z).unwrap());
    let day = |text| DateTime::parse(text).unwrap();
    for seed in 0..1500_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let zone = &zones[random.below(zones.len())];
        let resources = patient(&mut random);
        let mut record = PatientRecord::new();
        for json in &resources {
            record.push(json).unwrap();
        }
        record.seal();
        // From summer time to winter time.
        let context =
            EvaluationContext::for_period(day("2025-07-01"), day("2025-11-15"), zone.clone());
        let ours = cel(&checked, &record, &context);
        for (compiled, how) in both_ways.iter().zip(["native", "as ELM"]) {
            let theirs = elm(compiled, &names, &record, &context);
            for ((name, (cel, reason)), (elm, why)) in names.iter().zip(&ours).zip(theirs) {
                *counts.entry((name, elm)).or_default() += 1;
                // A reason names the element and holds nothing of the data.
                for text in [reason, &why] {
                    assert!(!text.contains("2019") && !text.contains("617310"), "{text}");
                }
                if *cel != elm && wrong.len() < 10 {
                    wrong.push(format!("seed {seed}: {name}, FHIRHelpers {how}, zone {zone}: CEL {cel} ({reason}), ELM {elm} ({why})\n{}", resources.join("\n")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    // Each question has each answer, often enough to mean something.
    for name in names {
        for truth in [Truth::True, Truth::False, Truth::Unknown] {
            let found = counts.get(&(name, truth)).copied().unwrap_or_default();
            assert!(found >= 20, "{name}: {truth} {found} times");
        }
    }
}

/// An event by the clock of the place, in both languages: what starts in a period whose ends have two
/// offsets, and the turn of a year.
#[test]
fn an_event_is_inside_or_outside_for_both() {
    let started = |name: &'static str| questions().into_iter().find(|(n, ..)| *n == name).unwrap();
    let questions = vec![started("started in the measurement period")];
    let libraries: Vec<Library> = [helpers(), library(&questions)]
        .iter()
        .map(|json| Library::read("test.json", &serde_json::to_vec(json).unwrap()).unwrap())
        .collect();
    let terminology = terminology();
    let mut linker = Linker::new(&libraries, &terminology, Options::default());
    linker.everything(1);
    let (compiled, issues) = linker.finish();
    assert!(issues.is_empty(), "{issues:#?}");
    let names: Vec<&str> = questions.iter().map(|(name, ..)| *name).collect();
    let checked = checked(&[questions[0].1.as_str()], &[]);
    let (summer, winter) = (("2025-07-01", "2025-12-31"), ("2025-01-01", "2025-06-30"));
    let year = ("2024-01-01", "2024-12-31");
    let cases = [
        // 23:30 of the day before in New York, at -04:00.
        ("2025-07-01T03:30:00Z", summer, "America/New_York", false),
        ("2025-07-01T03:30:00Z", winter, "America/New_York", true),
        ("2025-07-01T03:30:00Z", summer, "+00:00", true),
        // Half past midnight in New York, where at -05:00 it is not July yet.
        ("2025-07-01T04:30:00Z", summer, "America/New_York", true),
        ("2025-07-01T04:30:00Z", summer, "-05:00", false),
        // 23:30 of 31 December in New York, at -05:00.
        ("2025-01-01T04:30:00Z", winter, "America/New_York", false),
        ("2025-01-01T04:30:00Z", winter, "-05:00", false),
        ("2025-01-01T04:30:00Z", winter, "+00:00", true),
        ("2024-12-31T23:00:00-05:00", year, "America/New_York", true),
        ("2024-12-31T23:00:00-05:00", year, "-05:00", true),
        ("2024-12-31T23:00:00-05:00", year, "+00:00", false),
        // Without an offset it is that of the zone at that moment.
        ("2025-07-01T00:00:00", summer, "America/New_York", true),
        ("2025-12-31T23:59:59.999", summer, "America/New_York", true),
        ("2026-01-01T04:59:59.999Z", summer, "America/New_York", true),
        ("2026-01-01T05:00:00Z", summer, "America/New_York", false),
    ];
    let day = |text| DateTime::parse(text).unwrap();
    for (start, (from, to), zone, inside) in cases {
        let mut record = PatientRecord::new();
        let visit = format!(
            r#"{{"resourceType":"Encounter","id":"e","status":"finished","period":{{"start":"{start}"}}}}"#
        );
        record.push(&visit).unwrap();
        record
            .push(r#"{"resourceType":"Patient","id":"p"}"#)
            .unwrap();
        record.seal();
        let zone = Zone::parse(zone).unwrap();
        let context = EvaluationContext::for_period(day(from), day(to), zone.clone());
        let expected = if inside { Truth::True } else { Truth::False };
        assert_eq!(
            cel(&checked, &record, &context)[0].0,
            expected,
            "CEL: {start} {from} {zone}"
        );
        let found = elm(&compiled, &names, &record, &context);
        assert_eq!(found[0].0, expected, "ELM: {start} {from} {zone}");
    }
}
