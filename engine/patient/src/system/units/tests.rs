use super::*;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn convert(value: &str, from: &str, to: &str) -> Result<Decimal, UnitsError> {
    Units::default().convert(d(value), from, to)
}

#[test]
fn exact_factors() {
    for (value, from, to, expected) in [
        ("1", "h", "min", "60"),
        ("1", "mL/min", "mL/h", "60"),
        ("90", "mL/min", "L/h", "5.4"),
        ("1", "[in_i]", "cm", "2.54"),
        ("1", "[lb_av]", "kg", "0.45359237"),
        ("72", "[in_i]", "m", "1.8288"),
        ("1", "g/dL", "mg/L", "10000"),
        ("7", "%", "1", "0.07"),
        ("120", "mm[Hg]", "kPa", "15.99864"),
        ("1", "wk", "h", "168"),
        ("1", "days", "h", "24"),
        ("3", "weeks", "d", "21"),
        ("2", "years", "month", "24"),
        ("1", "a", "d", "365.25"),
        ("1", "mo", "d", "30.4375"),
        ("5", "", "1", "5"),
        ("5", "{score}", "", "5"),
        ("10", "kg/m2", "g/cm2", "1"),
        ("60", "U/L", "umol/min/L", "60"),
        ("60", "U", "nkat", "1000"),
        ("1", "[kn_i]", "m/h", "1852"),
        ("1", "[iU]/mL", "[IU]/L", "1000"),
        ("1", "10*3/uL", "10*9/L", "1"),
    ] {
        assert_eq!(
            convert(value, from, to),
            Ok(d(expected)),
            "{value} {from} {to}"
        );
    }
}

#[test]
fn factors_of_any_size() {
    assert_eq!(convert("1", "Ym", "ym"), Err(UnitsError::OutOfRange));
    assert_eq!(convert("1", "ym", "Ym"), Ok(d("0")));
    let units = Units::default();
    let order = units.compare(d("1"), "Ym6", d("2"), "ym6");
    assert_eq!(order, Ok(Ordering::Greater));
    assert_eq!(units.is_finer("Ym6", "ym6"), Ok(true));
}

#[test]
fn temperatures() {
    assert_eq!(convert("32", "[degF]", "Cel"), Ok(d("0")));
    assert_eq!(convert("98.6", "[degF]", "Cel"), Ok(d("37")));
    assert_eq!(convert("37", "Cel", "[degF]"), Ok(d("98.6")));
    assert_eq!(convert("0", "Cel", "K"), Ok(d("273.15")));
    assert_eq!(convert("-40", "Cel", "[degF]"), Ok(d("-40")));
    assert_eq!(convert("9", "[degR]", "K"), Ok(d("5")));
    assert_eq!(convert("80", "[degRe]", "Cel"), Ok(d("100")));
    assert_eq!(convert("1000", "mCel", "K"), Ok(d("274.15")));
    let order = |a, u, b, v| Units::default().compare(d(a), u, d(b), v);
    assert_eq!(order("100.4", "[degF]", "38", "Cel"), Ok(Ordering::Equal));
    assert_eq!(
        order("38.00000001", "Cel", "100.4", "[degF]"),
        Ok(Ordering::Greater)
    );
    assert_eq!(order("0", "K", "0", "Cel"), Ok(Ordering::Less));
}

#[test]
fn logarithmic_units() {
    assert_eq!(convert("3", "B", "1"), Ok(d("1000")));
    assert_eq!(convert("7", "[pH]", "mol/L"), Ok(d("0.0000001")));
    assert_eq!(convert("20", "dB", "B"), Ok(d("2")));
}

#[test]
fn failures() {
    use UnitsError::{Incommensurable, Unknown};
    for (from, to, error) in [
        ("cm", "cm2", Incommensurable),
        ("foo", "cm", Unknown),
        ("cm", "foo", Unknown),
        ("month", "d", Incommensurable),
        ("mo", "month", Incommensurable),
        ("a", "years", Incommensurable),
        ("year", "foo", Unknown),
        ("[iU]", "mg", Incommensurable),
        ("mmHg", "mm[Hg]", Unknown),
        ("Cel2", "K2", Unknown),
        ("m999999999", "m", Unknown),
        ("m2147483648", "m", Unknown),
        ("µg", "ug", Unknown),
    ] {
        assert_eq!(convert("1", from, to), Err(error), "{from} {to}");
    }
    let long = "m.".repeat(10_000) + "m";
    assert_eq!(convert("1", &long, "m"), Err(Unknown));
    let deep = format!("{}m{}", "(".repeat(120), ")".repeat(120));
    assert_eq!(convert("1", &deep, "m"), Ok(d("1")));
    let wide = vec!["Ym32"; 50].join(".");
    assert_eq!(convert("1", &wide, "m"), Err(Unknown));
}

#[test]
fn known_units() {
    let units = Units::default();
    for unit in [
        "cm",
        "",
        "1",
        "{eskimo_kisses}",
        "months",
        "[lb_av]",
        "Cel",
        "mo",
        "10*3/uL",
    ] {
        assert!(units.is_known(unit), "{unit}");
    }
    for unit in ["foo", "fortnight", "cm ", "C el"] {
        assert!(!units.is_known(unit), "{unit}");
    }
}

#[test]
fn all_units_of_the_tables_have_a_meaning() {
    for unit in octofhir_ucum::get_all_units() {
        assert!(Meaning::of(unit.code).is_some(), "{}", unit.code);
    }
}

#[test]
fn calendar_units() {
    assert_eq!(CalendarUnit::of("months"), Some(CalendarUnit::Month));
    assert_eq!(CalendarUnit::of("mo"), Some(CalendarUnit::Month));
    assert_eq!(CalendarUnit::word("mo"), None);
    assert_eq!(CalendarUnit::of("cm"), None);
}

#[test]
fn cache_is_bounded_and_shared() {
    let units = Units::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for i in 0..10_000 {
                    assert!(
                        units
                            .convert(Decimal::ONE, &format!("nonsense{i}"), "m")
                            .is_err()
                    );
                    assert_eq!(units.convert(Decimal::ONE, "m", "cm"), Ok(d("100")));
                }
            });
        }
    });
    let kept: usize = units.shards.iter().map(|s| s.read().unwrap().len()).sum();
    assert!(kept <= KEPT);
}

/// What UCUM takes for numbers and is none.
#[test]
fn amounts_of_substance_stay_what_they_are() {
    let units = Units::default();
    for (a, b, same) in [
        ("%", "mmol/mol", false),
        ("1", "mol", false),
        ("meq/L", "mmol/L", false),
        ("mosm/kg", "mmol/kg", false),
        ("10*9/L", "mmol/L", false),
        ("mmol/L", "umol/L", true),
        ("mmol/mol", "mol/mol", true),
        ("umol/min/L", "nmol/s/L", true),
        ("U/L", "umol/min/L", true),
        ("kU/L", "U/mL", true),
        ("ukat/L", "U/L", true),
        ("U/L", "/min/L", false),
        ("U/L", "ueq/min/L", false),
        ("[pH]", "mol/L", true),
        ("[pH]", "eq/L", false),
        ("mol.mol", "mol2", true),
        ("%", "U/U", false),
        ("meq/L", "eq/L", true),
        ("months", "years", true),
        ("kPa", "mm[Hg]", true),
        ("%", "1", true),
        ("[lb_av]", "kg", true),
    ] {
        assert!(units.convert(Decimal::ONE, a, b).is_ok(), "{a} {b}");
        assert_eq!(units.are_of_one_kind(a, b), same, "{a} {b}");
        // As it is kept.
        assert_eq!(units.are_of_one_kind(a, b), same, "{a} {b}");
        assert_eq!(units.are_of_one_kind(b, a), same, "{a} {b}");
    }
    for (a, b) in [("m", "s"), ("foo", "%"), ("%", "foo")] {
        assert!(!units.are_of_one_kind(a, b), "{a} {b}");
    }
    assert!(units.are_of_one_kind("", "1"));
}

/// What charts write, beside what is wanted.
#[test]
fn units_of_charts() {
    let units = Units::default();
    let read = |written: &str, wanted: &str| match units.read(written, wanted) {
        Reading::AsWritten => "=".to_owned(),
        Reading::As(unit) => unit.to_string(),
        Reading::Doubtful => "?".to_owned(),
        Reading::Other => "-".to_owned(),
    };
    for (written, wanted, as_unit) in [
        ("mg/dL", "mg/dL", "="),
        ("g/L", "mg/dL", "="),
        ("mEq/L", "meq/L", "meq/L"),
        ("MEQ/L", "meq/L", "meq/L"),
        // An equivalent is no mole: that depends on the ion.
        ("mEq/L", "mmol/L", "-"),
        ("mmHg", "mm[Hg]", "mm[Hg]"),
        ("MMHG", "mm[Hg]", "mm[Hg]"),
        ("MCG/ML", "ug/mL", "ug/mL"),
        ("MG/DL", "mg/dL", "mg/dL"),
        ("MG/ML", "mg/mL", "mg/mL"),
        ("PG/ML", "pg/mL", "pg/mL"),
        ("mg/dl", "mg/dL", "="),
        ("gm/dL", "g/dL", "g/dL"),
        ("IU/L", "U/L", "U/L"),
        ("IU/L", "[iU]/L", "[iU]/L"),
        ("uIU/mL", "m[iU]/L", "u[iU]/mL"),
        ("mcIU/mL", "m[iU]/L", "u[iU]/mL"),
        ("x10E3/uL", "10*3/uL", "10*3/uL"),
        ("x10(3)/mcL", "10*3/uL", "10*3/uL"),
        ("10^9/L", "10*3/uL", "="),
        ("K/uL", "10*3/uL", "10*3/uL"),
        ("K/mcL", "10*3/uL", "10*3/uL"),
        ("Thousand/uL", "10*3/uL", "10*3/uL"),
        ("G/L", "10*3/uL", "10*9/L"),
        ("% ", "%", "%"),
        ("sec", "s", "s"),
        ("Lbs", "kg", "[lb_av]"),
        ("in", "cm", "[in_i]"),
        ("F", "Cel", "[degF]"),
        ("ug/mg creat", "mg/g", "ug/mg{creat}"),
        ("mL/min/1.73m2", "mL/min/{1.73_m2}", "mL/min/{1.73_m2}"),
        ("ML/MIN", "mL/min", "mL/min"),
        // A megalitre, or a millilitre in capitals.
        ("ML", "mL", "?"),
        ("ML", "mg", "-"),
        // What only looks like one is none in a chart.
        ("precent", "%", "-"),
        ("furlongs", "m", "-"),
        ("mmol/mol", "%", "-"),
    ] {
        assert_eq!(read(written, wanted), as_unit, "{written} for {wanted}");
    }
}
