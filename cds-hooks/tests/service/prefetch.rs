//! What prefetch can look like, and what each of it means.

use serde_json::{Value, json};

use crate::expectation::Came::{self, Card, NoCard, Unknown};
use crate::expectation::{A1C, check, with, without};
use crate::fixture::{a1c, bundle, condition, post, request};

#[tokio::test]
async fn the_four_states_of_a_key() {
    check("as sent", &request(), Card).await;
    check(
        "null is: asked, and there is nothing",
        &with(A1C, Value::Null),
        Card,
    )
    .await;
    check(
        "so is an empty Bundle",
        &with("condition", bundle(&[])),
        NoCard,
    )
    .await;
    check("and null", &with("condition", Value::Null), NoCard).await;
    check(
        "absent is not tried",
        &without(A1C),
        Unknown("`observation-hba1c-lab` was not sent"),
    )
    .await;
    check(
        "also of the conditions",
        &without("condition"),
        Unknown("`condition` was not sent"),
    )
    .await;
    check(
        "there is always a patient",
        &with("patient", Value::Null),
        Unknown("without a patient"),
    )
    .await;
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]});
    check(
        "an error",
        &with(A1C, outcome.clone()),
        Unknown("`observation-hba1c-lab` failed"),
    )
    .await;
    check(
        "for the patient",
        &with("patient", outcome),
        Unknown("`patient` holds an OperationOutcome: the read of the resource failed"),
    )
    .await;
    let mut none = request();
    none.as_object_mut().unwrap().remove("prefetch");
    check(
        "no prefetch at all",
        &none,
        Unknown("`patient` was not sent"),
    )
    .await;
}

#[tokio::test]
async fn what_is_missing_counts_only_where_it_could_decide() {
    // A child: neither conditions nor observations matter.
    let mut child = without("condition");
    child["prefetch"]["patient"]["birthDate"] = json!("2020-01-01");
    check("a child", &child, NoCard).await;
    let mut healthy = without(A1C);
    healthy["prefetch"]["condition"] = bundle(&[]);
    check("no diabetes", &healthy, NoCard).await;
}

#[tokio::test]
async fn unknown_with_all_data_is_silence_or_a_card() {
    let mut request = request();
    request["prefetch"]["patient"]
        .as_object_mut()
        .unwrap()
        .remove("birthDate");
    assert_eq!(post("a1c", &request).await.text, r#"{"cards":[]}"#);
    let card = post("a1c-or-say", &request).await.cards()[0].clone();
    let detail = card["detail"].as_str().unwrap();
    let plain = "Could not be checked: the date of birth of the patient is not available.\n";
    assert!(detail.starts_with(plain), "{detail}");
    let why = &card["extension"]["dev.tandem-cds.could-not-check"];
    assert_eq!(
        why,
        &json!({"reason": "Patient.birthDate is not available"})
    );
}

#[tokio::test]
async fn outcomes_among_results() {
    let entry = |severity: &str, code: &str| {
        let issue = json!([{"severity": severity, "code": code}]);
        let outcome = json!({"resourceType": "OperationOutcome", "issue": issue});
        let mut bundle = bundle(&[]);
        bundle["entry"] = json!([{"resource": outcome, "search": {"mode": "outcome"}}]);
        bundle
    };
    check(
        "a remark",
        &with(A1C, entry("information", "informational")),
        Card,
    )
    .await;
    check(
        "a warning",
        &with(A1C, entry("warning", "not-supported")),
        Card,
    )
    .await;
    for (severity, code) in [
        ("error", "processing"),
        ("fatal", "exception"),
        ("information", "suppressed"),
        ("warning", "incomplete"),
    ] {
        check(
            code,
            &with(A1C, entry(severity, code)),
            Unknown("failed or was incomplete"),
        )
        .await;
    }
    let mut bare = bundle(&[]);
    bare["entry"] = json!([{"resource": {"resourceType": "OperationOutcome"}}]);
    check(
        "without issues",
        &with(A1C, bare),
        Unknown("failed or was incomplete"),
    )
    .await;
}

#[tokio::test]
async fn the_first_page_is_not_the_whole() {
    let mut paged = bundle(&[]);
    paged["link"] = json!([{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]);
    check("next", &with(A1C, paged), Unknown("has further pages")).await;
    let mut more = bundle(&[a1c("o1", "p1")]);
    more["total"] = json!(2);
    check(
        "total",
        &with(A1C, more.clone()),
        Unknown("has further pages"),
    )
    .await;
    more["total"] = json!(1);
    check("all of them", &with(A1C, more), NoCard).await;
    let mut own = bundle(&[]);
    own["link"] = json!([{"relation": "self", "url": "x"}]);
    check("self", &with(A1C, own), Card).await;
}

#[tokio::test]
async fn broken_entries_are_left_out_and_said() {
    let broken = [
        json!({"fullUrl": "urn:uuid:1"}),
        json!("text"),
        json!({"resource": null}),
        json!({"resource": []}),
        json!({"resource": {"id": "x"}}),
        json!({"resource": {"resourceType": "Observatoin", "id": "x"}}),
        json!({"resource": {"resourceType": "Observation", "id": "x", "code": "4548-4",
            "subject": {"reference": "Patient/p1"}}}),
    ];
    for entry in broken {
        let mut bundle = bundle(&[]);
        bundle["entry"] = json!([entry]);
        check(
            &entry.to_string(),
            &with(A1C, bundle),
            Unknown("1 × a resource that is not valid FHIR R4"),
        )
        .await;
    }
    let wrong = [
        json!("text"),
        json!(7),
        json!([]),
        json!({}),
        a1c("o1", "p1"),
        json!({"resourceType": "Bundle", "type": "searchset", "entry": {}}),
        json!({"resourceType": "Bundle", "type": "transaction-response"}),
    ];
    for value in wrong {
        check(
            &value.to_string(),
            &with(A1C, value.clone()),
            Unknown("is not the FHIR data"),
        )
        .await;
    }
    let astray = with("patient", a1c("o1", "p1"));
    check("another type", &astray, Unknown("is not the FHIR data")).await;
    // A property twice is valid JSON for most readers, but not FHIR.
    let text = serde_json::to_string(&request()).unwrap();
    let text = text.replace(r#""birthDate""#, r#""birthDate":"2020-01-01","birthDate""#);
    let answer = crate::fixture::post_bytes("a1c", text.into_bytes()).await;
    assert_eq!(answer.status, 412);
    assert!(
        answer.text.contains("`patient` is not the FHIR data"),
        "{}",
        answer.text
    );
}

/// A member of the wrong structure could say anything: what is under the key is not taken as all there is.
#[tokio::test]
async fn a_bundle_of_the_wrong_structure_is_never_complete() {
    const NOT_FHIR: Came = Unknown("is not the FHIR data");
    const MORE: Came = Unknown("has further pages");
    let with_member = |name: &str, value: &Value| {
        let mut bundle = bundle(&[]);
        bundle[name] = value.clone();
        with(A1C, bundle)
    };
    // Numbers as text, since 1e0 and 1.0 are read as numbers elsewhere.
    for total in [
        "\"0\"", "\"\"", "0.0", "0.5", "1e30", "0e0", "-1", "-0", "null", "true", "[]", "[0]", "{}",
    ] {
        let text = with_member("total", &json!(0)).to_string();
        let text = text.replace(r#""total":0"#, &format!(r#""total":{total}"#));
        let answer = crate::fixture::post_bytes("a1c", text.into_bytes()).await;
        assert_eq!(answer.status, 412, "{total}: {}", answer.text);
        assert!(
            answer.text.contains("is not the FHIR data"),
            "{}",
            answer.text
        );
    }
    for total in [
        "1",
        "2147483648",
        "18446744073709551616",
        "99999999999999999999999999",
    ] {
        let text = with_member("total", &json!(0)).to_string();
        let text = text.replace(r#""total":0"#, &format!(r#""total":{total}"#));
        let answer = crate::fixture::post_bytes("a1c", text.into_bytes()).await;
        assert!(
            answer.text.contains("has further pages"),
            "{total}: {}",
            answer.text
        );
    }
    for link in [
        json!("next"),
        json!({"relation": "next", "url": "x"}),
        json!(null),
        json!(7),
        json!(["next"]),
        json!([null]),
        json!([["next"]]),
        json!([{}]),
        json!([{"url": "x"}]),
        json!([{"relation": null, "url": "x"}]),
        json!([{"relation": ["next"], "url": "x"}]),
        json!([{"relation": "", "url": "x"}]),
        json!([{"relation": "self"}]),
        json!([{"relation": "self", "url": null}]),
        json!([{"relation": "self", "url": ""}]),
        json!([{"relation": "self", "url": "x"}, {"rel": "next", "href": "y"}]),
    ] {
        check(&link.to_string(), &with_member("link", &link), NOT_FHIR).await;
    }
    for relation in [
        "Next",
        "NEXT",
        " next ",
        "next\n",
        "previous",
        "prev",
        "http://www.iana.org/assignments/relation/next",
        "urn:next",
        "nextPage",
        "next-page",
        "\"next\"",
        "self next",
        "next self",
        "next\u{200b}",
        "ne\u{ad}xt",
        "rel=next",
        "next/",
    ] {
        let link = json!([{"relation": "self", "url": "x"}, {"relation": relation, "url": "y"}]);
        check(relation, &with_member("link", &link), MORE).await;
    }
    for entry in [
        json!({}),
        json!(null),
        json!("x"),
        json!({"resource": a1c("o1", "p1")}),
    ] {
        check(&entry.to_string(), &with_member("entry", &entry), NOT_FHIR).await;
    }
    for ty in [
        json!(null),
        json!(7),
        json!(["searchset"]),
        json!("Searchset"),
        json!({}),
    ] {
        check(&ty.to_string(), &with_member("type", &ty), NOT_FHIR).await;
    }
    for entry in [
        json!([null]),
        json!([[]]),
        json!([{}]),
        json!([{"resource": "x"}]),
    ] {
        let broken = Unknown("1 × a resource that is not valid FHIR R4");
        check(&entry.to_string(), &with_member("entry", &entry), broken).await;
    }
}

/// Duplicate members: which one counts differs from reader to reader.
#[tokio::test]
async fn a_member_that_occurs_twice_is_not_chosen_from() {
    let text = with(
        A1C,
        json!({"resourceType": "Bundle", "type": "searchset", "total": 0}),
    )
    .to_string();
    for twice in [
        r#""total":0,"total":5"#,
        r#""total":5,"total":0"#,
        r#""total":0,"\u0074otal":5"#,
        r#""total":0,"entry":[],"entry":[]"#,
        r#""total":0,"link":[],"link":[]"#,
        r#""total":0,"resourceType":"Bundle""#,
    ] {
        let text = text.replace(r#""total":0"#, twice);
        let answer = crate::fixture::post_bytes("a1c", text.into_bytes()).await;
        assert_eq!(answer.status, 412, "{twice}: {}", answer.text);
        assert!(
            answer.text.contains("is not the FHIR data"),
            "{}",
            answer.text
        );
    }
    let text = request()
        .to_string()
        .replace(r#""prefetch""#, r#""prefetch":{},"prefetch""#);
    assert_eq!(
        crate::fixture::post_bytes("a1c", text.into_bytes())
            .await
            .status,
        400
    );
}

/// What FHIR allows still works.
#[tokio::test]
async fn totals_count_matches_each_once() {
    let found = |resources: &[Value], total: u64| {
        let mut bundle = bundle(resources);
        bundle["total"] = json!(total);
        bundle
    };
    let (one, two) = (a1c("o1", "p1"), a1c("o2", "p1"));
    let both = [one.clone(), two.clone()];
    check("none", &with(A1C, found(&[], 0)), Card).await;
    check("both", &with(A1C, found(&both, 2)), NoCard).await;
    let twice = [one.clone(), one.clone()];
    check("one twice", &with(A1C, found(&twice, 1)), NoCard).await;
    check(
        "one twice for two",
        &with(A1C, found(&twice, 2)),
        Unknown("further pages"),
    )
    .await;
    for total in [0, 1] {
        let less = Unknown("has more results than its `total` says");
        check(
            "fewer than there are",
            &with(A1C, found(&both, total)),
            less,
        )
        .await;
    }
    // Included resources and remarks are no matches.
    let mut included = found(&[one.clone(), crate::fixture::patient()], 1);
    included["entry"][1]["search"] = json!({"mode": "include"});
    let remark = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]});
    let outcome = json!({"resource": remark, "search": {"mode": "outcome"}});
    included["entry"].as_array_mut().unwrap().push(outcome);
    check("included", &with(A1C, included.clone()), NoCard).await;
    included["entry"][1]["search"]["score"] = json!(0.5);
    included["entry"][0]["search"] = json!({"mode": "match"});
    included["link"] = json!([{"relation": "self", "url": "x"}, {"relation": "first", "url": "y"}]);
    check("with links", &with(A1C, included), NoCard).await;
    let mut empty = bundle(&[]);
    empty["link"] = json!([]);
    check("no links", &with(A1C, empty), Card).await;
}

#[tokio::test]
async fn a_search_mode_that_is_none_or_belongs_to_another_entry() {
    for search in [
        json!({"mode": "outcome"}),
        json!({"mode": "Match"}),
        json!({"mode": null}),
        json!({"mode": ["match"]}),
        json!("match"),
        json!([]),
    ] {
        let mut found = bundle(&[a1c("o1", "p1")]);
        found["entry"][0]["search"] = search.clone();
        let not_fhir = Unknown("is not the FHIR data");
        check(&search.to_string(), &with(A1C, found), not_fhir).await;
    }
}

#[tokio::test]
async fn an_outcome_that_does_not_say_that_all_is_well() {
    for issue in [
        json!([]),
        json!(null),
        json!({}),
        json!({"severity": "information", "code": "informational"}),
        json!("none"),
        json!([null]),
        json!([{}]),
        json!([{"severity": "information"}]),
        json!([{"severity": "Information", "code": "informational"}]),
        json!([{"severity": ["information"], "code": "informational"}]),
        json!([{"severity": "information", "code": "some-new-code"}]),
        json!([{"severity": "warning", "code": "login"}]),
        json!([{"severity": "warning", "code": "lock-error"}]),
        json!([{"severity": "information", "code": "informational"}, {"severity": "error", "code": "processing"}]),
    ] {
        let mut found = bundle(&[]);
        let outcome = json!({"resourceType": "OperationOutcome", "issue": issue});
        found["entry"] = json!([{"resource": outcome}]);
        let failed = Unknown("failed or was incomplete");
        check(&issue.to_string(), &with(A1C, found), failed).await;
    }
}

/// FHIR R4 §3.1.1.5.8.
#[tokio::test]
async fn a_resource_of_which_a_part_was_sent() {
    let tag = json!([{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}]);
    let mut part = a1c("o1", "p1");
    part["meta"] = json!({ "tag": tag });
    let partial = Unknown("of which only a part was sent");
    check("a resource", &with(A1C, bundle(&[part])), partial).await;
    let mut whole = bundle(&[a1c("o1", "p1")]);
    whole["meta"] = json!({ "tag": tag });
    let partial = Unknown("of which only a part was sent");
    check("the Bundle", &with(A1C, whole), partial).await;
    let mut patient = crate::fixture::patient();
    patient["meta"] = json!({ "tag": tag });
    let partial = Unknown("of which only a part was sent");
    check("the patient", &with("patient", patient), partial).await;
}

/// In what has not the structure of FHIR the tag could hide.
#[tokio::test]
async fn a_tag_of_the_wrong_structure_may_say_that_it_is_a_part() {
    for meta in [
        json!([{"tag": [{"code": "SUBSETTED"}]}]),
        json!("SUBSETTED"),
        json!(null),
        json!(7),
        json!({"tag": "SUBSETTED"}),
        json!({"tag": null}),
        json!({"tag": ["SUBSETTED"]}),
        json!({"tag": [null]}),
        json!({"tag": [[{"code": "SUBSETTED"}]]}),
        json!({"tag": [{"code": ["SUBSETTED"]}]}),
        json!({"tag": [{"code": {"value": "SUBSETTED"}}]}),
        json!({"tag": [{"code": null}]}),
        json!({"tag": {"code": "SUBSETTED"}}),
        json!({"tag": [{"code": "subsetted"}]}),
        json!({"tag": [{"code": " SUBSETTED\u{200b}"}]}),
    ] {
        const PARTIAL: Came = Unknown("of which only a part was sent");
        let mut part = a1c("o1", "p1");
        part["meta"] = meta.clone();
        check(&meta.to_string(), &with(A1C, bundle(&[part])), PARTIAL).await;
        let mut whole = bundle(&[]);
        whole["meta"] = meta.clone();
        check(&meta.to_string(), &with(A1C, whole), PARTIAL).await;
        let mut patient = crate::fixture::patient();
        patient["meta"] = meta.clone();
        check(&meta.to_string(), &with("patient", patient), PARTIAL).await;
    }
    let mut plain = a1c("o1", "p1");
    plain["meta"] =
        json!({"versionId": "1", "tag": [{"system": "s", "code": "c"}, {"display": "x"}]});
    check("other tags", &with(A1C, bundle(&[plain])), NoCard).await;
}

/// What is not the type that was asked for would be passed over, whatever is in it.
#[tokio::test]
async fn results_of_another_type_make_the_type_unknown() {
    const OTHER: Came = Unknown("has results of another type than was asked for");
    let within = bundle(&[a1c("o1", "p1")]);
    let parameters = json!({"resourceType": "Parameters", "parameter": [{"name": "x", "resource": a1c("o1", "p1")}]});
    let organization = json!({"resourceType": "Organization", "id": "g"});
    for resource in [&within, &parameters, &organization, &condition("c1", "p1")] {
        let astray = bundle(std::slice::from_ref(resource));
        check(&resource.to_string(), &with(A1C, astray), OTHER).await;
    }
    let included = |resource: &Value| {
        let mut found = bundle(std::slice::from_ref(resource));
        found["entry"][0]["search"] = json!({"mode": "include"});
        with(A1C, found)
    };
    check("included", &included(&organization), Card).await;
    check("within", &included(&within), OTHER).await;
    check("parameters", &included(&parameters), OTHER).await;
}

/// Each is left out: it must not count as "another code".
#[tokio::test]
async fn primitives_of_another_kind_are_no_fhir() {
    for code in [
        json!({"coding": [{"system": "http://loinc.org", "code": 4548}]}),
        json!({"coding": [{"system": "http://loinc.org", "code": ["4548-4"]}]}),
    ] {
        let mut observation = a1c("o1", "p1");
        observation["code"] = code.clone();
        let unknown = Unknown(
            "1 × a resource that is not valid FHIR R4: `observation-hba1c-lab` entry[0] Observation: `code",
        );
        check(
            &code.to_string(),
            &with(A1C, bundle(&[observation])),
            unknown,
        )
        .await;
    }
}

/// Without a code it may be any, also the one asked for.
#[tokio::test]
async fn an_empty_code_is_not_another_code() {
    for code in [
        json!({"coding": [{}]}),
        json!({"coding": []}),
        json!({"coding": [{"system": "http://loinc.org", "code": ""}], "text": "a"}),
        json!({}),
        json!([]),
        json!(null),
    ] {
        let mut observation = a1c("o1", "p1");
        observation["code"] = code.clone();
        let unknown = Unknown(
            "1 × a resource of which it cannot be told what it is: `observation-hba1c-lab` entry[0] Observation: `code` has no code",
        );
        let sent = with(A1C, bundle(&[observation.clone()]));
        check(&code.to_string(), &sent, unknown).await;
        let sent = with(A1C, bundle(&[observation, a1c("o2", "p1")]));
        check(&code.to_string(), &sent, Unknown("has no code")).await;
    }
}

/// One bad member is no reason to lose the patient, or a result.
#[tokio::test]
async fn what_can_be_read_is_read() {
    for (member, value) in [
        ("name", json!([])),
        ("name", json!("Doe")),
        ("name", json!([null, {"family": "", "given": [null]}])),
        ("telecom", json!([{}])),
        ("address", json!({"line": [null]})),
        ("gender", json!("")),
        ("maritalStatus", json!({"coding": [{}]})),
        ("active", json!("true")),
        ("photo", json!(null)),
        ("deceasedDateTime", json!(null)),
        ("contact", json!([{"name": []}])),
    ] {
        let mut patient = crate::fixture::patient();
        patient[member] = value.clone();
        check(
            &format!("{member}: {value}"),
            &with("patient", patient),
            Card,
        )
        .await;
    }
    for (member, value) in [
        ("note", json!([])),
        ("note", json!("high")),
        ("category", json!([{}])),
        ("interpretation", json!("H")),
        ("performer", json!([null])),
        ("effectiveDateTime", json!("")),
        ("valueQuantity", json!({"value": "7"})),
        ("referenceRange", json!([])),
    ] {
        let mut observation = a1c("o1", "p1");
        observation[member] = value.clone();
        check(
            &format!("{member}: {value}"),
            &with(A1C, bundle(&[observation])),
            NoCard,
        )
        .await;
    }
    // What the rule asks for is unknown, not another value.
    let mut patient = crate::fixture::patient();
    patient["birthDate"] = json!(1960);
    let request = with("patient", patient);
    let answer = crate::fixture::post("a1c-or-say", &request).await;
    let text = answer.text.as_str();
    assert!(text.contains("Could not check"), "{text}");
    assert!(
        text.contains("`birthDate` is a number where R4 has a text"),
        "{text}"
    );
}

/// What was left out is named by its place, never by an id or a value.
#[tokio::test]
async fn what_was_left_out_is_named() {
    for (member, wrong, said) in [
        ("status", json!("Final"), "`status` is no code of R4"),
        (
            "code",
            json!({"coding": [{"code": 7}]}),
            "`code.coding.code` is a number where R4 has a text",
        ),
        (
            "code",
            json!("7"),
            "`code` is a text where R4 has an object",
        ),
        (
            "component",
            json!(["7"]),
            "`component` is a text where R4 has an object",
        ),
    ] {
        let mut observation = a1c("o2", "p1");
        observation[member] = wrong;
        let found = bundle(&[a1c("o1", "p1"), observation]);
        let place = "left out: 1 × a resource that is not valid FHIR R4: `observation-hba1c-lab` entry[1] Observation: ";
        let said: &'static str = format!("{place}{said}").leak();
        check(said, &with(A1C, found), Unknown(said)).await;
    }
    let many: Vec<Value> = (0..8).map(|n| a1c(&format!("o{n}"), "p2")).collect();
    let more = Unknown("entry[4] Observation; 3 more");
    check("many", &with(A1C, bundle(&many)), more).await;
    let nothing = with(
        A1C,
        json!({"resourceType": "Bundle", "type": "searchset", "entry": [{}]}),
    );
    check(
        "nothing",
        &nothing,
        Unknown("entry[0]: there is no `resource`"),
    )
    .await;
}

#[tokio::test]
async fn entries_are_bounded() {
    let mut found = bundle(&[]);
    found["entry"] = json!(vec![json!({}); 100_001]);
    let many = Unknown("has more than 100000 entries");
    check("many", &with(A1C, found), many).await;
}
