use std::sync::Arc;

use super::*;
use engine_patient::context::EvaluationContext;
use engine_patient::finding::Code;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::terminology::TerminologyBuilder;

fn value_sets() -> Vec<(String, Arc<engine_patient::terminology::ValueSet>)> {
    let codes = [
        ("hba1c", "http://loinc.org", "4548-4"),
        ("bp", "http://loinc.org", "85354-9"),
        ("systolic", "http://loinc.org", "8480-6"),
        ("diabetes", "http://hl7.org/fhir/sid/icd-10-cm", "E11.9"),
        ("visit", "urn:x", "v"),
    ];
    let mut out = vec![];
    for (name, system, code) in codes {
        let json = format!(
            r#"{{"resourceType":"ValueSet","url":"urn:vs:{name}","version":"1","expansion":{{"contains":[{{"system":"{system}","code":"{code}"}}]}}}}"#
        );
        let mut builder = TerminologyBuilder::new();
        builder.add_json(name, json.as_bytes());
        let (store, _) = builder.build();
        use engine_patient::terminology::TerminologyProvider as _;
        out.push((
            name.to_owned(),
            store.value_set(&format!("urn:vs:{name}")).unwrap(),
        ));
    }
    out
}

fn record() -> PatientRecord {
    let mut record = PatientRecord::new();
    for json in [
        r#"{"resourceType":"Patient","id":"p","birthDate":"1960-06-15","gender":"female","name":[{"family":"A"}]}"#,
        r#"{"resourceType":"Condition","id":"c1","clinicalStatus":{"coding":[{"code":"active"}]},"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"E11.9"}]},"onsetDateTime":"2010"}"#,
        r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"effectiveDateTime":"2025-03-01","valueQuantity":{"value":7.1,"system":"http://unitsofmeasure.org","code":"%"}}"#,
        r#"{"resourceType":"Observation","id":"o2","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"effectiveDateTime":"2025-08-01T10:00:00Z","valueQuantity":{"value":9.4,"system":"http://unitsofmeasure.org","code":"%"}}"#,
        r#"{"resourceType":"Observation","id":"o3","status":"entered-in-error","code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"effectiveDateTime":"2025-09-01","valueQuantity":{"value":5.0,"system":"http://unitsofmeasure.org","code":"%"}}"#,
        r#"{"resourceType":"Observation","id":"b1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"effectiveDateTime":"2025","component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":150,"unit":"mmHg"}}]}"#,
    ] {
        record.push(json).unwrap();
    }
    record
}

fn eval(source: &str) -> String {
    let mut checker = Checker::new(value_sets());
    let compiled = match checker.compile(source, None) {
        Ok(compiled) => compiled,
        Err(problems) => panic!("{source}: {problems:?}"),
    };
    let (record, context) = (
        record(),
        EvaluationContext::at(DateTime::parse("2025-12-31T12:00:00Z").unwrap()),
    );
    let sets: Vec<_> = checker.value_sets().cloned().collect();
    let evaluation = Evaluation::new(&record, &context, checker.requirements(), &sets, &[]);
    explain::show(&evaluation.evaluate(&compiled).unwrap())
}

#[test]
fn expressions_and_their_values() {
    let cases = [
        ("1 + 2 * 3", "7"),
        ("7 / 2", "3"),
        ("7.0 / 2", "3.5"),
        ("\"a\" + \"b\"", "ab"),
        ("1 in [1, 2]", "true"),
        ("[1, 2, 3].filter(x, x > 1).size()", "2"),
        ("[1, 2, 3].map(x, x * 2).max()", "6"),
        ("[1, 2].exists_one(x, x == 2)", "true"),
        ("[1, 2].all(x, x > 0)", "true"),
        ("[1, 2][1]", "2"),
        ("ageInYearsAt(at)", "65"),
        ("patient.gender == \"female\"", "true"),
        ("patient.name.first().family", "A"),
        ("Observation(\"hba1c\").size()", "2"),
        ("Observation(\"hba1c\").latest()", "Observation/o2"),
        (
            "quantityIn(Observation(\"hba1c\").latest().value, \"%\") > 9.0",
            "true",
        ),
        (
            "Observation(\"hba1c\").earliest().valueQuantity.value",
            "7.1",
        ),
        (
            "Observation(\"hba1c\").during(at - months(6), at).size()",
            "1",
        ),
        ("Condition(\"diabetes\").exists(c, active(c))", "true"),
        (
            "start(Condition(\"diabetes\").latest()) < date(\"2011-01-01\")",
            "true",
        ),
        // Unknown, and what decides all the same.
        ("patient.active", "unknown: `Patient.active` is missing"),
        ("patient.active && false", "false"),
        ("true || patient.active", "true"),
        (
            "patient.active && true",
            "unknown: `Patient.active` is missing",
        ),
        ("!patient.active", "unknown: `Patient.active` is missing"),
        ("orElse(patient.active, true)", "true"),
        ("isUnknown(patient.active)", "true"),
        ("has(patient.active)", "false"),
        (
            "start(Observation(\"bp\").latest()) > date(\"2025-06-01\")",
            "unknown: a date is too imprecise to compare",
        ),
        (
            "start(Observation(\"bp\").latest()) > date(\"2024-06-01\")",
            "true",
        ),
        (
            "component(Observation(\"bp\").latest(), \"systolic\").exists(c, quantityIn(c.value, \"mm[Hg]\") < 140.0)",
            "false",
        ),
        (
            "Observation(\"hba1c\").filter(o, false).latest()",
            "unknown: there is none to take the date of",
        ),
        ("1 / 0", "unknown: division by zero, or a number too large"),
        ("month(at)", "12"),
        ("month(date(\"2024-03\"))", "3"),
        ("month(date(\"2024-11-01T02:00:00+05:00\"))", "11"),
        (
            "month(date(\"2024\")) == 3",
            "unknown: of a date only the year is known",
        ),
        // A date to the month takes whole months of 30 days, one to the year whole years (CQL).
        ("date(\"2024-12\") + days(45)", "2025-01"),
        ("date(\"2024-12\") + days(29)", "2024-12"),
        ("date(\"2024-12\") - days(45)", "2024-11"),
        ("date(\"2024\") + months(30)", "2026"),
        ("date(\"2024\") + days(364)", "2024"),
        // What one item is does not matter to how many there are, nor where another decides.
        ("[true, patient.active].size()", "2"),
        ("[true, patient.active].exists(b, b)", "true"),
        (
            "[true, patient.active].all(b, b)",
            "unknown: `Patient.active` is missing",
        ),
        (
            "Encounter().exists(e, inValueSet(e.type, \"visit\"))",
            "false",
        ),
    ];
    for (source, expected) in cases {
        assert_eq!(eval(source), expected, "{source}");
    }
}

/// What a number is, its type says: a whole number among decimals is one of them.
#[test]
fn whole_numbers_among_decimals_are_decimals() {
    for (source, expected) in [
        ("7 / 2", "3"),
        ("7 / 2.0", "3.5"),
        ("[7, 2].map(x, x / 2)[0]", "3"),
        ("[1, 2.5].map(x, x / 2)[0]", "0.5"),
        ("[2.5, 1].map(x, x / 2)[1]", "0.5"),
        ("([1] + [2.5]).map(x, x / 2)[0]", "0.5"),
        ("([2.5] + [1]).map(x, x / 2)[1]", "0.5"),
        ("([] + [7]).map(x, x / 2)[0]", "3"),
        ("(at > at ? 2.5 : 7) / 2", "3.5"),
        ("(at > at ? 7 : 2.5) / 2", "1.25"),
        ("[1, 2.5].first() / 2 == 0.5", "true"),
        ("orElse(2.5 / 0.0, 7) / 2", "3.5"),
    ] {
        assert_eq!(eval(source), expected, "{source}");
    }
}

/// The sign is a part of a literal, and the digits are those that were written.
#[test]
fn literals_are_as_written() {
    for (source, expected) in [
        ("-2.5", "-2.5"),
        ("- 2.5", "-2.5"),
        ("-(2.5)", "-2.5"),
        ("-1e-3", "-0.001"),
        ("-\n  1.5E-3", "-0.0015"),
        ("4.0 - -2.5", "6.5"),
        ("4.0 -2.5", "1.5"),
        ("4.0-2.5", "1.5"),
        ("[-2.5, 1.0].min()", "-2.5"),
        ("-5.7 < 0.0", "true"),
        ("-5.7 + 5.7 == 0.0", "true"),
        ("-0.0 == 0.0", "true"),
        ("-7", "-7"),
        ("3 - -7", "10"),
        (
            "0.1234567890123456789012345678",
            "0.1234567890123456789012345678",
        ),
    ] {
        assert_eq!(eval(source), expected, "{source}");
    }
    for source in [
        "0.12345678901234567890123456789",
        "-5.699999999999999289457264239899814128875732421875",
        "1e40",
        "1e-30",
    ] {
        let found = Checker::new(vec![]).compile(source, None).unwrap_err();
        assert_eq!(found[0].code, Code::Unsupported, "{source}");
        assert_eq!(found[0].chars(), (0, source.len()), "{source}");
        assert!(found[0].message.contains("28 digits"), "{source}");
    }
}

/// What `BigDecimal(5.7)` prints is a number, rounded once.
#[test]
fn a_number_of_very_many_digits_is_a_number() {
    let observation = |value: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"o","status":"final","effectiveDateTime":"2025-03-01","valueQuantity":{{"value":{value},"system":"http://unitsofmeasure.org","code":"mmol/L"}}}}"#
        )
    };
    let long = observation("5.699999999999999289457264239899814128875732421875");
    let huge = observation("1e40");
    for (source, json, expected) in [
        ("o.valueQuantity.value < 5.7", &long, "true"),
        ("quantityIn(o.value, \"mmol/L\") < 5.7", &long, "true"),
        ("quantityIn(o.value, \"mol/L\") > 0.0056", &long, "true"),
        (
            "quantityIn(o.value, \"mmol/L\") > 5.7",
            &huge,
            "unknown: the quantity is a number too large",
        ),
    ] {
        let source = format!("Observation().exists(o, {source})");
        assert_eq!(eval_over(&source, &[json], None), expected, "{source}");
    }
}

#[test]
fn a_function_has_one_row_and_is_told_of() {
    let mut names = std::collections::BTreeSet::new();
    for info in functions::all() {
        assert!(info.doc.ends_with('.'), "{}", info.name);
        assert!(names.insert(info.name), "{} has two rows", info.name);
    }
}

#[test]
fn problems_say_where_and_what_instead() {
    let cases = [
        (
            "Observatoin()",
            "unknown-resource",
            "Observation",
            "Observatoin()",
        ),
        (
            "Observation(\"hba1x\")",
            "unknown-value-set",
            "did you mean `hba1c`",
            "\"hba1x\"",
        ),
        (
            "patient.birthdate",
            "unknown-element",
            "did you mean `birthDate`",
            "birthdate",
        ),
        (
            "Observation().status == \"final\"",
            "list",
            ".exists(x, x.status",
            "status",
        ),
        (
            "Observation().latest().value > 9",
            "wrong-type",
            "quantityIn",
            "",
        ),
        (
            "patient.birthDate > \"2020\"",
            "wrong-type",
            "date(\"2020\")",
            "",
        ),
        ("agee(at)", "unknown-function", "functions", ""),
        (
            "latst(Observation())",
            "unknown-function",
            "did you mean `latest`",
            "",
        ),
        (
            "pateint.gender",
            "unknown-name",
            "did you mean `patient`",
            "pateint",
        ),
        ("age >= 65", "unknown-name", "ageInYearsAt(at)", "age"),
        ("at > today", "unknown-name", "`at`", "today"),
        (
            "Encounter().latest().period < at",
            "wrong-type",
            "start(x)",
            "",
        ),
        (
            "Observation().latest().effective < at",
            "wrong-type",
            "start(x)",
            "",
        ),
        (
            "Immunization().latest().doseQuantity > 1",
            "wrong-type",
            "quantityIn",
            "",
        ),
        ("at - 12 months", "syntax", "months(12)", ""),
        ("true and false", "syntax", "&&", ""),
        ("1 = 2", "syntax", "==", ""),
        ("(1 + 2", "syntax", "", ""),
        ("", "empty", "", ""),
        (
            "date(\"2024-13-01\")",
            "not-a-date",
            "FHIR",
            "\"2024-13-01\"",
        ),
        ("years(1, 2)", "wrong-arguments", "at - years(10)", ""),
        ("Patient(\"visit\")", "no-code-path", "Patient()", ""),
        ("at - 12", "wrong-type", "months(12)", ""),
        ("{\"a\": 1}", "unsupported", "", ""),
        ("null == 1", "unsupported", "has(x.y)", ""),
        ("patient.value", "unknown-element", "", ""),
        (
            "Observation().latest().value.value",
            "choice",
            "valueQuantity",
            "",
        ),
    ];
    for (source, code, help, marked) in cases {
        let problems = Checker::new(value_sets())
            .compile(source, None)
            .unwrap_err();
        let problem = &problems[0];
        let all = format!(
            "{} {}",
            problem.message,
            problem.help.clone().unwrap_or_default()
        );
        assert_eq!(problem.code.as_str(), code, "{source}: {problems:?}");
        assert!(all.contains(help), "{source}: {all}");
        let text: String = source
            .chars()
            .skip(problem.chars().0)
            .take(problem.chars().1 - problem.chars().0)
            .collect();
        assert!(
            marked.is_empty() || text == marked,
            "{source}: marked {text:?}"
        );
    }
    let wanted = Checker::new(vec![])
        .compile("1 + 1", Some(&Ty::Bool))
        .unwrap_err();
    assert!(wanted[0].message.contains("must be true or false"));
}

#[test]
fn all_problems_are_reported_at_once() {
    let problems = Checker::new(vec![])
        .compile("Foo().size() > 1 && patient.x == 2 && bar", None)
        .unwrap_err();
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[test]
fn hostile_expressions_are_refused_not_crashed() {
    let many =
        |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
    let texts = [
        many("(", ")", 5000),
        many("[", "]", 3000),
        "!".repeat(5000) + "true",
        "-".repeat(9000) + "1",
        "true ? ".repeat(2000),
        "1 + ".repeat(4000) + "1",
        "a.".repeat(5000) + "a",
        "x".repeat(30_000),
        "true && ".repeat(2000) + "true",
        "\"".into(),
        "\\".into(),
        "1e999".into(),
        "99999999999999999999".into(),
        "[1].map(x, [1].map(y, [1].map(z, x)))".into(),
        "\u{0}".into(),
        "a[".repeat(50),
        "0x".into(),
        "b\"x\"".into(),
    ];
    for text in &texts {
        eprintln!("{}", text.chars().take(20).collect::<String>());
        let _ = Checker::new(vec![]).compile(text, None);
    }
}

#[test]
fn marks_are_right_after_letters_of_several_bytes_and_in_has() {
    for (source, marked) in [
        ("\"é😀\" == foo", "foo"),
        ("has(patient.typo)", "typo"),
        ("patient . nonsense == 1", ""),
    ] {
        let problems = Checker::new(vec![]).compile(source, None).unwrap_err();
        let (from, to) = problems[0].chars();
        let text: String = source.chars().skip(from).take(to - from).collect();
        assert!(
            marked.is_empty() || text == marked,
            "{source}: marked {text:?} {problems:?}"
        );
    }
    fn shared<T: Send + Sync>() {}
    shared::<Compiled>();
}

#[test]
fn an_order_is_certain_where_the_bounds_say_so() {
    for (source, expected) in [
        (
            "date(\"2024-05-01\") > date(\"2024-05-01T23:59:59.999Z\")",
            "false",
        ),
        (
            "date(\"2024-05-01\") >= date(\"2024-05-01T00:00:00.000Z\")",
            "true",
        ),
        (
            "date(\"2024-05-01\") < date(\"2024-05-01T00:00:00.000Z\")",
            "false",
        ),
        (
            "date(\"2024-05-01\") > date(\"2024-05-01T12:00:00Z\")",
            "unknown: a date is too imprecise to compare",
        ),
        ("date(\"2024\") <= date(\"2024\")", "true"),
        ("date(\"2024\") < date(\"2024\")", "false"),
        // A second without a fraction is a whole one.
        (
            "date(\"2024-05-01T10:00:05Z\") < date(\"2024-05-01T10:00:05.500Z\")",
            "true",
        ),
        (
            "date(\"2024-05-01T10:00:05Z\") >= date(\"2024-05-01T10:00:05.500Z\")",
            "false",
        ),
        (
            "date(\"2024-05-01T10:00Z\") < date(\"2024-05-01T10:00:05.500Z\")",
            "unknown: a date is too imprecise to compare",
        ),
    ] {
        assert_eq!(eval(source), expected, "{source}");
    }
}

/// An empty list has items of no type: what is asked of them the checker cannot refuse. No bug of ours.
#[test]
fn items_of_no_type_are_unknown() {
    for source in [
        "([] + [1]).exists(x, x < \"a\")",
        "([] + [1]).exists(x, x + \"a\" == 1)",
        "([] + [1]).exists(x, days(x[0]) == days(1) || active(x))",
        "([] + [1]).exists(x, inValueSet(x, \"visit\"))",
        "([] + [1]).exists(x, start(x) < at)",
    ] {
        let mut checker = Checker::new(value_sets());
        if checker.compile(source, None).is_ok() {
            assert!(eval(source).starts_with("unknown: "), "{source}");
        }
    }
}

/// Comprehensions within each other multiply: they end in an unknown, not in an hour.
#[test]
fn work_is_bounded() {
    let nested = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(a, ".repeat(9) + "true" + &")".repeat(9);
    assert!(eval(&nested).contains("too much work"));
    assert!(eval(&format!("orElse({nested}, true)")).contains("too much work"));
    // Quotes that the parser reads in another way than a count of brackets would.
    for text in [
        "\"\"\"\"((((",
        "r'\\'((((",
        "// ' \n 1 + 1",
        "'a' + \"'\"",
        "1in [1]",
    ] {
        let _ = Checker::new(vec![]).compile(&text.replace("((((", &"(".repeat(4000)), None);
    }
}

fn eval_over(source: &str, resources: &[&str], systems: Option<Vec<Arc<str>>>) -> String {
    let mut checker = Checker::new(value_sets());
    let compiled = checker.compile(source, None).unwrap();
    let mut record = PatientRecord::new();
    for json in resources {
        record.push(json).unwrap();
    }
    let context = EvaluationContext::at(DateTime::parse("2025-12-31T12:00:00Z").unwrap());
    let condition = (
        engine_patient::fhir::names::Name::of("Condition").unwrap(),
        "code",
    );
    record.tell_systems(condition, systems.unwrap_or_default());
    let sets: Vec<_> = checker.value_sets().cloned().collect();
    let evaluation = Evaluation::new(&record, &context, checker.requirements(), &sets, &[]);
    explain::show(&evaluation.evaluate(&compiled).unwrap())
}

/// FHIR R4 `Patient.deceased[x]`: a boolean, or a dateTime; an extension may stand in for either.
#[test]
fn deceased_is_by_the_moment_and_never_guessed() {
    let imprecise = "unknown: `Patient.deceased` is too imprecise to compare";
    let unreadable = "unknown: `Patient.deceased` is not as FHIR has it";
    let cases = [
        ("", "false"),
        (r#","deceasedBoolean":false"#, "false"),
        (r#","deceasedBoolean":true"#, "true"),
        (r#","deceasedBoolean":"true""#, unreadable),
        (r#","deceasedBoolean":null"#, "false"),
        (r#","deceasedDateTime":"2025-12-31T12:00:00Z""#, "true"),
        (r#","deceasedDateTime":"2025-12-31T12:00:01Z""#, "false"),
        (r#","deceasedDateTime":"2025-12-31T11:59:59Z""#, "true"),
        // The offset counts: 12:30 at +01:00 is before noon.
        (r#","deceasedDateTime":"2025-12-31T12:30:00+01:00""#, "true"),
        (r#","deceasedDateTime":"2025-12-30""#, "true"),
        (r#","deceasedDateTime":"2025-12-31""#, imprecise),
        (r#","deceasedDateTime":"2025""#, imprecise),
        (r#","deceasedDateTime":"2026""#, "false"),
        (r#","deceasedDateTime":"2024""#, "true"),
        (r#","deceasedDateTime":"31.12.2024""#, unreadable),
        (r#","deceasedDateTime":20241231"#, unreadable),
        (r#","_deceasedDateTime":{"id":"d"}"#, "false"),
        (r#","_deceasedDateTime":{"extension":[]}"#, "false"),
        (
            r#","_deceasedDateTime":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}"#,
            unreadable,
        ),
        (
            r#","deceasedBoolean":null,"_deceasedBoolean":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}"#,
            unreadable,
        ),
        (
            r#","deceasedBoolean":true,"deceasedDateTime":"2026-02-01""#,
            "false",
        ),
        (
            r#","deceasedBoolean":false,"deceasedDateTime":"2025-02-01""#,
            "unknown: `Patient.deceased` contradicts itself",
        ),
        (
            r#","deceasedBoolean":false,"deceasedDateTime":"2026-02-01""#,
            "false",
        ),
    ];
    for (element, expected) in cases {
        let patient = format!(r#"{{"resourceType":"Patient","id":"p"{element}}}"#);
        assert_eq!(
            eval_over("deceased(at)", &[&patient], None),
            expected,
            "{element}"
        );
    }
    let none = "unknown: no Patient resource was given";
    assert_eq!(eval_over("deceased(at)", &[], None), none);
    let died = r#"{"resourceType":"Patient","id":"p","deceasedDateTime":"2025-06-15"}"#;
    for (at, expected) in [
        ("2025-06-14", "false"),
        ("2025-06-15", "true"),
        ("2025-06", imprecise),
    ] {
        let source = format!("deceased(date(\"{at}\"))");
        assert_eq!(eval_over(&source, &[died], None), expected, "{at}");
    }
}

/// FHIR R4: a `date` has no time, an `instant` has one to the second.
#[test]
fn moments_are_read_by_their_type() {
    let timed = r#"{"resourceType":"Patient","id":"p","birthDate":"1970-01-01T00:00:00Z"}"#;
    let cannot = "unknown: `Patient.birthDate` cannot be read";
    assert_eq!(eval_over("ageInYearsAt(at) > 18", &[timed], None), cannot);
    let born = eval_over("patient.birthDate < at", &[timed], None);
    assert!(born.starts_with("unknown: "), "{born}");
    let patient = r#"{"resourceType":"Patient","id":"p","birthDate":"1970-01-01"}"#;
    assert_eq!(eval_over("ageInYearsAt(at) > 18", &[patient], None), "true");
    assert_eq!(
        eval_over("patient.birthDate < at", &[patient], None),
        "true"
    );
}

#[test]
fn presence_of_deceased_is_refused() {
    for source in ["!has(patient.deceased)", "has(patient.deceasedDateTime)"] {
        let problems = Checker::new(vec![]).compile(source, None).unwrap_err();
        assert_eq!(problems[0].code, Code::PresenceIsNotDeath, "{problems:?}");
        assert!(
            problems[0]
                .help
                .as_deref()
                .unwrap()
                .contains("`deceased(at)`")
        );
    }
}

/// What is coded in other systems only is not "not done".
#[test]
fn a_set_without_a_system_in_use_finds_nothing_known() {
    let snomed = r#"{"resourceType":"Condition","id":"s","code":{"coding":[{"system":"http://snomed.info/sct","code":"1"}]}}"#;
    let icd = r#"{"resourceType":"Condition","id":"i","code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"I10"}]}}"#;
    let both = r#"{"resourceType":"Condition","id":"b","code":{"coding":[{"system":"http://snomed.info/sct","code":"1"},{"system":"urn:oid:2.16.840.1.113883.6.90","code":"E11.9"}]}}"#;
    let text = r#"{"resourceType":"Condition","id":"t","code":{"text":"Diabetes"}}"#;
    let unknown = "unknown: Condition.code is coded in http://snomed.info/sct here, the value set urn:vs:diabetes \
         has http://hl7.org/fhir/sid/icd-10-cm only";
    let size = "Condition(\"diabetes\").size()";
    for (resources, expected) in [
        (&[][..], "0"),
        (&[text], "0"),
        (&[snomed], unknown),
        (&[snomed, text], unknown),
        (&[snomed, icd], "0"),
        (&[snomed, both], "1"),
    ] {
        assert_eq!(eval_over(size, resources, None), expected, "{resources:?}");
    }
    // The same in other words, and by Kleene's logic.
    let filter = "Condition().exists(c, inValueSet(c.code, \"diabetes\"))";
    assert_eq!(eval_over(filter, &[snomed], None), unknown);
    assert_eq!(eval_over(filter, &[snomed, icd], None), "false");
    assert_eq!(eval_over(filter, &[snomed, both], None), "true");
    let decided = format!("{size} > 0 || true");
    assert_eq!(eval_over(&decided, &[snomed], None), "true");
    // A source that reads what matches tells of the rest: the patient has other codes, or one of this system.
    let told = |systems: &[&str]| Some(systems.iter().map(|s| Arc::from(*s)).collect());
    let sct = "http://snomed.info/sct";
    assert_eq!(eval_over(size, &[], told(&[sct])), unknown);
    assert_eq!(eval_over(size, &[], told(&[])), "0");
    let mixed = told(&[sct, "urn:oid:2.16.840.1.113883.6.90"]);
    assert_eq!(eval_over(size, &[snomed], mixed), "0");
    assert_eq!(eval_over(size, &[both], told(&[sct])), "1");
}

/// An answer that is a text, or whose code cannot be read, is not "not in the set".
#[test]
fn an_answer_without_a_readable_code_is_unknown() {
    let text = "unknown: there is a text and no code";
    let kind = "unknown: a code is not as FHIR has it";
    let malformed = "unknown: `Observation.value` is not as FHIR has it";
    let coded = r#"{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"I10"}"#;
    for (value, expected) in [
        (r#"{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"E11.9"}]}"#.to_owned(), "true"),
        (r#"{"coding":[{"code":7},{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"E11.9"}]}"#.to_owned(), "true"),
        (format!(r#"{{"coding":[{coded}],"text":"Diabetes"}}"#), "false"),
        (format!(r#"{{"coding":[{{"display":"x"}},null,{coded}]}}"#), "false"),
        (r#"{"text":"Diabetes"}"#.to_owned(), text),
        (r#"{"coding":[{"display":"Diabetes"}]}"#.to_owned(), text),
        (r#"{"extension":[{"url":"x"}]}"#.to_owned(), text),
        (r#"{"coding":[{"system":"s","code":77176002}]}"#.to_owned(), kind),
        (r#"{"coding":[{"system":"s","code":["E11.9"]}]}"#.to_owned(), kind),
        (r#"{"coding":[{"system":7,"code":"E11.9"}]}"#.to_owned(), kind),
        (r#"{"coding":"E11.9"}"#.to_owned(), kind),
        (r#"{"coding":["E11.9"]}"#.to_owned(), kind),
        (format!(r#"{{"coding":[{coded},{{"code":7}}]}}"#), kind),
        (r#""E11.9""#.to_owned(), malformed),
    ] {
        let json = format!(
            r#"{{"resourceType":"Observation","id":"o","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"4548-4"}}]}},"valueCodeableConcept":{value}}}"#
        );
        let source = "Observation(\"hba1c\").exists(o, inValueSet(o.value, \"diabetes\"))";
        assert_eq!(eval_over(source, &[&json], None), expected, "{value}");
    }
    // Of a list the others may decide.
    let reasons = |all: &str| {
        let json = format!(
            r#"{{"resourceType":"Encounter","id":"e","status":"finished","reasonCode":[{all}]}}"#
        );
        let source = "Encounter().exists(e, inValueSet(e.reasonCode, \"diabetes\"))";
        eval_over(source, &[&json], None)
    };
    let other = format!(r#"{{"coding":[{coded}]}}"#);
    let wanted = other.replace("I10", "E11.9");
    assert_eq!(reasons(&other), "false");
    assert_eq!(reasons(&format!(r#"{other},{{"text":"x"}}"#)), text);
    assert_eq!(reasons(&format!(r#"{other},{{"coding":["x"]}}"#)), kind);
    assert_eq!(reasons(&format!(r#"{{"coding":["x"]}},{wanted}"#)), "true");
    // The code of a resource itself: as for a retrieve.
    let problem = |code: &str| format!(r#"{{"resourceType":"Condition","id":"c","code":{code}}}"#);
    let source = "Condition().exists(c, inValueSet(c.code, \"diabetes\"))";
    assert_eq!(
        eval_over(source, &[&problem(r#"{"text":"Diabetes"}"#)], None),
        "false"
    );
    assert_eq!(
        eval_over(source, &[&problem(r#"{"coding":"E11.9"}"#)], None),
        kind
    );
}

/// Also where the code stands within the resource.
#[test]
fn components_in_other_systems_are_unknown() {
    let panel = |component: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"b","code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9"}}]}},"component":[{component}]}}"#
        )
    };
    let source = "Observation(\"bp\").exists(o, component(o, \"systolic\").size() > 0)";
    let code = |system: &str| {
        format!(r#"{{"code":{{"coding":[{{"system":"{system}","code":"8480-6"}}]}}}}"#)
    };
    let eval = |component: &str| eval_over(source, &[&panel(component)], None);
    assert_eq!(eval(&code("http://loinc.org")), "true");
    assert_eq!(eval(r#"{"code":{"text":"systolic"}}"#), "false");
    assert_eq!(
        eval(&code("urn:local")),
        "unknown: Observation.component.code is coded in urn:local here, the value set \
         urn:vs:systolic has http://loinc.org only"
    );
}

/// What an evaluation is given must be what its checker had: otherwise it is our bug, and no answer.
#[test]
fn a_broken_invariant_is_an_error_with_its_clause() {
    let mut checker = Checker::new(value_sets());
    let old = checker.compile("ageInYearsAt(at) > 40", None).unwrap();
    checker.define("old", &old);
    let at = DateTime::parse("2025-12-31T12:00:00Z").unwrap();
    let (record, context) = (record(), EvaluationContext::at(at));
    let sets: Vec<_> = checker.value_sets().cloned().collect();
    for (source, clause) in [
        ("false || old", "`old`: there is no such definition"),
        (
            "Condition(\"diabetes\").size() > 0 || true",
            "`Condition(\"diabetes\")`: there is no such data requirement",
        ),
        (
            "orElse(Encounter().exists(e, true), true)",
            "`Encounter()`: there is no such data requirement",
        ),
        ("isUnknown(old)", "`old`: there is no such definition"),
    ] {
        let compiled = checker.compile(source, None).unwrap();
        let evaluation = Evaluation::new(&record, &context, &[], &sets, &[]);
        let error = evaluation.evaluate(&compiled).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("a bug of ours at {clause}"),
            "{source}"
        );
    }
    // The clause is cut from the text that it stands in, though a definition is evaluated meanwhile.
    let inner = checker.compile("1 == 1", None).unwrap();
    let outer = checker
        .compile("Encounter().exists(e, true) || old", None)
        .unwrap();
    let defines = [inner];
    let evaluation = Evaluation::new(&record, &context, &[], &sets, &defines);
    let clause = "a bug of ours at `Encounter()`: there is no such data requirement";
    assert_eq!(evaluation.evaluate(&outer).unwrap_err().to_string(), clause);
    let evaluation = Evaluation::new(&record, &context, &[], &sets, &defines);
    assert_eq!(evaluation.explain(&outer).unwrap_err().to_string(), clause);
    // A variable without a place keeps no value of another.
    let mut folded = checker
        .compile("Condition(\"diabetes\").all(c, active(c))", None)
        .unwrap();
    folded.slots = 0;
    let evaluation = Evaluation::new(&record, &context, checker.requirements(), &sets, &[]);
    let error = evaluation.evaluate(&folded).unwrap_err().to_string();
    let clause = "a bug of ours at `Condition(\"diabetes\")`: there is no place for its items";
    assert_eq!(error, clause);
    let fine = checker.compile("1 == 1", None).unwrap();
    let code = checker
        .compile("inValueSet(patient.maritalStatus, \"visit\")", None)
        .unwrap();
    let evaluation = Evaluation::new(&record, &context, checker.requirements(), &[], &[]);
    assert!(evaluation.evaluate(&code).is_err());
    // Whatever else is asked of the evaluation afterwards.
    assert!(evaluation.evaluate(&fine).is_err());
}
