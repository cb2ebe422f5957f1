use std::sync::Arc;

use engine_patient::requirements::{CodeFilter, DataRequirement};
use engine_patient::terminology::{Code, ValueSet};

use super::*;

fn set(name: &str, codes: usize) -> Arc<ValueSet> {
    let codes = (1..=codes)
        .map(|n| Code::new("http://loinc.org", &format!("{n:02}-4")))
        .collect();
    Arc::new(ValueSet::from_codes(
        &format!("http://x.org/ValueSet/{name}"),
        None,
        codes,
        "test",
    ))
}

fn coded(ty: &str, set: &Arc<ValueSet>) -> DataRequirement {
    DataRequirement::coded(ty, Arc::clone(set)).unwrap()
}

fn of_type(ty: &str) -> DataRequirement {
    DataRequirement::of_type(ty).unwrap()
}

/// Keys and queries after that of the patient.
fn templates(requirements: &[DataRequirement]) -> Vec<(String, String)> {
    let all = Templates::of(requirements).list;
    assert_eq!(all[0].query, "Patient/{{context.patientId}}");
    all.into_iter().skip(1).map(|t| (t.key, t.query)).collect()
}

fn pair(key: &str, query: &str) -> (String, String) {
    (
        key.to_owned(),
        query.replace("{p}", "{{context.patientId}}"),
    )
}

#[test]
fn reads_the_patient_and_spells_small_value_sets_out() {
    let a1c = set("hba1c-lab", 2);
    let wanted = [
        of_type("Patient"),
        coded("Observation", &a1c),
        of_type("Encounter"),
    ];
    assert_eq!(
        templates(&wanted),
        [
            pair(
                "observation-hba1c-lab",
                "Observation?patient={p}&code=http://loinc.org|01-4,http://loinc.org|02-4"
            ),
            pair("encounter", "Encounter?patient={p}"),
        ]
    );
    let visits = [
        coded("Encounter", &a1c),
        coded("Immunization", &a1c),
        coded("Goal", &a1c),
    ];
    let queries: Vec<_> = templates(&visits).into_iter().map(|(_, q)| q).collect();
    assert!(queries[0].contains("&type=http://loinc.org|01-4,"));
    assert!(queries[1].contains("&vaccine-code="));
    assert!(queries[2].contains("&category="));
}

#[test]
fn thirty_codes_are_spelled_and_thirty_one_ask_for_the_whole_type() {
    let (thirty, more) = (set("thirty", 30), set("more", 31));
    let spelled = templates(&[coded("Condition", &thirty)]);
    assert_eq!(spelled[0].1.matches("loinc").count(), 30);
    assert_eq!(
        templates(&[coded("Condition", &more)]),
        [pair("condition", "Condition?patient={p}")]
    );
    // A list that would make too long a URL, too.
    let long: Vec<_> = (0..20)
        .map(|n| Code::new(&"u".repeat(100), &n.to_string()))
        .collect();
    let long = Arc::new(ValueSet::from_codes(
        "http://x.org/long",
        None,
        long,
        "test",
    ));
    assert_eq!(templates(&[coded("Condition", &long)])[0].0, "condition");
}

#[test]
fn equal_and_covered_queries_are_asked_once() {
    let (small, large) = (set("small", 2), set("large", 40));
    let same = [coded("Condition", &small), coded("Condition", &small)];
    assert_eq!(templates(&same).len(), 1);
    let copy = set("copy", 2);
    assert_eq!(
        templates(&[coded("Condition", &small), coded("Condition", &copy)]).len(),
        1
    );
    let reversed = [coded("Condition", &large), coded("Condition", &small)];
    assert_eq!(
        templates(&reversed),
        [pair("condition", "Condition?patient={p}")]
    );
    let covered = [coded("Condition", &small), coded("Condition", &large)];
    assert_eq!(
        templates(&covered),
        [pair("condition", "Condition?patient={p}")]
    );
    let patients = [of_type("Patient"), of_type("Patient")];
    assert_eq!(templates(&patients).len(), 0);
}

#[test]
fn value_sets_of_a_type_share_a_query_up_to_thirty_codes() {
    let numbered = |name: &str, from: usize, to: usize| {
        let codes = (from..to).map(|n| Code::new("http://loinc.org", &format!("{n:02}")));
        let url = format!("http://x.org/ValueSet/{name}");
        Arc::new(ValueSet::from_codes(&url, None, codes.collect(), "test"))
    };
    let (a, b, c) = (
        numbered("a", 0, 20),
        numbered("b", 10, 30),
        numbered("c", 40, 41),
    );
    let shared = templates(&[
        coded("Procedure", &a),
        coded("Condition", &c),
        coded("Procedure", &b),
    ]);
    let keys: Vec<_> = shared.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["procedure-codes", "condition-c"]);
    assert_eq!(shared[0].1.matches("loinc").count(), 30);
    let apart = templates(&[
        coded("Procedure", &a),
        coded("Procedure", &numbered("b", 20, 31)),
    ]);
    let keys: Vec<_> = apart.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["procedure-a", "procedure-b"]);
}

#[test]
fn keys_stay_apart_and_values_cannot_break_out_of_the_query() {
    let set = |url: &str, system: &str| {
        let codes = (0..20).map(|n| Code::new(system, &format!("x,y|z & #{n}{{{{")));
        Arc::new(ValueSet::from_codes(url, None, codes.collect(), "test"))
    };
    let first = set("http://a.org/ValueSet/S", "http://a.org");
    let second = set("http://b.org/ValueSet/S", "");
    let both = templates(&[coded("Condition", &first), coded("Condition", &second)]);
    assert_eq!(
        (both[0].0.as_str(), both[1].0.as_str()),
        ("condition-s", "condition-s-2")
    );
    let start = "Condition?patient={{context.patientId}}&code=";
    let one = "http://a.org|x%5C%2Cy%5C%7Cz%20%26%20%230%7B%7B,";
    assert!(
        both[0].1.starts_with(&format!("{start}{one}")),
        "{}",
        both[0].1
    );
    let plain = one.replace("http://a.org", "");
    assert!(
        both[1].1.starts_with(&format!("{start}{plain}")),
        "{}",
        both[1].1
    );
}

#[test]
fn what_a_search_by_code_would_miss_is_asked_for_whole() {
    let drugs = set("drugs", 2);
    let medication = templates(&[coded("MedicationRequest", &drugs)]);
    assert_eq!(
        medication,
        [pair(
            "medicationrequest",
            "MedicationRequest?patient={p}&_include=MedicationRequest:medication"
        )]
    );
    let mut filtered = of_type("Observation");
    filtered.codes = Some(CodeFilter {
        path: "category",
        value_set: Arc::clone(&drugs),
    });
    assert_eq!(
        templates(&[filtered]),
        [pair("observation", "Observation?patient={p}")]
    );
}

#[test]
fn nothing_is_asked_for_an_empty_value_set_and_what_is_out_of_reach_is_said() {
    let none = Templates::of(&[coded("Condition", &set("none", 0)), of_type("Medication")]);
    assert_eq!(none.list.len(), 1);
    assert_eq!(
        none.out_of_reach
            .iter()
            .map(|t| t.as_str())
            .collect::<Vec<_>>(),
        ["Medication"]
    );
    assert_eq!(
        templates(&[of_type("AdverseEvent")]),
        [pair("adverseevent", "AdverseEvent?subject=Patient/{p}")]
    );
    let definition = Templates::of(&[of_type("Library")]);
    assert_eq!(definition.out_of_reach.len(), 1);
}

#[test]
fn what_belongs_to_nobody_comes_along_with_all_that_refer_to_it() {
    let wanted = [
        of_type("Encounter"),
        coded("Condition", &set("small", 2)),
        of_type("Practitioner"),
        of_type("Organization"),
    ];
    let all = Templates::of(&wanted);
    assert!(all.out_of_reach.is_empty());
    let queries: Vec<&str> = all.list.iter().map(|t| t.query.as_str()).collect();
    let patient = "Encounter?patient={{context.patientId}}";
    assert_eq!(
        queries[1],
        format!(
            "{patient}&_include=Encounter:participant:Practitioner&_include=Encounter:service-provider"
        )
    );
    assert!(
        queries[2].ends_with("02-4&_include=Condition:asserter:Practitioner"),
        "{}",
        queries[2]
    );
}
