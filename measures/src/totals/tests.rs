use std::sync::Arc;

use engine_patient::program::ResultRow;
use engine_patient::system::truth::Truth;
use rust_decimal::Decimal;

use super::Totals;
use crate::package::{AggregateMethod, GroupDefinition, Scoring, SupplementalDefinition, Usage};
use crate::rate_bounds::Positions;
use crate::result::{MeasureResult, Score};
use crate::score::{
    Gating, Label, ObservationQuantity, Place, Raw, RawGroup, RawStrata, score, supplemental,
};
use crate::structure::MeasureStructure;
use crate::testing::*;

const T: Truth = Truth::True;
const F: Truth = Truth::False;
const U: Truth = Truth::Unknown;

fn raw(all: &[Truth]) -> RawGroup {
    let truth = |t: &Truth| Raw::Truth(*t, Some("no birth date".into()));
    RawGroup {
        populations: all.iter().map(truth).collect(),
        ..RawGroup::default()
    }
}

/// The result of some patients, each with raw results per group.
fn run(structure: &Arc<MeasureStructure>, patients: &[(&str, Vec<RawGroup>)]) -> MeasureResult {
    let mut rows = vec![];
    for (patient, groups) in patients {
        let mut own = vec![];
        for (index, raw) in groups.iter().enumerate() {
            let place = Place {
                artifact: 0,
                group: index as u32,
            };
            score(&Gating::new(&structure.groups[index]), place, raw, &mut own);
        }
        rows.extend(own.into_iter().map(|row| (*patient, &**structure, row)));
    }
    let whole = totals(std::slice::from_ref(structure), &rows).unwrap();
    whole.into_iter().next().unwrap()
}

fn counts(result: &MeasureResult, group: usize) -> Vec<u64> {
    let populations = result.groups[group].counts.populations.iter();
    populations.map(|p| p.count).collect()
}

#[test]
fn a_proportion_by_hand() {
    let structure = structure(
        "a",
        vec![group(Scoring::Proportion, "boolean", &[IP, D, X, N, NX, E])],
    );
    let patients = [
        ("p1", vec![raw(&[T, T, F, T, F, F])]),
        ("p2", vec![raw(&[T, T, F, T, T, F])]),
        ("p3", vec![raw(&[T, T, T, T, F, F])]),
        ("p4", vec![raw(&[T, T, F, F, F, T])]),
        ("p5", vec![raw(&[T, T, F, F, F, F])]),
        ("p6", vec![raw(&[F, T, F, T, F, F])]),
        ("p7", vec![raw(&[T, T, F, U, F, F])]),
    ];
    let result = run(&structure, &patients);
    let own = &result.groups[0].counts;
    assert_eq!(result.patients, 7);
    assert_eq!(counts(&result, 0), [6, 6, 1, 2, 1, 1]);
    // (2 − 1) / (6 − 1 − 1)
    assert_eq!(own.score(&structure.groups[0]), Some(Score::Fraction(1, 4)));
    assert_eq!(own.unknown, 1);
    let reasons: Vec<_> = own.reasons.iter().collect();
    // The numerator, and with it its exclusion… is certain: it does not hold.
    let why: Arc<str> = "no birth date".into();
    assert_eq!(reasons, [(&("numerator".into(), why), &1)]);
    // p7 met or not: 1 or 2 of 4.
    assert_eq!(own.rate_bounds(), Some((0.25, 0.5)));
    assert_eq!(own.populations[3].subjects, 2);
    assert_eq!(own.populations[3].unknown, 1);
}

#[test]
fn a_ratio_and_a_continuous_variable_by_hand() {
    let mut ratio = group(Scoring::Ratio, "Encounter", &[IP, D, X, N, NX]);
    ratio.populations.push(observation(1, AggregateMethod::Sum));
    ratio
        .populations
        .push(observation(3, AggregateMethod::Count));
    let mut variable = group(Scoring::ContinuousVariable, "Encounter", &[IP, M, MX]);
    variable
        .populations
        .push(observation(1, AggregateMethod::Average));
    let structure = structure("a", vec![ratio, variable]);
    let list = |ids: &[&str]| Raw::Members(ids.iter().map(|i| Arc::from(*i)).collect());
    let of = |id: &str, n: Option<i64>| {
        let quantity = n.map(|n| Decimal::from(n).into()).ok_or("null".into());
        (Some(Arc::from(id)), quantity)
    };
    let patient = |days: [Option<i64>; 2], falls: &[&str], excluded: &[&str]| {
        let both = list(&["E/1", "E/2"]);
        let observed = vec![of("E/1", days[0]), of("E/2", days[1])];
        let first = RawGroup {
            populations: vec![
                both.clone(),
                both.clone(),
                list(excluded),
                list(falls),
                list(excluded),
            ],
            observations: vec![
                observed.clone(),
                vec![of("E/1", Some(1)), of("E/2", Some(1))],
            ],
            strata: vec![],
        };
        let second = RawGroup {
            populations: vec![both.clone(), both, list(excluded)],
            observations: vec![observed],
            strata: vec![],
        };
        vec![first, second]
    };
    let patients = [
        ("p1", patient([Some(4), Some(0)], &["E/1"], &[])),
        ("p2", patient([Some(9), Some(5)], &["E/1", "E/2"], &["E/1"])),
        ("p3", patient([Some(3), None], &[], &[])),
    ];
    let result = run(&structure, &patients);
    // Observations with a value: of days 4, 0, 5, 3; one is null. Of falls E/1 of p1, E/2 of p2.
    assert_eq!(counts(&result, 0), [6, 6, 1, 3, 1, 4, 2]);
    let own = &result.groups[0].counts;
    let days = &own.populations[5];
    assert_eq!(
        (days.observed.missing, days.subjects, days.unknown),
        (1, 3, 1)
    );
    // 2 falls in 12 days.
    let sixth = Decimal::from(2) / Decimal::from(12);
    assert_eq!(own.score(&structure.groups[0]), Some(Score::Number(sixth)));
    assert_eq!(own.unknown, 1);
    // (4 + 0 + 5 + 3) / 4
    let mean = result.groups[1].counts.score(&structure.groups[1]);
    assert_eq!(mean, Some(Score::Number(Decimal::from(3))));
    assert!(own.rate_bounds().is_none());
}

#[test]
fn scores_of_nothing() {
    let mut ratio = group(Scoring::Ratio, "boolean", &[IP, D, N]);
    let plain = structure("a", vec![ratio.clone()]);
    let some = run(&plain, &[("p", vec![raw(&[T, T, F])])]);
    let score = |r: &MeasureResult, g: &GroupDefinition| r.groups[0].counts.score(g);
    assert_eq!(score(&some, &ratio), Some(Score::Fraction(0, 1)));
    let none = run(&plain, &[("p", vec![raw(&[T, F, T])])]);
    assert_eq!(score(&none, &ratio), None);
    // No falls in 5 days are 0 falls a day.
    ratio.populations.push(observation(1, AggregateMethod::Sum));
    ratio.populations.push(observation(2, AggregateMethod::Sum));
    let observed = structure("a", vec![ratio.clone()]);
    let five = RawGroup {
        observations: vec![vec![(None, Ok(Decimal::from(5).into()))], vec![]],
        ..raw(&[T, T, F])
    };
    let result = run(&observed, &[("p", vec![five])]);
    assert_eq!(score(&result, &ratio), Some(Score::Number(Decimal::ZERO)));
}

#[test]
fn strata_and_supplemental_data() {
    let mut definition = group(Scoring::Proportion, "boolean", &[IP, D, X, N]);
    definition.stratifiers = vec![stratifier(&[], &[])];
    let mut inner = (*structure("a", vec![definition])).clone();
    inner.supplemental = vec![SupplementalDefinition {
        id: Some("sde-sex".into()),
        description: None,
        expression: "SDE Sex".into(),
        usage: vec![Usage::SupplementalData],
        code: None,
        report_types: vec![],
        path: String::new(),
    }];
    let structure = Arc::new(inner);
    let mut rows: Vec<(&str, &MeasureStructure, ResultRow)> = vec![];
    let patients = [
        ("p1", [T, T, F, T], Some("young"), Ok(vec!["F"])),
        ("p2", [T, T, F, F], Some("young"), Ok(vec!["F"])),
        ("p3", [T, T, F, T], Some("old"), Err("no gender")),
        ("p4", [T, T, T, T], None, Ok(vec!["M"])),
        ("p5", [F, T, F, T], Some("old"), Ok(vec!["M"])),
    ];
    for (patient, all, stratum, sex) in patients {
        let values = stratum.map(Into::into).into_iter().collect();
        let raw = RawGroup {
            strata: vec![RawStrata::Values(values)],
            ..raw(&all)
        };
        let place = Place {
            artifact: 0,
            group: 0,
        };
        let mut own = vec![];
        score(&Gating::new(&structure.groups[0]), place, &raw, &mut own);
        let sex = sex.map(|s| s.into_iter().map(Into::into).collect());
        let sex = sex.map_err(Arc::from);
        supplemental(0, &structure.supplemental, vec![sex.into()], &mut own);
        rows.extend(own.into_iter().map(|r| (patient, &*structure, r)));
    }
    let result = totals(std::slice::from_ref(&structure), &rows).unwrap();
    let group = &result[0].groups[0];
    let strata: Vec<String> = group.strata[0]
        .iter()
        .map(|(name, counts)| {
            let all = counts.populations.iter().map(|p| p.count.to_string());
            format!("{name} {}", all.collect::<Vec<_>>().join(" "))
        })
        .collect();
    assert_eq!(strata, ["old 1 1 0 1", "young 2 2 0 1"]);
    assert_eq!(group.strata_unknown, [1]);
    let sexes: Vec<_> = result[0].supplemental[0].values.iter().collect();
    // p5 is in no initial population, p3 could not be told.
    assert_eq!(sexes, [(&"F".into(), &2), (&"M".into(), &1)]);
    assert_eq!(result[0].supplemental[0].unknown, 1);
}

/// The bounds hold whatever the unknown turns out to be, and are reached.
#[test]
fn bounds_are_the_extremes() {
    let definition = group(Scoring::Proportion, "boolean", &[IP, D, X, N, NX, E]);
    assert!(Positions::of(&definition).is_some());
    let structure = structure("a", vec![definition.clone()]);
    let mut random = Random(3);
    let (mut tried, mut reached) = (0, 0);
    for _ in 0..1500 {
        let any = |random: &mut Random| match random.below(5) {
            0 | 1 => T,
            2 | 3 => F,
            _ => U,
        };
        let all: Vec<Vec<Truth>> = (0..3)
            .map(|_| (0..6).map(|_| any(&mut random)).collect())
            .collect();
        let result = |all: &[Vec<Truth>]| {
            let names = ["p1", "p2", "p3"];
            let patients = names.into_iter().zip(all).map(|(n, t)| (n, vec![raw(t)]));
            run(&structure, &patients.collect::<Vec<_>>())
        };
        let unknown: Vec<(usize, usize)> = (0..3)
            .flat_map(|p| (0..6).map(move |c| (p, c)))
            .filter(|(p, c)| all[*p][*c] == U)
            .collect();
        let Some((low, high)) = result(&all).groups[0].counts.rate_bounds() else {
            continue;
        };
        if unknown.len() > 6 {
            continue;
        }
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut always = true;
        for bits in 0..1u32 << unknown.len() {
            let mut decided = all.clone();
            for (i, (p, c)) in unknown.iter().enumerate() {
                decided[*p][*c] = if bits >> i & 1 == 1 { T } else { F };
            }
            let score = result(&decided).groups[0].counts.score(&definition);
            let Some(rate) = score.map(Score::as_f64) else {
                always = false;
                continue;
            };
            assert!(rate >= low - 1e-12 && rate <= high + 1e-12, "{all:?}");
            (least, most) = (least.min(rate), most.max(rate));
        }
        // Of who might be in the denominator the rows do not tell what they would be counted as there, and
        // the bounds are wider; so for a numerator that might be, and be excluded.
        let known = |t: &Vec<Truth>| t[0] != U && t[1] != U && (t[3] != U || t[4] == F);
        let known = all.iter().all(known);
        if known && always {
            reached += 1;
            let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
            assert!(close(least, low) && close(most, high), "{all:?}");
        }
        tried += 1;
    }
    assert!(tried > 50 && reached > 10, "{reached} of {tried}");
}

#[test]
fn rows_of_something_else_are_refused() {
    let known = structure("a", vec![group(Scoring::Cohort, "boolean", &[IP])]);
    let row = ResultRow::of_population(IP, 0, T);
    let far = ResultRow {
        kind: ResultRow::of_population(IP, 7, T).kind,
        ..row.clone()
    };
    assert!(totals(std::slice::from_ref(&known), &[("p", &known, far)]).is_err());
    let group = ResultRow { group: 1, ..row };
    assert!(totals(std::slice::from_ref(&known), &[("p", &known, group)]).is_err());
    assert_eq!(Totals::new(&[known]).finish()[0].patients, 0);
}

/// Units are converted, and what goes with no other is not evaluable, in the whole and in strata (CQL
/// 1.5, "Quantities"; FHIR R4 MeasureReport.group.measureScore is a Quantity).
#[test]
fn observations_in_different_units() {
    let mut variable = group(Scoring::ContinuousVariable, "Encounter", &[IP, M]);
    variable
        .populations
        .push(observation(1, AggregateMethod::Sum));
    variable.stratifiers = vec![stratifier(&[], &[])];
    let structure = structure("a", vec![variable]);
    let patient = |id: &str, value: i64, unit: &str, stratum: &str| {
        let ids = Raw::Members(vec![Arc::from(id)]);
        vec![RawGroup {
            populations: vec![ids.clone(), ids],
            observations: vec![vec![(
                Some(Arc::from(id)),
                Ok(ObservationQuantity::of(Decimal::from(value), unit)),
            )]],
            strata: vec![RawStrata::Values(vec![stratum.into()])],
        }]
    };
    let mut patients = vec![
        ("p1", patient("E/1", 2, "hours", "x")),
        ("p2", patient("E/2", 90, "min", "y")),
        ("p3", patient("E/3", 1, "d", "y")),
    ];
    let text = |result: &MeasureResult| {
        let group = &structure.groups[0];
        let of = |counts: &crate::result::Counts| {
            let (score, unit) = counts.measured(group).unwrap();
            let Score::Number(n) = score else {
                panic!("{score:?}")
            };
            format!("{n} {}", unit.as_deref().unwrap_or("-"))
        };
        let own = &result.groups[0];
        let strata = own.strata[0].iter().map(|(n, c)| format!("{n} {}", of(c)));
        let strata: Vec<String> = strata.collect();
        format!("{}; {}", of(&own.counts), strata.join(", "))
    };
    let result = run(&structure, &patients);
    assert_eq!(text(&result), "27.5 h; x 2 h, y 25.5 h");
    assert_eq!(result.groups[0].counts.unknown, 0);
    // Other names for the same patients change nothing.
    let names = ["p9", "p5", "p1"];
    let renamed: Vec<_> = names
        .iter()
        .zip(&patients)
        .map(|(n, (_, raw))| (*n, raw.clone()))
        .collect();
    assert_eq!(text(&run(&structure, &renamed)), text(&result));
    // Milligrams are no time: one patient is not evaluable, in the whole and in her stratum.
    patients.push(("p4", patient("E/4", 7, "mg", "x")));
    let result = run(&structure, &patients);
    assert_eq!(text(&result), "27.5 h; x 2 h, y 25.5 h");
    let own = &result.groups[0];
    assert_eq!((own.counts.unknown, counts(&result, 0)[2]), (1, 3));
    assert_eq!(own.strata[0][0].1.unknown, 1);
    assert_eq!(own.strata[0][1].1.unknown, 0);
    let reasons: Vec<_> = own.counts.reasons.keys().map(|(_, why)| &**why).collect();
    let why = "the unit `mg` of an observation cannot be converted to `h`";
    assert_eq!(reasons, [why]);
}

/// The sides of a ratio are brought to one unit before they are divided.
#[test]
fn a_ratio_of_two_units() {
    let mut ratio = group(Scoring::Ratio, "boolean", &[IP, D, N]);
    ratio.populations.push(observation(1, AggregateMethod::Sum));
    ratio.populations.push(observation(2, AggregateMethod::Sum));
    let structure = structure("a", vec![ratio]);
    let of = |n: &str, d: &str| {
        let one = |unit: &str, value: i64| {
            vec![(
                None,
                Ok(ObservationQuantity::of(Decimal::from(value), unit)),
            )]
        };
        let raw = RawGroup {
            observations: vec![one(d, 3), one(n, 90)],
            ..raw(&[T, T, T])
        };
        let result = run(&structure, &[("p", vec![raw])]);
        let (score, unit) = result.groups[0]
            .counts
            .measured(&structure.groups[0])
            .unwrap();
        format!("{:?} {}", score.as_f64(), unit.as_deref().unwrap_or("-"))
    };
    assert_eq!(of("minutes", "hour"), "0.5 -");
    assert_eq!(of("mg", "d"), "30.0 mg/d");
    assert_eq!(of("mg", "1"), "30.0 mg");
    assert_eq!(of("", ""), "30.0 -");
}

/// One code with two displays is one stratum, whatever the order of the patients.
#[test]
fn codings_of_strata() {
    let mut definition = group(Scoring::Cohort, "boolean", &[IP]);
    definition.stratifiers = vec![stratifier(&["sex", "payer"], &[])];
    let structure = structure("a", vec![definition]);
    let label = |display: &str| Label {
        text: "http://x|1".into(),
        coding: Some(format!("{{\"coding\":[{{\"display\":\"{display}\"}}]}}").into()),
    };
    let patient = |display: &str| {
        vec![RawGroup {
            strata: vec![RawStrata::Components(vec![
                RawStrata::Values(vec!["f".into()]),
                RawStrata::Values(vec![label(display), "none".into()]),
            ])],
            ..raw(&[T])
        }]
    };
    let one = run(
        &structure,
        &[("p1", patient("One")), ("p2", patient("one"))],
    );
    let other = run(
        &structure,
        &[("p1", patient("one")), ("p2", patient("One"))],
    );
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
    let strata: Vec<_> = one.groups[0].strata[0]
        .iter()
        .map(|(name, c)| (&**name, c.populations[0].count))
        .collect();
    assert_eq!(
        strata,
        [(r#"["f","http://x|1"]"#, 2), (r#"["f","none"]"#, 2)]
    );
    let codings: Vec<_> = one.groups[0].codings[0].values().map(|c| &**c).collect();
    assert_eq!(codings, [r#"[null,{"coding":[{"display":"One"}]}]"#]);
}

/// A stratum of whose members nobody could be judged has no rate, as the whole would have none.
#[test]
fn a_stratum_that_could_be_anything_has_no_score() {
    let mut definition = group(Scoring::Proportion, "boolean", &[IP, D, X, N]);
    definition.stratifiers = vec![stratifier(&["age"], &[])];
    let structure = structure("a", vec![definition]);
    let of = |stratum: &str, all: [Truth; 4]| {
        let values = RawStrata::Values(vec![stratum.into()]);
        let strata = vec![RawStrata::Components(vec![values])];
        let raw = raw(&all);
        vec![RawGroup { strata, ..raw }]
    };
    let result = run(
        &structure,
        &[
            ("p1", of("excluded", [T, T, T, U])),
            ("p2", of("excluded", [T, T, F, U])),
            ("p3", of("mixed", [T, T, F, U])),
            ("p4", of("mixed", [T, T, F, T])),
            ("p5", of("outside", [T, U, F, U])),
            ("p6", of("outside", [T, T, F, F])),
            ("p7", of("told", [T, T, F, F])),
        ],
    );
    let own = &result.groups[0];
    let scores: Vec<_> = own.strata[0]
        .iter()
        .map(|(_, counts)| counts.score(&structure.groups[0]))
        .collect();
    let fraction = |n, d| Some(Score::Fraction(n, d));
    assert_eq!(
        scores,
        [None, fraction(1, 2), fraction(0, 1), fraction(0, 1)]
    );
    assert_eq!(own.counts.score(&structure.groups[0]), fraction(1, 5));
}

/// An observation in doubt counts with its value, and its patient is not evaluable.
#[test]
fn an_observation_in_doubt_is_counted_and_told() {
    let mut cv = group(Scoring::ContinuousVariable, "boolean", &[IP, M]);
    cv.populations.push(observation(1, AggregateMethod::Sum));
    let structure = structure("a", vec![cv]);
    let of = |value: i64, doubt: Option<&str>| {
        let quantity = ObservationQuantity {
            doubt: doubt.map(Into::into),
            ..Decimal::from(value).into()
        };
        vec![RawGroup {
            observations: vec![vec![(None, Ok(quantity))]],
            ..raw(&[T, T])
        }]
    };
    let result = run(
        &structure,
        &[("p1", of(3, None)), ("p2", of(0, Some("not loaded")))],
    );
    let counts = &result.groups[0].counts;
    assert_eq!(counts.unknown, 1);
    let own = &counts.populations[2];
    assert_eq!((own.count, own.subjects, own.unknown), (2, 2, 1));
    let score = counts.score(&structure.groups[0]).unwrap();
    assert_eq!(score.as_f64().to_string(), "3");
    let reasons: Vec<_> = counts.reasons.iter().collect();
    let expected = ("measure-observation".into(), "not loaded".into());
    assert_eq!(reasons, [(&expected, &1)]);
}
