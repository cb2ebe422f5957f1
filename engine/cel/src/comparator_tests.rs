//! Results of which only a bound is known (`Quantity.comparator`): what that decides is known.

use engine_patient::now::Ahead;

use crate::vocabulary_tests::{resource, result, value_in};

const BOUND: &str = "unknown: the value is only a bound (`comparator`)";

fn bound(comparator: &str, number: &str, unit: &str) -> String {
    result("2025-10-01", number, unit).replace(
        r#""value":"#,
        &format!(r#""comparator":"{comparator}","value":"#),
    )
}

fn told(source: &str, results: &[String]) -> String {
    let all = results.iter().enumerate();
    let all: Vec<String> = all
        .map(|(n, one)| resource("Observation", n, one))
        .collect();
    value_in(Ahead::CALL, source, &all)
}

#[test]
fn a_comparison_is_decided_by_the_side_that_a_value_lies_on() {
    for (comparator, number, condition, expected) in [
        (">", "60", ">= 30.0", "true"),
        (">", "60", ">= 60.0", "true"),
        (">", "60", "> 60.0", "true"),
        (">", "60", "<= 60.0", "false"),
        (">", "60", "< 60.0", "false"),
        (">", "60", "== 60.0", "false"),
        (">", "60", "!= 60.0", "true"),
        (">", "60", "> 61.0", BOUND),
        (">", "60", "< 90.0", BOUND),
        (">", "60", "== 61.0", BOUND),
        (">=", "60", ">= 60.0", "true"),
        (">=", "60", "> 60.0", BOUND),
        (">=", "60", "< 60.0", "false"),
        ("<", "15", "< 15.0", "true"),
        ("<", "15", ">= 15.0", "false"),
        ("<", "15", "< 30.0", "true"),
        ("<", "15", "> 10.0", BOUND),
        ("<=", "15", "<= 15.0", "true"),
        ("<=", "15", "< 15.0", BOUND),
        ("<=", "15", "> 15.0", "false"),
        (
            "~",
            "15",
            "> 15.0",
            "unknown: the `comparator` of a quantity cannot be read",
        ),
    ] {
        let one = bound(comparator, number, "mL/min");
        for number_of in [
            "valueIn(Observation().latest(), \"mL/min\")",
            "Observation().latestValue(\"mL/min\")",
            "Observation().lowest(\"mL/min\")",
            "Observation().highest(\"mL/min\")",
        ] {
            let source = format!("{number_of} {condition}");
            let given = told(&source, std::slice::from_ref(&one));
            assert_eq!(given, expected, "{comparator}{number}: {source}");
        }
    }
}

#[test]
fn units_are_converted_first() {
    let one = bound("<", "1", "g/L");
    let than = |limit: &str| {
        let source = format!("Observation().latestValue(\"mg/dL\") < {limit}");
        told(&source, std::slice::from_ref(&one))
    };
    assert_eq!(than("100.0"), "true");
    assert_eq!(than("99.0"), BOUND);
}

#[test]
fn of_several_each_gives_what_is_known_of_it() {
    let (low, high) = (bound("<", "4", "%"), bound(">", "14", "%"));
    let seven = result("2025-09-01", "7", "%");
    let of = |source: &str, all: &[&String]| {
        let all: Vec<String> = all.iter().map(|one| (*one).clone()).collect();
        told(source, &all)
    };
    for (source, all, expected) in [
        (
            "Observation().lowest(\"%\") == 7.0",
            &[&high, &seven][..],
            "true",
        ),
        ("Observation().lowest(\"%\") < 5.0", &[&low, &seven], "true"),
        (
            "Observation().highest(\"%\") == 7.0",
            &[&low, &seven],
            "true",
        ),
        (
            "Observation().highest(\"%\") > 9.0",
            &[&high, &low, &seven],
            "true",
        ),
        (
            "Observation().highest(\"%\") > 20.0",
            &[&high, &seven],
            BOUND,
        ),
        // Of a bound nothing is calculated.
        (
            "Observation().average(\"%\") > 9.0",
            &[&high, &seven],
            BOUND,
        ),
        ("Observation().change(\"%\") > 1.0", &[&high, &seven], BOUND),
        (
            "Observation().latestValue(\"%\") + 1.0 > 9.0",
            &[&high],
            BOUND,
        ),
        (
            "Observation().exists(o, valueIn(o, \"%\") > 9.0)",
            &[&high],
            "true",
        ),
        ("Observation().hba1cPercent() > 9.0", &[&high], "true"),
    ] {
        assert_eq!(of(source, all), expected, "{source}");
    }
}

#[test]
fn as_people_read_it() {
    for (comparator, number, expected) in [
        (">", "60", "above 60"),
        (">=", "60", "60 or more"),
        ("<", "0.05", "below 0.05"),
        ("<=", "0.05", "0.05 or less"),
    ] {
        let one = bound(comparator, number, "mg/L");
        let source = "string(Observation().latestValue(\"mg/L\"))";
        assert_eq!(told(source, std::slice::from_ref(&one)), expected);
    }
}
