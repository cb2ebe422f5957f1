use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine_patient::program::{PopulationIndex, ResultRow, RowKind};
use engine_patient::system::truth::Truth;
use engine_patient::value::Value;
use rust_decimal::Decimal;

use super::{Doubtful, Gating, ObservationQuantity, Place, Raw, RawGroup, RawStrata, score};
use crate::package::{AggregateMethod, GroupDefinition, Scoring};
use crate::testing::*;

const PLACE: Place = Place {
    artifact: 0,
    group: 0,
};

fn rows(group: &GroupDefinition, raw: &RawGroup) -> Vec<ResultRow> {
    let mut out = vec![];
    score(&Gating::new(group), PLACE, raw, &mut out);
    out
}

fn truth(t: Truth) -> Raw {
    let reason = (t == Truth::Unknown).then(|| Arc::from("why"));
    Raw::Truth(t, reason)
}

fn list(ids: &str) -> Raw {
    Raw::Members(ids.split_whitespace().map(Arc::from).collect())
}

fn raw(populations: Vec<Raw>) -> RawGroup {
    RawGroup {
        populations,
        ..RawGroup::default()
    }
}

/// `count` of the rows about the patient, in the order of the populations; unknown is `-`.
fn counts(rows: &[ResultRow]) -> String {
    let about = rows
        .iter()
        .filter(|r| r.basis_id.is_none() && r.stratum.is_none());
    let text: Vec<String> = about
        .map(|r| r.count.map_or("-".into(), |n| n.to_string()))
        .collect();
    text.join(" ")
}

fn members(rows: &[ResultRow], population: usize) -> BTreeSet<Arc<str>> {
    rows.iter()
        .filter(|r| {
            r.kind.index() as usize == population && r.stratum.is_none() && r.count > Some(0)
        })
        .filter_map(|r| r.basis_id.clone())
        .collect()
}

const T: Truth = Truth::True;
const F: Truth = Truth::False;
const U: Truth = Truth::Unknown;

#[test]
fn proportion_by_hand() {
    let group = group(Scoring::Proportion, "boolean", &[IP, D, X, N, NX, E]);
    let of = |all: [Truth; 6]| counts(&rows(&group, &raw(all.map(truth).to_vec())));
    // Not in the initial population: in nothing.
    assert_eq!(of([F, T, T, T, T, T]), "0 0 0 0 0 0");
    assert_eq!(of([T, F, T, T, T, T]), "1 0 0 0 0 0");
    // Excluded: neither numerator nor exception.
    assert_eq!(of([T, T, T, T, T, T]), "1 1 1 0 0 0");
    // The numerator keeps those that its exclusion takes out of the score.
    assert_eq!(of([T, T, F, T, T, T]), "1 1 0 1 1 0");
    // No exception where the numerator is met; one where it is not.
    assert_eq!(of([T, T, F, T, F, T]), "1 1 0 1 0 0");
    assert_eq!(of([T, T, F, F, T, T]), "1 1 0 0 0 1");
}

#[test]
fn unknown_is_told_where_it_matters() {
    let group = group(Scoring::Proportion, "boolean", &[IP, D, X, N, E]);
    let of = |all: [Truth; 5]| {
        let rows = rows(&group, &raw(all.map(truth).to_vec()));
        let outcomes: Vec<&str> = rows.iter().map(|r| &r.outcome.as_str()[..1]).collect();
        format!("{} | {}", outcomes.join(" "), counts(&rows))
    };
    // Outside the denominator nothing else matters.
    assert_eq!(of([T, F, U, U, U]), "t f f f f | 1 0 0 0 0");
    assert_eq!(of([F, U, U, U, U]), "f f f f f | 0 0 0 0 0");
    // An unknown numerator decides about an exception, too, where there is one.
    assert_eq!(of([T, T, F, U, F]), "t t f u f | 1 1 0 - 0");
    assert_eq!(of([T, T, F, U, T]), "t t f u u | 1 1 0 - 1");
    // Null is not met: a met numerator counts beside an exclusion that is null, and is not certain.
    assert_eq!(of([T, T, U, T, F]), "t t u u f | 1 1 - 1 0");
    assert_eq!(of([U, T, F, T, F]), "u u f u f | - - 0 - 0");
    let rows = rows(&group, &raw(vec![truth(U); 1]));
    assert_eq!(rows[0].unknown_reason.as_deref(), Some("why"));
    // A criterion that is not there at all is null; the first that is unknown is the reason.
    assert_eq!(
        rows[1].unknown_reason.as_deref(),
        Some("the criterion is null")
    );
}

/// What is in doubt counts as it came out, as CQL has it, and is unknown.
#[test]
fn a_value_in_doubt_counts_and_is_unknown() {
    let doubt = |counted, certain: &str, perhaps: Option<&str>| {
        let ids = |ids: &str| {
            ids.split_whitespace()
                .map(Arc::from)
                .collect::<Vec<Arc<str>>>()
        };
        Raw::InDoubt(Box::new(Doubtful {
            counted,
            certain: ids(certain),
            perhaps: perhaps.map(ids),
            reason: "unreadable".into(),
        }))
    };
    let shown = |rows: &[ResultRow]| {
        let about = rows.iter().filter(|r| r.basis_id.is_none());
        let outcomes: Vec<&str> = about.map(|r| &r.outcome.as_str()[..1]).collect();
        format!("{} | {}", outcomes.join(" "), counts(rows))
    };
    let patients = group(Scoring::Proportion, "boolean", &[IP, D, X, N]);
    let of = |all: [Raw; 4]| shown(&rows(&patients, &raw(all.to_vec())));
    let (yes, no) = (|| truth(T), || truth(F));
    let (maybe, hardly) = (|| doubt(truth(T), "", None), || doubt(truth(F), "", None));
    assert_eq!(of([yes(), yes(), no(), maybe()]), "t t f u | 1 1 0 1");
    assert_eq!(of([yes(), yes(), no(), hardly()]), "t t f u | 1 1 0 -");
    // An exclusion that may not be one: counted as it is.
    assert_eq!(of([yes(), yes(), maybe(), yes()]), "t t u u | 1 1 1 -");
    assert_eq!(of([yes(), yes(), hardly(), yes()]), "t t u u | 1 1 - 1");
    // Outside the denominator it does not matter.
    assert_eq!(of([yes(), no(), maybe(), maybe()]), "t f f f | 1 0 0 0");
    let found = rows(&patients, &raw(vec![maybe(), yes(), no(), yes()]));
    assert_eq!(found[0].unknown_reason.as_deref(), Some("unreadable"));

    // Of resources: what is in it in any case, what may be, and what is not for sure.
    let visits = group(Scoring::Proportion, "Encounter", &[IP, D, X, N]);
    let all = || list("1 2 3");
    let numerator = doubt(list("1 2"), "1", Some("3"));
    let found = rows(&visits, &raw(vec![all(), all(), list(""), numerator]));
    assert_eq!(shown(&found), "t t f u | 3 3 0 2");
    let own = |id: &str| {
        let row = found
            .iter()
            .find(|r| r.kind.index() == 3 && r.basis_id.as_deref() == Some(id));
        row.map(|r| (r.outcome, r.count))
    };
    assert_eq!(own("1"), Some((T, Some(1))));
    assert_eq!(own("2"), Some((U, Some(1))));
    assert_eq!(own("3"), Some((U, None)));
    // None of them may be missing: certain.
    let numerator = doubt(list("1 2"), "1 2", Some("9"));
    let found = rows(&visits, &raw(vec![all(), all(), list(""), numerator]));
    assert_eq!(shown(&found), "t t f t | 3 3 0 2");
}

#[test]
fn resources_are_gated_one_by_one() {
    let group = group(Scoring::Proportion, "Encounter", &[IP, D, X, N]);
    let rows = rows(
        &group,
        &raw(vec![
            list("Encounter/3 Encounter/1 Encounter/2 Encounter/1"),
            list("Encounter/1 Encounter/2 Encounter/9"),
            list("Encounter/2"),
            list("Encounter/1 Encounter/2 Encounter/3"),
        ]),
    );
    // 9 is outside the initial population, 3 outside the denominator, 2 excluded.
    assert_eq!(counts(&rows), "3 2 1 1");
    assert_eq!(
        members(&rows, 3),
        BTreeSet::from([Arc::from("Encounter/1")])
    );
    assert_eq!(rows.len(), 4 + 3 + 2 + 1 + 1);
}

#[test]
fn a_list_that_could_not_be_told() {
    let group = group(Scoring::Proportion, "Encounter", &[IP, D, X, N]);
    let failed = Raw::Failed("no unit".into());
    let some = list("Encounter/1 Encounter/2");
    let rows = rows(
        &group,
        &raw(vec![some.clone(), some, failed, list("Encounter/1")]),
    );
    // Nothing is excluded, so that one is counted; both might be.
    assert_eq!(counts(&rows), "2 2 - 1");
    let excluded: Vec<_> = rows.iter().filter(|r| r.kind.index() == 2).collect();
    assert_eq!(excluded.len(), 3);
    for row in excluded {
        assert_eq!((row.outcome, row.count), (U, None));
        assert_eq!(row.unknown_reason.as_deref(), Some("no unit"));
    }
}

/// As in CMS1017: a fall present on admission excludes from denominator and numerator.
#[test]
fn ratio_with_observations() {
    let mut group = group(Scoring::Ratio, "Encounter", &[IP, D, X, N, NX]);
    group.populations.push(observation(1, AggregateMethod::Sum));
    group
        .populations
        .push(observation(3, AggregateMethod::Count));
    let both = list("Encounter/1 Encounter/2");
    let days = |id: &str, n: i64| (Some(Arc::from(id)), Ok(Decimal::from(n).into()));
    let rows = rows(
        &group,
        &RawGroup {
            populations: vec![
                both.clone(),
                both.clone(),
                list("Encounter/1"),
                both,
                list("Encounter/1"),
                list(""),
                list(""),
            ],
            observations: vec![
                vec![days("Encounter/2", 0), days("Encounter/1", 7)],
                vec![days("Encounter/1", 1), days("Encounter/2", 1)],
            ],
            strata: vec![],
        },
    );
    // The numerator does not mind the denominator's exclusion.
    assert_eq!(counts(&rows), "2 2 1 2 1");
    let observed: Vec<_> = rows
        .iter()
        .filter(|r| matches!(r.kind, RowKind::Population(O, _)))
        .collect();
    let text: Vec<String> = observed
        .iter()
        .map(|r| {
            format!(
                "{} {} {:?}",
                r.kind.index(),
                r.basis_id.as_deref().unwrap(),
                r.value
            )
        })
        .collect();
    // Only the encounter that is not excluded; its zero is an observation.
    assert_eq!(
        text,
        ["5 Encounter/2 Decimal(0)", "6 Encounter/2 Decimal(1)"]
    );
}

#[test]
fn a_ratio_of_two_initial_populations() {
    let mut group = group(Scoring::Ratio, "boolean", &[IP, IP, D, N]);
    group.populations[2].reference = Some(PopulationIndex::new(0));
    group.populations[3].reference = Some(PopulationIndex::new(1));
    let of = |all: [Truth; 4]| counts(&rows(&group, &raw(all.map(truth).to_vec())));
    assert_eq!(of([T, F, T, T]), "1 0 1 0");
    assert_eq!(of([F, T, T, T]), "0 1 0 1");
}

#[test]
fn continuous_variable() {
    let mut group = group(Scoring::ContinuousVariable, "boolean", &[IP, M, MX]);
    group
        .populations
        .push(observation(1, AggregateMethod::Median));
    let of = |all: [Truth; 3], value: Option<Decimal>| {
        let raw = RawGroup {
            populations: all.map(truth).to_vec(),
            observations: vec![vec![(
                None,
                value.map(ObservationQuantity::from).ok_or("null".into()),
            )]],
            strata: vec![],
        };
        let rows = rows(&group, &raw);
        let value = rows.get(3).map(|r| (r.outcome, r.value.clone()));
        (counts(&rows[..3]), value)
    };
    let zero = Some(Decimal::ZERO);
    let seen = Some((T, Value::Decimal(Decimal::ZERO)));
    assert_eq!(of([T, T, F], zero), ("1 1 0".into(), seen));
    assert_eq!(
        of([T, T, F], None),
        ("1 1 0".into(), Some((U, Value::Null)))
    );
    assert_eq!(of([T, T, T], zero), ("1 1 1".into(), None));
    assert_eq!(of([T, F, T], zero), ("1 0 0".into(), None));
}

fn strata(rows: &[ResultRow]) -> Vec<String> {
    rows.iter()
        .filter(|r| r.stratifier.is_some())
        .map(|r| {
            let count = r.count.map_or("-".into(), |n| n.to_string());
            let stratum = r.stratum.as_deref().unwrap_or("?");
            format!("{} {stratum} {count}", r.kind)
        })
        .collect()
}

#[test]
fn strata_of_patients() {
    let mut definition = group(Scoring::Proportion, "boolean", &[IP, D, X, N]);
    definition.stratifiers = vec![stratifier(&[], &[IP, N])];
    let of = |all: [Truth; 4], stratum: RawStrata| {
        let raw = RawGroup {
            populations: all.map(truth).to_vec(),
            observations: vec![],
            strata: vec![stratum],
        };
        strata(&rows(&definition, &raw))
    };
    let yes = RawStrata::Criterion(truth(T));
    assert_eq!(
        of([T, T, F, T], yes.clone()),
        ["initial-population true 1", "numerator true 1"]
    );
    assert_eq!(of([T, T, T, T], yes.clone()), ["initial-population true 1"]);
    assert!(of([F, T, T, T], yes).is_empty());
    assert!(of([T, T, F, T], RawStrata::Criterion(truth(F))).is_empty());
    assert_eq!(
        of([T, T, F, F], RawStrata::Criterion(truth(U))),
        ["stratifier ? -"]
    );
    let values = RawStrata::Values(vec!["18-64".into()]);
    assert_eq!(
        of([T, F, F, F], values.clone()),
        ["initial-population 18-64 1"]
    );
    let crossed = RawStrata::Components(vec![values, RawStrata::Criterion(truth(F))]);
    assert_eq!(
        of([T, F, F, F], crossed),
        ["initial-population [\"18-64\",\"false\"] 1"]
    );
}

/// As in CMS1244: lists of encounters as strata.
#[test]
fn strata_of_resources() {
    let mut definition = group(Scoring::Proportion, "Encounter", &[IP, D, N]);
    definition.stratifiers = vec![stratifier(&[], &[]); 2];
    let three = list("E/1 E/2 E/3");
    let values = [("E/1", Some("a")), ("E/2", None), ("E/3", Some("a"))];
    let values = values.map(|(id, v)| (Arc::from(id), v.map(Into::into)));
    let raw = RawGroup {
        populations: vec![three.clone(), three, list("E/2 E/3")],
        observations: vec![],
        strata: vec![
            RawStrata::Criterion(list("E/3 E/2 E/7")),
            RawStrata::OfMembers(values.to_vec()),
        ],
    };
    assert_eq!(
        strata(&rows(&definition, &raw)),
        [
            "initial-population true 2",
            "denominator true 2",
            "numerator true 2",
            "stratifier ? -",
            "initial-population a 2",
            "denominator a 2",
            "numerator a 1",
        ]
    );
}

// Properties, over random criteria.

fn any_group(random: &mut Random) -> GroupDefinition {
    let basis = ["boolean", "Encounter"][random.below(2) as usize];
    match random.below(3) {
        0 => group(Scoring::Proportion, basis, &[IP, D, X, N, NX, E]),
        1 => group(Scoring::Ratio, basis, &[IP, D, X, N, NX]),
        _ => group(Scoring::ContinuousVariable, basis, &[IP, M, MX]),
    }
}

fn any_raw(random: &mut Random, group: &GroupDefinition, unknown: bool) -> Vec<Raw> {
    let boolean = group.basis == crate::package::Basis::Boolean;
    let mut one = |_| match (random.below(if unknown { 5 } else { 4 }), boolean) {
        (4, _) => Raw::Failed("f".into()),
        (n, true) => truth(if n % 2 == 0 { T } else { F }),
        (_, false) => {
            let bits = random.next() | random.next();
            let ids = (0..6).filter(|i| bits >> i & 1 == 1);
            Raw::Members(ids.map(|i| format!("Encounter/{i}").into()).collect())
        }
    };
    group.populations.iter().map(|_| one(())).collect()
}

#[test]
fn subsets_hold_and_order_does_not_matter() {
    let mut random = Random(7);
    for _ in 0..20_000 {
        let group = any_group(&mut random);
        let populations = any_raw(&mut random, &group, true);
        let first = rows(&group, &raw(populations.clone()));
        let at = |code| Some(group.position(code)?.position());
        let inside = |part, whole| {
            let (Some(part), Some(whole)) = (at(part), at(whole)) else {
                return;
            };
            let count = |p: usize| {
                first
                    .iter()
                    .find(|r| r.kind.index() as usize == p)
                    .unwrap()
                    .count
            };
            assert!(
                count(part).unwrap_or(0) <= count(whole).unwrap_or(0),
                "{first:#?}"
            );
            assert!(members(&first, part).is_subset(&members(&first, whole)));
        };
        inside(D, IP);
        inside(X, D);
        inside(N, IP);
        inside(NX, N);
        inside(E, D);
        inside(M, IP);
        inside(MX, M);
        if group.scoring == Scoring::Proportion {
            inside(N, D);
            for (a, b) in [(N, X), (N, E), (X, E)] {
                let (a, b) = (
                    members(&first, at(a).unwrap()),
                    members(&first, at(b).unwrap()),
                );
                assert!(a.is_disjoint(&b));
            }
        }
        let shuffled = populations.into_iter().map(|raw| match raw {
            Raw::Members(mut ids) => {
                for i in (1..ids.len()).rev() {
                    ids.swap(i, random.below(i as u64 + 1) as usize);
                }
                ids.extend(ids.clone());
                Raw::Members(ids)
            }
            other => other,
        });
        assert_eq!(rows(&group, &raw(shuffled.collect())), first);
    }
}

/// Whatever is certain stays so when the unknown is decided, one way or the other; and what is counted
/// is what it would be if all that is unknown were not met.
#[test]
fn certain_is_certain() {
    let mut random = Random(11);
    for _ in 0..20_000 {
        let group = any_group(&mut random);
        let populations = any_raw(&mut random, &group, true);
        let before = rows(&group, &raw(populations.clone()));
        let mut decide = |none: bool| {
            let known = any_raw(&mut random, &group, false);
            let pairs = populations.iter().zip(known);
            let decided = pairs.map(|(raw, known)| match (raw, none, &known) {
                (Raw::Failed(_), true, Raw::Members(_)) => list(""),
                (Raw::Failed(_), true, _) => truth(F),
                (Raw::Failed(_), false, _) => known,
                _ => raw.clone(),
            });
            rows(&group, &raw(decided.collect()))
        };
        let lowest = decide(true);
        let key = |r: &ResultRow| (r.kind.index(), r.basis_id.clone());
        let of = |rows: &[ResultRow]| -> BTreeMap<_, ResultRow> {
            rows.iter().map(|r| (key(r), r.clone())).collect()
        };
        let lowest = of(&lowest);
        for row in &before {
            let counted = lowest.get(&key(row)).and_then(|r| r.count).unwrap_or(0);
            assert_eq!(row.count.unwrap_or(0), counted, "{row:?}");
        }
        for _ in 0..4 {
            let after = of(&decide(false));
            for row in before.iter().filter(|r| r.outcome != U) {
                let outcome = after.get(&key(row)).map_or(F, |r| r.outcome);
                assert_eq!(outcome, row.outcome, "{row:?}");
            }
            // And whatever is there afterwards was there, or was not told apart before.
            let before = of(&before);
            for (key, row) in after.iter().filter(|(_, r)| r.outcome == T) {
                let known = before.get(key).map(|r| r.outcome);
                let whole = before.get(&(key.0, None)).map(|r| r.outcome);
                assert!(known == Some(T) || whole == Some(U), "{row:?}");
            }
        }
    }
}
