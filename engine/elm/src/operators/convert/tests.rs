use super::*;
use crate::tests::testing::{read, run, show};

type Operator = for<'a> fn(&Cx<'a>, &[Val<'a>], &Extra) -> Out<'a>;

/// Checks a conversion, and that its `ConvertsTo…` says so.
fn check(to: Operator, can: Operator, cases: &[(&str, &str)]) {
    run(|cx| {
        for (value, expected) in cases {
            let args = [read(cx, value)];
            let got = show(to(cx, &args, &Extra::default()).unwrap());
            assert_eq!(got, *expected, "{value}");
            let can = show(can(cx, &args, &Extra::default()).unwrap());
            let converts = (*expected != "null").to_string();
            let answer = if *value == "null" { "null" } else { &converts };
            assert_eq!(can, answer, "{value}");
        }
    });
}

#[test]
fn booleans() {
    check(
        to_boolean,
        converts_to_boolean,
        &[
            ("'NO'", "false"),
            ("'True'", "true"),
            ("'t'", "true"),
            ("'falsetto'", "null"),
            ("''", "null"),
            ("1", "true"),
            ("0L", "false"),
            ("2", "null"),
            ("1.00", "true"),
            ("0.0", "false"),
            ("0.5", "null"),
            ("true", "true"),
            ("null", "null"),
        ],
    );
}

#[test]
fn numbers() {
    check(
        to_integer,
        converts_to_integer,
        &[
            ("'-25'", "-25"),
            ("'+007'", "7"),
            ("'foo'", "null"),
            ("'1.0'", "null"),
            ("' 1'", "null"),
            ("'+'", "null"),
            ("'2147483648'", "null"),
            ("2147483648L", "null"),
            ("5L", "5"),
            ("true", "1"),
            ("1.0", "null"),
            ("1..3", "1..3"),
            ("null", "null"),
        ],
    );
    check(
        to_long,
        converts_to_long,
        &[
            ("'2147483648'", "2147483648L"),
            ("'9223372036854775808'", "null"),
            ("'one'", "null"),
            ("5", "5L"),
            ("false", "0L"),
        ],
    );
    check(
        to_decimal,
        converts_to_decimal,
        &[
            ("'+25.5'", "25.5"),
            ("'-0.1'", "-0.1"),
            ("'+-0.1'", "null"),
            ("'.1'", "null"),
            ("'1.'", "null"),
            ("'1e5'", "null"),
            ("'18.50'", "18.50"),
            ("'0.123456785'", "0.12345679"),
            ("'0.123456784999'", "0.12345678"),
            ("'000000000000000000000000000001'", "1"),
            (
                "'99999999999999999999.99999999'",
                "99999999999999999999.99999999",
            ),
            ("'99999999999999999999.999999995'", "null"),
            ("'100000000000000000000'", "null"),
            ("'1é'", "null"),
            ("5", "5"),
            ("1..3", "1..3"),
            ("true", "1"),
        ],
    );
}

#[test]
fn quantities() {
    check(
        to_quantity,
        converts_to_quantity,
        &[
            ("5", "5 '1'"),
            ("5L", "5 '1'"),
            ("0.1", "0.1 '1'"),
            ("1 'cm'", "1 'cm'"),
            ("true", "null"),
            ("null", "null"),
        ],
    );
    run(|cx| {
        for (text, expected) in [
            ("5.5 'cm'", "5.5 'cm'"),
            ("-0.1 'mg'", "-0.1 'mg'"),
            ("5.5'cm'", "5.5 'cm'"),
            ("10 days", "10 'days'"),
            ("10", "10 '1'"),
            ("444 'cm", "null"),
            ("444 cm", "null"),
            ("444 'foo'", "null"),
            ("444 ''", "null"),
            ("444 '", "null"),
            ("'cm'", "null"),
            ("", "null"),
            ("2.5589 '{eskimo_kisses}'", "2.5589 '{eskimo_kisses}'"),
        ] {
            let args = [cx.string(text).unwrap()];
            let got = show(to_quantity(cx, &args, &Extra::default()).unwrap());
            assert_eq!(got, expected, "{text}");
        }
        for (text, expected) in [
            ("1.0 'mg':2.0 'mg'", "1.0 'mg':2.0 'mg'"),
            ("1:128", "1 '1':128 '1'"),
            ("1 days:2", "1 'days':2 '1'"),
            ("1.0 'mg';2.0 'mg'", "null"),
            ("1::2", "null"),
            ("1:2:3", "null"),
            ("1:", "null"),
        ] {
            let args = [cx.string(text).unwrap()];
            let ratio = to_ratio(cx, &args, &Extra::default()).unwrap();
            assert_eq!(show(ratio), expected, "{text}");
            if let Val::Ratio(_) = ratio {
                let back = to_string(cx, &[ratio], &Extra::default()).unwrap();
                let again = to_ratio(cx, &[back], &Extra::default()).unwrap();
                assert_eq!(show(again), expected);
            }
        }
        let ratio = to_ratio(
            cx,
            &[cx.string("5 'mg':2 'mL'").unwrap()],
            &Extra::default(),
        );
        let quantity = to_quantity(cx, &[ratio.unwrap()], &Extra::default());
        assert_eq!(show(quantity.unwrap()), "2.5 'mg/mL'");
    });
}

#[test]
fn quantities_in_other_units() {
    run(|cx| {
        for (value, unit, expected, can) in [
            ("5 'mg'", "'g'", "0.005 'g'", "true"),
            ("1 'ug'", "'kg'", "0.000000001 'kg'", "true"),
            ("1 'cm'", "'[in_i]'", "0.39370079 '[in_i]'", "true"),
            ("98.6 '[degF]'", "'Cel'", "37 'Cel'", "true"),
            ("1 'cm'", "'g'", "null", "false"),
            ("1 'cm'", "'foo'", "null", "false"),
            ("2 'years'", "'months'", "24 'months'", "true"),
            ("null", "'g'", "null", "null"),
            ("1 'cm'", "null", "null", "null"),
        ] {
            let args = [read(cx, value), read(cx, unit)];
            let extra = Extra::default();
            assert_eq!(show(convert_quantity(cx, &args, &extra).unwrap()), expected);
            assert_eq!(show(can_convert_quantity(cx, &args, &extra).unwrap()), can);
        }
    });
}

#[test]
fn texts() {
    check(
        to_string,
        converts_to_string,
        &[
            ("true", "'true'"),
            ("-5", "'-5'"),
            ("5L", "'5'"),
            ("18.55", "'18.55'"),
            ("1.50", "'1.50'"),
            ("5.5 'cm'", r"'5.5 'cm''"),
            ("125 'cm'", r"'125 'cm''"),
            ("4 'days'", "'4 days'"),
            ("@2012-01", "'2012-01'"),
            ("@2000-01-01T", "'2000-01-01'"),
            ("@2000-01-01T15:25:25.300", "'2000-01-01T15:25:25.300'"),
            ("@2000-01-01T15:25:25.300Z", "'2000-01-01T15:25:25.300'"),
            ("@2000-01-01T15:25-05:30", "'2000-01-01T15:25-05:30'"),
            ("@T09:30:01.003", "'09:30:01.003'"),
            ("@T09:30", "'09:30'"),
            ("'text'", "'text'"),
            ("null", "null"),
        ],
    );
    run(|cx| {
        let whole = to_decimal(cx, &[Val::Integer(5)], &Extra::default()).unwrap();
        assert_eq!(
            show(to_string(cx, &[whole], &Extra::default()).unwrap()),
            "'5.0'"
        );
        let chars = to_chars(cx, &[cx.string("äb").unwrap()], &Extra::default());
        assert_eq!(show(chars.unwrap()), "{'ä', 'b'}");
        let list = |v| show(to_list(cx, &[v], &Extra::default()).unwrap());
        assert_eq!(list(Val::Null), "{}");
        assert_eq!(list(Val::Integer(1)), "{1}");
    });
}

#[test]
fn dates_and_times() {
    check(
        to_date,
        converts_to_date,
        &[
            ("'2014-01'", "@2014-01"),
            ("'2014-01-01T12:30:00'", "@2014-01-01"),
            ("@2014-01-01T12:30", "@2014-01-01"),
            ("@2014", "@2014"),
            ("'2014/01/01'", "null"),
            ("'2014-02-30'", "null"),
            ("5", "null"),
        ],
    );
    check(
        to_date_time,
        converts_to_date_time,
        &[
            ("'2014-01-01'", "@2014-01-01T"),
            ("@2014-01-01", "@2014-01-01T"),
            ("'2014-01-01T12:05:05.955'", "@2014-01-01T12:05:05.955Z"),
            (
                "'2014-01-01T12:05:05.955+01:30'",
                "@2014-01-01T12:05:05.955+01:30",
            ),
            (
                "'2014-01-01T12:05:05.955-01:15'",
                "@2014-01-01T12:05:05.955-01:15",
            ),
            ("'2014/01/01T12:05:05.955Z'", "null"),
            ("'2014-01-01T12:05:60'", "null"),
            ("null", "null"),
        ],
    );
    check(
        to_time,
        converts_to_time,
        &[
            ("'T14:30:00.0'", "@T14:30:00.000"),
            ("'14:30'", "@T14:30"),
            ("'T14:30:00.0+05:30'", "@T14:30:00.000"),
            ("'T14:30:00.0Z'", "@T14:30:00.000"),
            ("'T23:59:60'", "null"),
            ("'T24:00'", "null"),
            ("'T14-30-00.0'", "null"),
            ("''", "null"),
            ("@T10:30", "@T10:30"),
        ],
    );
}

#[test]
fn concepts() {
    run(|cx| {
        let code = |code: &'static str, display| {
            Val::Code(cx.keep(Code::new(Some(code), None, None, display)).unwrap())
        };
        let concept = |value| match to_concept(cx, &[value], &Extra::default()).unwrap() {
            Val::Concept(concept) => Some((concept.codes.len(), concept.display)),
            _ => None,
        };
        assert_eq!(concept(code("8480-6", Some("x"))), Some((1, Some("x"))));
        let list = [code("a", Some("x")), code("b", None), Val::Null];
        assert_eq!(concept(cx.list(&list).unwrap()), Some((2, None)));
        assert_eq!(concept(Val::Null), None);
    });
}
