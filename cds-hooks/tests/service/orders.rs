//! `order-select` and `order-sign`: drafts in whatever state they come.

use std::sync::Arc;

use axum::http::Method;
use cds_hooks::{
    Action, CardContent, CardService, Change, Config, Hook, Indicator, ORDER_SELECT, ORDER_SIGN,
    Outcome, Resource, SelectionBehavior, Source, Suggestion, Suggestions, router,
};
use engine_patient::context::EvaluationContext;
use engine_patient::program::EvaluationError;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::DataRequirement;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::conformance;
use crate::fixture::{Answer, config, http, logging, patient};

/// A card for each selected order of warfarin; one that has no code cannot be told.
struct Warfarin {
    hook: &'static Hook,
    is_shadow: bool,
    requirements: Vec<DataRequirement>,
}

impl Warfarin {
    fn at(hook: &'static Hook) -> Self {
        Warfarin {
            hook,
            is_shadow: false,
            requirements: vec![],
        }
    }
}

fn content(summary: &str) -> CardContent {
    let source = Source {
        label: "Label".into(),
        url: None,
        topic: None,
    };
    CardContent::text(Indicator::Critical, summary, "", source)
}

/// The code of an order, also where its Medication is among the drafts.
fn code<'r>(order: Element<'r>, drafts: &'r PatientRecord) -> Option<String> {
    let concept = order.get_named("medicationCodeableConcept").or_else(|| {
        let named = order
            .path(&["medicationReference", "reference"])?
            .as_str()?;
        let (ty, id) = named.split_once('/')?;
        let mut all = drafts.of_type_named(ty);
        let medication = all.find(|m| m.get_str("id").as_deref() == Some(id))?;
        medication.get_named("code")
    })?;
    let coding = concept.get_named("coding")?.items().next()?;
    Some(coding.get_str("code")?.into_owned())
}

impl CardService for Warfarin {
    fn id(&self) -> &str {
        "warfarin"
    }

    fn hook(&self) -> &'static Hook {
        self.hook
    }

    fn is_shadow(&self) -> bool {
        self.is_shadow
    }

    fn title(&self) -> &str {
        "Warfarin"
    }

    fn description(&self) -> &str {
        "Orders of warfarin."
    }

    fn requirements(&self) -> &[DataRequirement] {
        &self.requirements
    }

    fn decide(&self, _: &PatientRecord, context: &EvaluationContext) -> Outcome {
        let call = context.call.as_ref().unwrap();
        assert_eq!(call.hook.as_ref(), self.hook.name);
        assert_eq!(call.user.as_deref(), Some("Practitioner/d1"));
        let requests = engine_patient::fhir::names::Name::of("MedicationRequest").unwrap();
        let mut unknown =
            (!call.drafts.is_available(requests)).then_some("not every draft is there");
        let mut cards = vec![];
        for order in call.selected() {
            if order.resource_type() != Some(requests) {
                continue;
            }
            match code(order, &call.drafts).as_deref() {
                None => {
                    unknown.get_or_insert("a draft has no code");
                }
                Some("11289") => cards.push(warfarin(order)),
                Some("fails") => {
                    return Outcome::Failed(EvaluationError::Bug("a bug of ours at `x`".into()));
                }
                Some(_) => {}
            }
        }
        match unknown {
            None => Outcome::Cards(cards),
            Some(reason) => {
                cards.push(content("Orders could not be checked").could_not_check());
                Outcome::Unknown {
                    reason: Some(reason.to_owned()),
                    cards,
                }
            }
        }
    }
}

fn warfarin(order: Element<'_>) -> CardContent {
    let id = order.get_str("id").unwrap();
    let mut card = content("Warfarin is ordered");
    let suggestion = |label: &str, change: Change| Suggestion {
        label: label.to_owned(),
        uuid: None,
        action_selection_behavior: None,
        is_automatic: false,
        is_recommended: Some(true),
        actions: vec![Action {
            description: label.to_owned(),
            change,
        }],
    };
    let delete = Change::Delete {
        resource_id: format!("MedicationRequest/{id}"),
    };
    let update = Change::Update {
        resource: Resource::parse(order.raw()).unwrap(),
    };
    card.suggestions = Some(Suggestions {
        selection_behavior: SelectionBehavior::AtMostOne,
        suggestions: vec![suggestion("Remove", delete), suggestion("Keep", update)],
    });
    card
}

fn order(id: &str, code: &str) -> Value {
    json!({
        "resourceType": "MedicationRequest", "id": id, "status": "draft", "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}]},
    })
}

fn drafts(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources.iter().map(|r| json!({"resource": r})).collect();
    json!({"resourceType": "Bundle", "entry": entries})
}

/// A call at order-sign with these drafts.
fn sign(drafts: Value) -> Value {
    json!({
        "hook": "order-sign", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/d1", "patientId": "p1", "draftOrders": drafts},
        "prefetch": {"patient": patient()},
    })
}

fn select(drafts: Value, selections: &[&str]) -> Value {
    let mut call = sign(drafts);
    call["hook"] = json!("order-select");
    call["context"]["selections"] = json!(selections);
    call
}

async fn ask(config: Config, service: Warfarin, call: &Value) -> Answer {
    let headers = [("content-type", "application/json")];
    let body = serde_json::to_vec(call).unwrap();
    let request = http(Method::POST, "/cds-services/warfarin", &headers, body);
    let services: Vec<Arc<dyn CardService>> = vec![Arc::new(service)];
    let response = router(config, services).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let answer = Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    };
    if answer.status == 200 {
        conformance::response(&answer.json());
    }
    answer
}

async fn at(hook: &'static Hook, call: &Value) -> Vec<Value> {
    ask(config(), Warfarin::at(hook), call).await.cards()
}

async fn signed(resources: &[Value]) -> Vec<Value> {
    at(&ORDER_SIGN, &sign(drafts(resources))).await
}

fn summaries(cards: &[Value]) -> Vec<&str> {
    cards
        .iter()
        .map(|c| c["summary"].as_str().unwrap())
        .collect()
}

const IS: &str = "Warfarin is ordered";
const UNCLEAR: &str = "Orders could not be checked";

#[tokio::test]
async fn a_card_for_each_order_with_a_uuid_of_its_own() {
    let all = [order("a", "11289"), order("b", "5640"), order("c", "11289")];
    let cards = signed(&all).await;
    assert_eq!(summaries(&cards), [IS, IS]);
    assert_ne!(cards[0]["uuid"], cards[1]["uuid"]);
    let deletes = |card: &Value| card["suggestions"][0]["actions"][0]["resourceId"].clone();
    assert_eq!(deletes(&cards[0]), "MedicationRequest/a");
    assert_eq!(deletes(&cards[1]), "MedicationRequest/c");
    let updated = &cards[1]["suggestions"][1]["actions"][0]["resource"];
    assert_eq!(
        (&updated["id"], &updated["status"]),
        (&json!("c"), &json!("draft"))
    );
    // At most one is recommended where at most one may be taken.
    assert_eq!(cards[0]["suggestions"][0]["isRecommended"], true);
    assert!(cards[0]["suggestions"][1].get("isRecommended").is_none());
    // The same call has the same bytes.
    assert_eq!(signed(&all).await, cards);
    assert!(signed(&[]).await.is_empty());
}

#[tokio::test]
async fn only_what_is_selected() {
    let both = drafts(&[order("a", "11289"), order("b", "11289")]);
    for (selections, cards) in [
        (&["MedicationRequest/b"][..], 1),
        (&["b"], 1),
        (&["MedicationRequest/a", "MedicationRequest/b", "a"], 2),
        (&["https://ehr.example/fhir/MedicationRequest/a"], 1),
        (&[], 0),
    ] {
        let found = at(&ORDER_SELECT, &select(both.clone(), selections)).await;
        assert_eq!(found.len(), cards, "{selections:?}");
    }
    // What is selected and not there is said, and what is there is told all the same.
    let (config, lines) = logging();
    let call = select(both, &["MedicationRequest/x", "MedicationRequest/a"]);
    let cards = ask(config, Warfarin::at(&ORDER_SELECT), &call)
        .await
        .cards();
    assert_eq!(summaries(&cards), [IS, UNCLEAR]);
    let detail = cards[1]["detail"].as_str().unwrap();
    assert!(
        detail.contains("An order that is selected was not received"),
        "{detail}"
    );
    let line: Value = serde_json::from_str(&lines.all()[0]).unwrap();
    assert_eq!(
        (&line["unknown_selections"], &line["cards"]),
        (&json!(1), &json!(2))
    );
}

/// Whatever a draft looks like, the call is answered with 200.
#[tokio::test]
async fn broken_drafts_are_answered() {
    let without = |name: &str| {
        let mut order = order("a", "11289");
        order.as_object_mut().unwrap().remove(name);
        order
    };
    let with = |name: &str, value: Value| {
        let mut order = order("a", "11289");
        order[name] = value;
        order
    };
    let concept = "medicationCodeableConcept";
    for (draft, expected) in [
        (without(concept), vec![UNCLEAR]),
        (without("intent"), vec![IS]),
        (without("status"), vec![IS]),
        (without("subject"), vec![IS]),
        (without("id"), vec![IS]),
        (with("id", json!("")), vec![IS]),
        (with("id", json!(7)), vec![IS]),
        (with("status", json!("Draft")), vec![IS]),
        (with("category", json!({"text": "a"})), vec![IS]),
        (with("reasonCode", json!([])), vec![IS]),
        (with("note", json!([null])), vec![IS]),
        (with(concept, json!({"coding": [{}]})), vec![UNCLEAR]),
        (with(concept, json!({"coding": []})), vec![UNCLEAR]),
        (with(concept, json!({})), vec![UNCLEAR]),
        (with(concept, json!("warfarin")), vec![UNCLEAR]),
        (with(concept, json!({"text": "warfarin"})), vec![UNCLEAR]),
        (with("unknownMember", json!({"\"\u{7}": 1})), vec![IS]),
        (json!({"resourceType": "MedicationOrder"}), vec![UNCLEAR]),
        (json!({"resourceType": 1}), vec![UNCLEAR]),
        (json!({}), vec![UNCLEAR]),
        (json!("MedicationRequest/1"), vec![UNCLEAR]),
        (
            json!({"resourceType": "ServiceRequest", "code": {"coding": [{}]}, "reasonCode": []}),
            vec![],
        ),
    ] {
        assert_eq!(
            summaries(&signed(std::slice::from_ref(&draft)).await),
            expected,
            "{draft}"
        );
        // What is wrong with one says nothing of another.
        let mut both = vec![IS];
        both.extend(&expected);
        let cards = signed(&[order("z", "11289"), draft.clone()]).await;
        assert_eq!(summaries(&cards), both, "{draft}");
    }
}

#[tokio::test]
async fn bundles_that_are_not_quite() {
    let one = json!({"resource": order("a", "11289")});
    for (drafts, expected) in [
        (json!({"resourceType": "Bundle"}), vec![]),
        (
            json!({"resourceType": "Bundle", "type": "collection", "entry": []}),
            vec![],
        ),
        (json!({"resourceType": "Bundle", "entry": null}), vec![]),
        (
            json!({"resourceType": "Bundle", "entry": [{}]}),
            vec![UNCLEAR],
        ),
        (
            json!({"resourceType": "Bundle", "entry": [{"resource": null}, one]}),
            vec![IS, UNCLEAR],
        ),
        (json!({"resourceType": "Bundle", "entry": one}), vec![IS]),
        (
            json!({"resourceType": "Bundle", "type": "x", "entry": [one, one]}),
            vec![IS],
        ),
    ] {
        let cards = at(&ORDER_SIGN, &sign(drafts.clone())).await;
        assert_eq!(summaries(&cards), expected, "{drafts}");
    }
    let deep = format!("{}1{}", r#"{"extension":"#.repeat(5000), "}".repeat(5000));
    let call = sign(drafts(&[json!("DEEP")])).to_string();
    let body = call.replace("\"DEEP\"", &deep);
    let call: Value = serde_json::from_str(&body).unwrap_or_else(|_| sign(drafts(&[json!(1)])));
    assert_eq!(summaries(&at(&ORDER_SIGN, &call).await), [UNCLEAR]);
}

#[tokio::test]
async fn references_between_drafts() {
    let uuid = "0a1b2c3d-0000-4000-8000-000000000001";
    let medication = json!({
        "resourceType": "Medication",
        "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "11289"}]},
    });
    let mut order = order("a", "5640");
    order
        .as_object_mut()
        .unwrap()
        .remove("medicationCodeableConcept");
    order["medicationReference"] = json!({"reference": format!("urn:uuid:{uuid}")});
    order["dispenseRequest"] = json!({"quantity": {"value": 1.5}});
    let text = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": "https://ehr.example/fhir/MedicationRequest/a", "resource": order},
        {"fullUrl": format!("urn:uuid:{uuid}"), "resource": medication},
    ]})
    .to_string();
    let call = sign(serde_json::from_str(&text).unwrap());
    let cards = at(&ORDER_SIGN, &call).await;
    assert_eq!(summaries(&cards), [IS]);
    // It goes back with the name that the client gave its Medication.
    let updated = &cards[0]["suggestions"][1]["actions"][0]["resource"];
    assert_eq!(
        updated["medicationReference"]["reference"],
        format!("urn:uuid:{uuid}")
    );
}

/// Of a draft without an id nobody else knows which it is: the card comes, its suggestions do not.
#[tokio::test]
async fn what_has_no_name_cannot_be_changed() {
    let mut nameless = order("a", "11289");
    nameless.as_object_mut().unwrap().remove("id");
    let cards = signed(&[nameless.clone(), order("b", "11289")]).await;
    assert_eq!(summaries(&cards), [IS, IS]);
    assert!(cards[0].get("suggestions").is_none() && cards[0].get("selectionBehavior").is_none());
    let why = &cards[0]["extension"]["dev.tandem-cds.not-offered"];
    assert_eq!(why.as_array().unwrap().len(), 2, "{why}");
    assert_eq!(cards[1]["suggestions"].as_array().unwrap().len(), 2);
    // Its `fullUrl` is a name.
    let uuid = "0a1b2c3d-0000-4000-8000-000000000001";
    let entry = json!([{"fullUrl": format!("urn:uuid:{uuid}"), "resource": nameless}]);
    let call = sign(json!({"resourceType": "Bundle", "entry": entry}));
    let cards = at(&ORDER_SIGN, &call).await;
    let delete = &cards[0]["suggestions"][0]["actions"][0]["resourceId"];
    assert_eq!(*delete, format!("MedicationRequest/{uuid}"));
}

/// Another patient's draft never counts, and is not passed over in silence.
#[tokio::test]
async fn another_patients_draft_is_left_out() {
    let mut other = order("a", "11289");
    other["subject"]["reference"] = json!("Patient/p2");
    let (config, lines) = logging();
    let call = sign(drafts(&[other]));
    let cards = ask(config, Warfarin::at(&ORDER_SIGN), &call).await.cards();
    assert_eq!(summaries(&cards), [UNCLEAR]);
    let told = cards[0]["extension"]["dev.tandem-cds.could-not-check"]["lacking"].to_string();
    assert!(
        told.contains("`context.draftOrders` entry[0] MedicationRequest"),
        "{told}"
    );
    let line = lines.all().join("");
    assert!(
        line.contains("\"left_out\":1") && !line.contains("p2"),
        "{line}"
    );
}

#[tokio::test]
async fn a_service_on_trial_is_logged_and_not_seen() {
    let (config, lines) = logging();
    let shadow = || Warfarin {
        is_shadow: true,
        ..Warfarin::at(&ORDER_SIGN)
    };
    let call = sign(drafts(&[order("a", "11289")]));
    let answer = ask(config.clone(), shadow(), &call).await;
    assert_eq!(answer.text, r#"{"cards":[]}"#);
    ask(config.clone(), Warfarin::at(&ORDER_SIGN), &call).await;
    let lines: Vec<Value> = lines
        .all()
        .iter()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(
        (&lines[0]["shadow"], &lines[0]["cards"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        (&lines[1]["shadow"], &lines[1]["cards"]),
        (&Value::Null, &json!(1))
    );
}

/// Nor is its failure: that is in the log.
#[tokio::test]
async fn a_service_on_trial_that_fails_is_not_seen() {
    let (config, lines) = logging();
    let shadow = Warfarin {
        is_shadow: true,
        ..Warfarin::at(&ORDER_SIGN)
    };
    let call = sign(drafts(&[order("a", "fails")]));
    let answer = ask(config.clone(), shadow, &call).await;
    assert_eq!(answer.text, r#"{"cards":[]}"#);
    let line = lines.all().join("");
    assert!(line.contains("a bug of ours at `x`"), "{line}");
}

#[tokio::test]
async fn contexts_that_are_none() {
    let without = |name: &str| {
        let mut call = select(drafts(&[]), &[]);
        call["context"].as_object_mut().unwrap().remove(name);
        call
    };
    let with = |name: &str, value: Value| {
        let mut call = select(drafts(&[]), &[]);
        call["context"][name] = value;
        call
    };
    const BUNDLE: &str = "`context.draftOrders` must be a FHIR Bundle";
    const LIST: &str = "`context.selections` must be a list of references";
    for (call, said) in [
        (without("draftOrders"), "missing: `context.draftOrders`"),
        (without("selections"), "missing: `context.selections`"),
        (without("userId"), "missing: `context.userId`"),
        (with("draftOrders", json!([])), BUNDLE),
        (with("draftOrders", json!("Doe")), BUNDLE),
        (with("draftOrders", json!({})), BUNDLE),
        (with("draftOrders", json!({"resourceType": "Doe"})), BUNDLE),
        (
            with(
                "draftOrders",
                json!({"resourceType": "Bundle", "entry": "Doe"}),
            ),
            BUNDLE,
        ),
        (with("selections", json!({"reference": "Doe"})), LIST),
        (
            with("userId", json!("")),
            "`context.userId` must be a reference",
        ),
    ] {
        let answer = ask(config(), Warfarin::at(&ORDER_SELECT), &call).await;
        assert_eq!(answer.status, 400, "{call}");
        assert!(answer.text.contains(said), "{said} in {}", answer.text);
        assert!(!answer.text.contains("Doe"), "{}", answer.text);
    }
    // All at once.
    let mut call = with("selections", json!(1));
    call["context"]
        .as_object_mut()
        .unwrap()
        .remove("draftOrders");
    let answer = ask(config(), Warfarin::at(&ORDER_SELECT), &call).await;
    assert!(
        answer.text.contains("missing: `context.draftOrders`; "),
        "{}",
        answer.text
    );
    assert!(answer.text.contains(LIST), "{}", answer.text);
}

/// What can mean one thing only is taken; what cannot be understood is passed over and logged. Neither is
/// a reason to refuse a prescriber the card.
#[tokio::test]
async fn contexts_that_are_not_quite() {
    let whole = || select(drafts(&[order("a", "11289")]), &["MedicationRequest/a"]);
    let with = |name: &str, value: Value| {
        let mut call = whole();
        call["context"][name] = value;
        call
    };
    let outer = |name: &str, value: Value| {
        let mut call = whole();
        call[name] = value;
        call
    };
    for (call, told) in [
        (with("encounterId", json!("")), ""),
        (with("encounterId", json!(null)), ""),
        (with("encounterId", json!("Encounter/e1")), ""),
        (with("encounterId", json!("e 1")), "`context.encounterId`"),
        (with("encounterId", json!(7)), "`context.encounterId`"),
        (with("patientId", json!("Patient/p1")), ""),
        (with("selections", json!("MedicationRequest/a")), ""),
        (
            with("selections", json!([{"reference": "MedicationRequest/a"}])),
            "",
        ),
        (with("own", json!({"a": []})), ""),
        (outer("prefetch", json!([])), ""),
        (outer("fhirServer", json!("")), ""),
        (outer("hookInstance", json!("call 7")), "`hookInstance`"),
    ] {
        let (config, lines) = logging();
        let cards = ask(config, Warfarin::at(&ORDER_SELECT), &call)
            .await
            .cards();
        assert_eq!(summaries(&cards), [IS], "{}", call["context"]);
        let line: Value = serde_json::from_str(&lines.all()[0]).unwrap();
        let passed_over = line["passed_over"]
            .as_array()
            .map_or("".into(), |all| all[0].to_string());
        match told {
            "" => assert_eq!(passed_over, "", "{call}"),
            told => assert!(passed_over.contains(told), "{passed_over}"),
        }
    }
}

/// A user without a type is nobody that a reference could name.
#[tokio::test]
async fn a_user_that_is_no_reference() {
    let mut call = crate::fixture::request();
    call["context"]["userId"] = json!("1");
    let answer = crate::fixture::post("a1c", &call).await;
    assert_eq!(answer.cards().len(), 1);
}

/// Two drafts of one id are two drafts; which of them a suggestion would change, nobody can tell.
#[tokio::test]
async fn two_drafts_of_one_id() {
    let cards = signed(&[order("a", "11289"), order("a", "5640"), order("a", "11289")]).await;
    assert_eq!(summaries(&cards), [IS]);
    assert!(cards[0].get("suggestions").is_none(), "{}", cards[0]);
    let mut other = order("a", "11289");
    other["status"] = json!("active");
    assert_eq!(
        summaries(&signed(&[order("a", "11289"), other.clone()]).await),
        [IS, IS]
    );
    let call = select(
        drafts(&[order("a", "5640"), other]),
        &["MedicationRequest/a"],
    );
    assert_eq!(summaries(&at(&ORDER_SELECT, &call).await), [IS]);
}

/// What orders by way of others, or is no order, is told where it may hide one.
#[tokio::test]
async fn what_is_ordered_elsewhere() {
    let group = |action: Value| {
        json!({"resourceType": "RequestGroup", "id": "g", "status": "draft",
        "intent": "order", "subject": {"reference": "Patient/p1"}, "action": action})
    };
    let plan = |activity: Value| {
        json!({"resourceType": "CarePlan", "id": "g", "status": "draft",
        "intent": "order", "subject": {"reference": "Patient/p1"}, "activity": activity})
    };
    let to = |reference: &str| json!({"resource": {"reference": reference}});
    let given = json!({"resourceType": "MedicationDispense", "id": "g", "status": "preparation"});
    let task = json!({"resourceType": "Task", "id": "g", "status": "draft", "intent": "order"});
    for (draft, is_told) in [
        (group(json!([to("MedicationRequest/a")])), false),
        (
            group(json!([{"action": [to("MedicationRequest/a")]}])),
            false,
        ),
        (group(json!([to("MedicationRequest/x")])), true),
        (group(json!([to("ServiceRequest/x")])), false),
        (
            group(json!([to("MedicationRequest/a"), to("urn:uuid:x")])),
            true,
        ),
        (group(json!([{"title": "warfarin"}])), true),
        (group(json!([])), true),
        (plan(json!([])), false),
        (
            plan(json!([{"reference": {"reference": "MedicationRequest/a"}}])),
            false,
        ),
        (
            plan(json!([{"reference": {"reference": "MedicationRequest/x"}}])),
            true,
        ),
        (
            plan(json!([{"detail": {"kind": "MedicationRequest"}}])),
            true,
        ),
        (plan(json!([{"detail": {"kind": "ServiceRequest"}}])), false),
        (given, true),
        (task, false),
    ] {
        let cards = signed(&[order("a", "11289"), draft.clone()]).await;
        match is_told {
            false => assert_eq!(summaries(&cards), [IS], "{draft}"),
            true => {
                assert_eq!(summaries(&cards), [IS, UNCLEAR], "{draft}");
                let detail = cards[1]["detail"].as_str().unwrap();
                assert!(
                    detail.contains("Draft 2 of the call was not used"),
                    "{detail}"
                );
            }
        }
    }
}

/// Of more drafts than a call can have the first are looked at, and the others are counted.
#[tokio::test]
async fn more_drafts_than_a_call_can_have() {
    let mut config = config();
    config.limits.max_drafts = 3;
    let all: Vec<Value> = (0..5).map(|n| order(&n.to_string(), "11289")).collect();
    let cards = ask(
        config.clone(),
        Warfarin::at(&ORDER_SIGN),
        &sign(drafts(&all)),
    )
    .await
    .cards();
    assert_eq!(summaries(&cards), [IS, IS, IS, UNCLEAR]);
    let detail = cards[3]["detail"].as_str().unwrap();
    assert!(
        detail.contains("2 of the 5 drafts were not checked: a call can have 3"),
        "{detail}"
    );
    let three = sign(drafts(&all[..3]));
    let cards = ask(config, Warfarin::at(&ORDER_SIGN), &three).await.cards();
    assert_eq!(summaries(&cards), [IS; 3]);
}

/// A body with any one byte changed is answered, and never with an error of ours.
#[tokio::test]
async fn hostile_bodies() {
    let call = select(drafts(&[order("a", "11289")]), &["MedicationRequest/a"]);
    let whole = serde_json::to_vec(&call).unwrap();
    let services: Vec<Arc<dyn CardService>> = vec![Arc::new(Warfarin::at(&ORDER_SELECT))];
    let router = router(config(), services);
    let headers = [("content-type", "application/json")];
    for at in 0..whole.len() {
        for byte in [b'"', b'{', b']', b',', b'0', 0xff] {
            let mut body = whole.clone();
            body[at] = byte;
            // The user is looked at by the service of this test.
            if String::from_utf8_lossy(&body).contains("Practitioner/d1") {
                let request = http(Method::POST, "/cds-services/warfarin", &headers, body);
                let status = router.clone().oneshot(request).await.unwrap().status();
                assert!(matches!(status.as_u16(), 200 | 400), "{at}: {status}");
            }
        }
    }
}
