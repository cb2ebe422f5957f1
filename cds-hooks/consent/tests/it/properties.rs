//! What must hold of all Consents: made up by chance, the same chances every time.

use std::collections::BTreeSet;

use consent::{Precedence, Request, Settings};
use engine_patient::record::PatientRecord;
use serde_json::{Value, json};

use crate::fixture::{for_purpose, labelled_chart, policy, treatment};

/// Numbers by chance (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn often(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

fn criteria(chance: &mut Chance, provision: &mut Value) {
    let types = "http://hl7.org/fhir/resource-types";
    if chance.often(30) {
        let ty = chance.one(&["Condition", "Observation", "MedicationRequest", "Widget"]);
        provision["class"] = json!([{"system": types, "code": ty}]);
    }
    if chance.often(20) {
        let code = chance.one(&["TREAT", "ETREAT", "HRESCH", "OWN"]);
        provision["purpose"] = json!([{"code": code}]);
    }
    if chance.often(20) {
        let who = chance.one(&[
            "Practitioner/doc",
            "Practitioner/x",
            "Organization/here",
            "Group/g",
        ]);
        let role = chance.one(&["PRCP", "AUT", "CST", "XYZ"]);
        provision["actor"] =
            json!([{"role": {"coding": [{"code": role}]}, "reference": {"reference": who}}]);
    }
    if chance.often(15) {
        let code = chance.one(&["R", "PSY", "HIV", "N", "own"]);
        provision["securityLabel"] = json!([{"code": code}]);
    }
    if chance.often(15) {
        let period = [
            json!({"start": "2026"}),
            json!({"end": "2020"}),
            json!({"start": "?"}),
        ];
        let which = chance.below(3);
        let name = chance.one(&["period", "dataPeriod"]);
        provision[name] = period[which].clone();
    }
    if chance.often(10) {
        provision["code"] =
            json!([{"coding": [{"system": "http://loinc.org", "code": chance.one(&["1", "2"])}]}]);
    }
    if chance.often(5) {
        provision["unknown"] = json!(1);
    }
}

fn provision(chance: &mut Chance, depth: usize) -> Value {
    let mut made = json!({});
    if chance.often(90) {
        made["type"] = json!(chance.one(&["permit", "deny"]));
    }
    criteria(chance, &mut made);
    if depth < 3 && chance.often(60) {
        let inner: Vec<Value> = (0..=chance.below(2))
            .map(|_| provision(chance, depth + 1))
            .collect();
        made["provision"] = json!(inner);
    }
    made
}

fn made(chance: &mut Chance, id: usize) -> Value {
    let mut consent = json!({
        "resourceType": "Consent", "id": format!("c{id}"), "status": "active",
        "patient": {"reference": "Patient/1"},
        "scope": {"coding": [{"code": chance.one(&["patient-privacy", "patient-privacy", "research", "?"])}]},
        "dateTime": chance.one(&["2019", "2020-05-05", "2021-01-01T10:00:00Z", "?"]),
    });
    if chance.often(70) {
        let policy = chance.one(&["OPTIN", "OPTOUT", "EMRGONLY", "NOPP", "own"]);
        consent["policyRule"] = json!({"coding": [{"code": policy}]});
    }
    if chance.often(80) {
        consent["provision"] = provision(chance, 0);
    }
    consent
}

/// The places in a tree of provisions.
fn places(provision: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    for (number, inner) in provision["provision"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        places(inner, &format!("{path}/provision/{number}"), found);
    }
}

/// A denial without exceptions.
fn denial(chance: &mut Chance) -> Value {
    let mut made = json!({"type": "deny"});
    criteria(chance, &mut made);
    made
}

/// Adds a denial: a Consent of its own, or an exception somewhere.
fn with_denial(chance: &mut Chance, consents: &[Value]) -> Vec<Value> {
    let mut more = consents.to_vec();
    let which = chance.below(more.len());
    let mut found = vec![];
    let one = &mut more[which];
    if one.get("provision").is_some() {
        places(&one["provision"], "/provision", &mut found);
    }
    let denial = denial(chance);
    if found.is_empty() || chance.often(30) {
        // It says nothing of what it does not name.
        let number = more.len();
        let mut own = made(chance, number);
        own["scope"] = json!({"coding": [{"code": "patient-privacy"}]});
        own["policyRule"] = json!({"coding": [{"code": "NOPP"}]});
        own["provision"] = denial;
        more.push(own);
        return more;
    }
    let place = found[chance.below(found.len())].clone();
    let at = one.pointer_mut(&place).unwrap();
    match at["provision"].as_array_mut() {
        Some(all) => all.push(denial),
        None => at["provision"] = json!([denial]),
    }
    more
}

/// What is seen of a chart.
fn seen(
    consents: &[Value],
    settings: &Settings,
    request: &Request,
    chart: &PatientRecord,
) -> BTreeSet<String> {
    let consents: Vec<String> = consents.iter().map(ToString::to_string).collect();
    let filtered = policy(&consents, settings.clone()).filter(request, chart);
    let kept = filtered.record.as_ref().unwrap_or(chart);
    let name = |r: engine_patient::record::Element<'_>| {
        format!(
            "{}/{}",
            r.resource_type().unwrap().as_str(),
            r.get_str("id").unwrap()
        )
    };
    let all: BTreeSet<String> = kept.resources().map(name).collect();
    // Nothing is lost, and nothing of which something is withheld is known in full.
    assert_eq!(all.len() + filtered.count(), chart.len());
    for ty in filtered.withheld.keys() {
        assert!(!kept.is_available(*ty));
    }
    all
}

#[test]
fn one_more_denial_never_shows_more() {
    let chart = labelled_chart();
    let requests = [treatment(), for_purpose("ETREAT"), for_purpose("HRESCH")];
    let mut chance = Chance(12);
    let (mut fewer, mut all) = (0, 0);
    for round in 0..1_000 {
        let count = 1 + chance.below(3);
        let consents: Vec<Value> = (0..count).map(|id| made(&mut chance, id)).collect();
        let more = with_denial(&mut chance, &consents);
        let settings = Settings {
            precedence: [Precedence::MostRecent, Precedence::DenyOverrides][round % 2],
            ..Settings::default()
        };
        for request in &requests {
            let before = seen(&consents, &settings, request, &chart);
            let after = seen(&more, &settings, request, &chart);
            let shown: Vec<_> = after.difference(&before).collect();
            assert!(
                shown.is_empty(),
                "{shown:?} {request:?}\n{}\n{}",
                json!(consents),
                json!(more)
            );
            fewer += usize::from(after.len() < before.len());
            all += 1;
        }
    }
    // The test would notice: many denials do withhold something.
    assert!(fewer * 20 > all, "{fewer} of {all}");
}

#[test]
fn the_order_of_consents_and_of_exceptions_does_not_matter() {
    let chart = labelled_chart();
    let mut chance = Chance(7);
    for _ in 0..1_000 {
        let consents: Vec<Value> = (0..3).map(|id| made(&mut chance, id)).collect();
        let mut turned: Vec<Value> = consents.clone();
        turned.reverse();
        for one in &mut turned {
            turn(one);
        }
        let settings = Settings::default();
        let request = treatment();
        assert_eq!(
            seen(&consents, &settings, &request, &chart),
            seen(&turned, &settings, &request, &chart),
            "{}",
            json!(consents)
        );
    }
}

fn turn(value: &mut Value) {
    if let Some(inner) = value.get_mut("provision") {
        if let Some(all) = inner.as_array_mut() {
            all.reverse();
            all.iter_mut().for_each(turn);
        } else {
            turn(inner);
        }
    }
}

/// Who knows less of who asks sees no more.
#[test]
fn a_request_that_says_less_never_sees_more_where_consent_is_needed() {
    let chart = labelled_chart();
    let mut chance = Chance(99);
    for _ in 0..1_000 {
        let consents: Vec<Value> = (0..2).map(|id| made(&mut chance, id)).collect();
        let settings = Settings::default();
        let full = seen(&consents, &settings, &treatment(), &chart);
        let nobody = Request {
            user: None,
            organizations: vec![],
            devices: vec![],
            ..treatment()
        };
        let less = seen(&consents, &settings, &nobody, &chart);
        assert!(less.is_subset(&full), "{}", json!(consents));
    }
}
