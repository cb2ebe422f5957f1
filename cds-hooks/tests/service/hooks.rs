//! Every hook of the checklist's table, and organizations' own (section J).

use cds_hooks::{Hook, Indicator, Outcome};
use engine_patient::context::EvaluationContext;
use serde_json::{Value, json};

use crate::fixture::{bundle, config, patient};
use crate::parts::{Part, call, card, routes, service, summaries};

/// A part that says which drafts it sees, by type.
fn drafts(context: &EvaluationContext) -> String {
    let call = context.call.as_ref().unwrap();
    let all = call.selected().filter_map(|draft| draft.resource_type());
    let mut types: Vec<&str> = all.map(|ty| ty.as_str()).collect();
    types.sort_unstable();
    format!("{}: {}", call.hook, types.join(" "))
}

fn part(hook: &'static Hook) -> Part {
    let said = |_: &_, context: &EvaluationContext| {
        Outcome::Cards(vec![card(Indicator::Info, &drafts(context))])
    };
    Part::new("a", said).at(hook)
}

fn of(ty: &str) -> Value {
    json!({"resourceType": ty, "id": "d1", "status": "draft", "patient": {"reference": "Patient/p1"},
        "subject": {"reference": "Patient/p1"}})
}

/// The context of a hook, and the drafts that a rule sees.
fn context(hook: &str) -> (Value, &'static str) {
    let user = json!({"userId": "Practitioner/d1", "patientId": "p1"});
    let with = |name: &str, value: Value| {
        let mut context = user.clone();
        context[name] = value;
        context
    };
    match hook {
        "patient-view" => (user, ""),
        "order-select" => {
            let mut context = with(
                "draftOrders",
                bundle(&[of("MedicationRequest"), of("ServiceRequest")]),
            );
            context["selections"] = json!(["ServiceRequest/d1"]);
            (context, "ServiceRequest")
        }
        "order-sign" => (
            with("draftOrders", bundle(&[of("MedicationRequest")])),
            "MedicationRequest",
        ),
        "order-dispatch" => {
            let context = json!({"patientId": "p1", "dispatchedOrders": ["ServiceRequest/1"],
                "performer": "Organization/2", "fulfillmentTasks": [{"resourceType": "Task", "id": "t1",
                "status": "draft", "intent": "order", "for": {"reference": "Patient/p1"}}]});
            (context, "Task")
        }
        "encounter-start" | "encounter-discharge" => (with("encounterId", json!("e1")), ""),
        "appointment-book" => {
            let appointment = json!({"resourceType": "Appointment", "id": "a1", "status": "proposed",
                "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}]});
            (with("appointments", bundle(&[appointment])), "Appointment")
        }
        "medication-refill" => {
            let context =
                json!({"patientId": "p1", "medications": bundle(&[of("MedicationRequest")])});
            (context, "MedicationRequest")
        }
        "problem-list-item-create" => (with("conditions", bundle(&[of("Condition")])), "Condition"),
        "allergyintolerance-create" => (
            with("allergyIntolerance", of("AllergyIntolerance")),
            "AllergyIntolerance",
        ),
        "medication-verify" => (
            with("medication", of("MedicationRequest")),
            "MedicationRequest",
        ),
        "medication-prescribe" => (
            with("medications", bundle(&[of("MedicationRequest")])),
            "MedicationRequest",
        ),
        "order-review" => (
            with("orders", bundle(&[of("ServiceRequest")])),
            "ServiceRequest",
        ),
        other => panic!("{other}"),
    }
}

fn request(hook: &str, context: &Value) -> Value {
    json!({"hook": hook, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": context,
        "prefetch": {"patient": patient()}})
}

/// Checklist items 87, 88: each hook is answered, with its drafts; what its context must have is asked for;
/// what it does not know is passed over.
#[tokio::test]
async fn items_87_88_all_thirteen_hooks() {
    for hook in Hook::ALL {
        let router = routes(config(), vec![service("a", vec![part(hook)])]);
        let (context, drafts) = context(hook.name);
        let whole = request(hook.name, &context);
        crate::schema::check("request", &whole);
        let expected = format!("{}: {drafts}", hook.name);
        let answer = call(&router, "a", &whole).await;
        crate::conformance::response(&answer.json());
        assert_eq!(summaries(&answer), [expected.trim()], "{}", hook.name);
        let mut newer = whole.clone();
        newer["context"]["addedLater"] = json!([{}]);
        assert_eq!(call(&router, "a", &newer).await.cards().len(), 1);
        for field in hook.context {
            let mut without = whole.clone();
            without["context"]
                .as_object_mut()
                .unwrap()
                .remove(field.name);
            let answer = call(&router, "a", &without).await;
            let expected = if field.is_required { 400 } else { 200 };
            assert_eq!(
                answer.status, expected,
                "{} without {}",
                hook.name, field.name
            );
            let said = format!("missing: `context.{}`", field.name);
            assert!(
                expected == 200 || answer.text.contains(&said),
                "{}",
                answer.text
            );
        }
    }
}

/// Checklist item 87: a patient, and whatever else is there, in whatever form.
#[tokio::test]
async fn item_87_an_organizations_own_hook() {
    let hook = Hook::of("org.example.discharge-call").unwrap();
    let router = routes(config(), vec![service("a", vec![part(hook)])]);
    let name = hook.name;
    for (context, drafts) in [
        (json!({"patientId": "p1"}), ""),
        (
            json!({"patientId": "p1", "own": {"x": 1}, "medications": 7, "selections": 3}),
            "",
        ),
        (
            json!({"patientId": "p1", "medications": bundle(&[of("MedicationRequest")])}),
            " MedicationRequest",
        ),
        (
            json!({"patientId": "p1", "draftOrders": bundle(&[of("ServiceRequest")])}),
            " ServiceRequest",
        ),
    ] {
        let answer = call(&router, "a", &request(name, &context)).await;
        assert_eq!(summaries(&answer), [format!("{name}:{drafts}")]);
    }
    let answer = call(&router, "a", &request(name, &json!({"own": 1}))).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text.contains("missing: `context.patientId`"),
        "{}",
        answer.text
    );
}

/// At order-dispatch the orders are stored already: rules see those that are on record, and know where one is
/// not.
#[tokio::test]
async fn dispatched_orders_are_seen_where_they_are_on_record() {
    let hook = Hook::of("order-dispatch").unwrap();
    let mut part = part(hook);
    let needs = engine_patient::requirements::DataRequirement::of_type("ServiceRequest");
    part.requirements = vec![needs.unwrap()];
    let said = |_: &_, context: &EvaluationContext| {
        let call = context.call.as_ref().unwrap();
        let ty = engine_patient::fhir::names::Name::of("ServiceRequest").unwrap();
        let all = call.drafts.is_available(ty);
        let said = format!("{}, all: {all}", drafts(context));
        Outcome::Cards(vec![card(Indicator::Info, &said)])
    };
    part.decide = Box::new(said);
    let router = routes(config(), vec![service("a", vec![part])]);
    let (context, _) = context("order-dispatch");
    let mut request = request("order-dispatch", &context);
    for (id, said) in [
        ("1", "ServiceRequest Task, all: true"),
        ("2", "Task, all: false"),
    ] {
        let mut order = of("ServiceRequest");
        order["id"] = json!(id);
        request["prefetch"]["servicerequest"] = bundle(&[order]);
        let answer = call(&router, "a", &request).await;
        assert_eq!(summaries(&answer), [format!("order-dispatch: {said}")]);
    }
}

/// However often drafts are selected, and by whatever names, each is looked up once.
#[tokio::test]
async fn selections_that_mean_many_drafts_take_no_time() {
    let hook = Hook::of("order-select").unwrap();
    let counts = |_: &_, context: &EvaluationContext| {
        let count = context.call.as_ref().unwrap().selected().count();
        Outcome::Cards(vec![card(Indicator::Info, &count.to_string())])
    };
    let router = routes(
        config(),
        vec![service("a", vec![Part::new("a", counts).at(hook)])],
    );
    let draft = |number: usize| {
        let mut draft = of("ServiceRequest");
        draft["note"] = json!([{"text": number.to_string()}]);
        draft
    };
    let drafts: Vec<Value> = (0..2000).map(draft).collect();
    let selections: Vec<String> = (0..200_000).map(|n| format!("urn:{n}:d1")).collect();
    let context = json!({"userId": "Practitioner/d1", "patientId": "p1",
        "draftOrders": bundle(&drafts), "selections": selections});
    let start = std::time::Instant::now();
    let answer = call(&router, "a", &request(hook.name, &context)).await;
    assert_eq!(summaries(&answer), ["2000"]);
    let took = start.elapsed();
    assert!(took < std::time::Duration::from_secs(10), "{took:?}");
}

/// Broken drafts of the other hooks are answered, too (checklist item 25).
#[tokio::test]
async fn item_25_broken_drafts_of_the_other_hooks() {
    for (hook, member, value, status) in [
        (
            "appointment-book",
            "appointments",
            json!({"resourceType": "Bundle"}),
            200,
        ),
        ("appointment-book", "appointments", json!([]), 400),
        (
            "allergyintolerance-create",
            "allergyIntolerance",
            json!({}),
            200,
        ),
        (
            "allergyintolerance-create",
            "allergyIntolerance",
            json!("x"),
            400,
        ),
        (
            "medication-verify",
            "medication",
            json!({"resourceType": "MedicationRequest", "category": {}}),
            200,
        ),
        (
            "problem-list-item-create",
            "conditions",
            bundle(&[json!({"resourceType": "Condition", "code": {"coding": [{}]}})]),
            200,
        ),
        (
            "order-dispatch",
            "fulfillmentTasks",
            json!([null, 1, {"resourceType": "Task"}]),
            200,
        ),
        ("order-dispatch", "fulfillmentTasks", json!("x"), 400),
        ("order-dispatch", "dispatchedOrders", json!([]), 200),
        ("order-dispatch", "dispatchedOrders", json!(1), 400),
        (
            "order-dispatch",
            "performer",
            json!({"reference": "Organization/1"}),
            200,
        ),
        ("order-dispatch", "performer", json!(9), 200),
        ("medication-refill", "userId", json!(9), 200),
    ] {
        let found = Hook::of(hook).unwrap();
        let router = routes(config(), vec![service("a", vec![part(found)])]);
        let (mut context, _) = context(hook);
        context[member] = value.clone();
        let answer = call(&router, "a", &request(hook, &context)).await;
        assert_eq!(
            answer.status, status,
            "{hook} {member} {value}: {}",
            answer.text
        );
    }
}

/// A rule names any hook, and sees what is not stored yet.
#[test]
fn a_rule_names_any_hook() {
    let rule = |hooks: &str| {
        format!(
            r#"id: a-rule
version: 1.0.0
kind: alert
title: A problem
description: A problem is added.
rationale: A test.
hooks: [{hooks}]
source: {{title: Label, publisher: FDA, year: 2024, url: "https://example.org/label", strength: label}}
for_each: {{problem: draftOrders("Condition")}}
when: problem.code.text == "x"
unknown: silent
card:
  indicator: info
  summary: A problem was added
  detail: Look at it.
  unknown_summary: A problem could not be checked
cases:
  - name: one
    at: 2025-06-15T12:00:00Z
    patient: {{birthDate: 1960-01-01}}
    drafts:
      - {{resourceType: Condition, code: {{text: x}}, subject: Patient/patient}}
    expect: {{applies: yes, cards: 1}}
  - name: none
    at: 2025-06-15T12:00:00Z
    patient: {{birthDate: 1960-01-01}}
    expect: {{applies: no}}
"#
        )
    };
    let load = |hooks: &str| {
        rules::load("a-rule.yaml", &rule(hooks), &rules::built_in_terminology())
            .map_err(|found| engine_patient::finding::listed(&found))
    };
    let loaded = load("problem-list-item-create, org.example.problem-noted").unwrap();
    let names: Vec<&str> = loaded.hooks.iter().map(|hook| hook.as_str()).collect();
    assert_eq!(
        names,
        ["problem-list-item-create", "org.example.problem-noted"]
    );
    for outcome in loaded.run_cases() {
        assert!(
            outcome.failures.is_empty(),
            "{}: {:?}",
            outcome.name,
            outcome.failures
        );
    }
    let services = cds_hooks::rule_services(vec![std::sync::Arc::new(loaded)]);
    let ids: Vec<&str> = services.iter().map(|service| service.id()).collect();
    assert_eq!(ids, ["a-rule", "a-rule-org.example.problem-noted"]);
    for (hooks, said) in [
        ("order-cancel", "`order-cancel` is not known here"),
        (
            "example.x",
            "`example.x` is no name of an organization's own hook",
        ),
    ] {
        let error = load(hooks).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}
