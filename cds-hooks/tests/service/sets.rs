//! Services of several rules: what they say together, and what one of them cannot say.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use cds_hooks::{
    Action, ActionSelectionBehavior, Change, Config, Hook, Indicator, ORDER_SIGN, Outcome,
    Protocol, RuleSet, SelectionBehavior, ServiceSet, Sets, Suggestion, Suggestions,
    router_of_live, services_by_set,
};
use engine_patient::program::EvaluationError;
use engine_patient::requirements::DataRequirement;
use serde_json::{Value, json};

use crate::conformance;
use crate::fixture::{Answer, bundle, condition, config, http, logging, request};
use crate::parts::{Part, ask, call, card, codes, live, routes, service, summaries};

fn of_type(ty: &str) -> DataRequirement {
    DataRequirement::of_type(ty).unwrap()
}

/// A call with these keys beside the patient.
fn with(keys: Value) -> Value {
    let mut call = request();
    let patient = call["prefetch"]["patient"].clone();
    call["prefetch"] = keys;
    call["prefetch"]["patient"] = patient;
    call
}

fn not_evaluated(answer: &Answer) -> Vec<(String, String)> {
    let extension = answer.json()["extension"]["dev.tandem-cds.not-evaluated"].clone();
    let all = extension.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    all.iter()
        .map(|one| (text(&one["rule"]), text(&one["why"])))
        .collect()
}

/// Checklist item 31: 412 only where no rule at all could tell; else what could not be told is said.
#[tokio::test]
async fn item_31_one_rule_that_cannot_tell_does_not_silence_the_others() {
    let parts = || {
        vec![
            Part::none_of("problems", of_type("Condition")),
            Part::none_of("allergies", of_type("AllergyIntolerance")),
        ]
    };
    let router = routes(config(), vec![service("all", parts())]);
    let answer = call(&router, "all", &with(json!({"condition": bundle(&[])}))).await;
    conformance::response(&answer.json());
    assert_eq!(summaries(&answer), ["There is none of Condition."]);
    assert_eq!(
        not_evaluated(&answer),
        [("allergies".into(), "lacking".into())]
    );
    let said = &answer.json()["extension"]["dev.tandem-cds.not-evaluated"][0];
    assert_eq!(
        said["lacking"],
        json!(["`allergyintolerance` was not sent"])
    );
    assert_eq!(said["version"], "1.2.3");
    // One knows that there is nothing to say: that is an answer, and the other is told.
    let sick = json!({"condition": bundle(&[condition("c1", "p1")])});
    let answer = call(&router, "all", &with(sick)).await;
    assert_eq!(summaries(&answer), [] as [String; 0]);
    assert_eq!(
        not_evaluated(&answer),
        [("allergies".into(), "lacking".into())]
    );
    // None knows.
    let answer = call(&router, "all", &with(json!({}))).await;
    assert_eq!(answer.status, 412);
    for key in [
        "`condition` was not sent",
        "`allergyintolerance` was not sent",
    ] {
        assert!(answer.text.contains(key), "{}", answer.text);
    }
    // All is there: nothing beside the cards.
    let whole = json!({"condition": null, "allergyintolerance": null});
    let answer = call(&router, "all", &with(whole)).await;
    assert_eq!(answer.cards().len(), 2);
    assert!(answer.json().get("extension").is_none());
}

/// What one rule asks by codes and was not sent takes nothing from another that asks by other codes.
#[tokio::test]
async fn a_key_concerns_only_the_rules_that_need_it() {
    let of = |name: &str| DataRequirement::coded("Observation", codes(name, 20)).unwrap();
    let parts = vec![Part::none_of("a", of("a")), Part::none_of("b", of("b"))];
    let router = routes(config(), vec![service("both", parts)]);
    let discovery = ask(
        &router,
        http(axum::http::Method::GET, "/cds-services", &[], vec![]),
    )
    .await;
    let templates = &discovery.json()["services"][0]["prefetch"];
    assert_eq!(templates.as_object().unwrap().len(), 3, "{templates}");
    let answer = call(
        &router,
        "both",
        &with(json!({"observation-a": bundle(&[])})),
    )
    .await;
    assert_eq!(answer.cards().len(), 1);
    assert_eq!(not_evaluated(&answer), [("b".into(), "lacking".into())]);
    // A resource that has to be left out under the one key is no matter of the other.
    let mut anothers = condition("o1", "p2");
    anothers["resourceType"] = json!("Observation");
    let keys = json!({"observation-a": bundle(&[]), "observation-b": bundle(&[anothers])});
    let answer = call(&router, "both", &with(keys)).await;
    assert_eq!(answer.cards().len(), 1);
    assert_eq!(not_evaluated(&answer), [("b".into(), "lacking".into())]);
}

/// A candidate may have the id of the live rule that it is compared with: the log tells them apart.
#[tokio::test]
async fn the_log_tells_a_candidate_from_a_live_rule() {
    let live = Part::saying("same", Indicator::Info, "Works.");
    let mut candidate = Part::saying("same", Indicator::Info, "Works otherwise.");
    candidate.is_shadow = true;
    let (config, lines) = logging();
    let router = routes(config, vec![service("some", vec![live, candidate])]);
    let answer = call(&router, "some", &request()).await;
    assert_eq!(summaries(&answer), ["Works."]);
    let lines = lines.all().join("");
    assert!(
        lines.contains(r#""rules":{"fired":["same"],"shadow-fired":["same"]}"#),
        "{lines}"
    );
}

#[tokio::test]
async fn a_rule_that_fails_does_not_silence_the_others() {
    let fails = || {
        Part::new("fails", |_, _| {
            Outcome::Failed(EvaluationError::Bug("a bug at `x`".into()))
        })
    };
    let panics = || Part::new("panics", |_, _| panic!("Jane Doe"));
    let (config, lines) = logging();
    let parts = vec![
        fails(),
        panics(),
        Part::saying("works", Indicator::Info, "Works."),
    ];
    let services = vec![
        service("some", parts),
        service("none", vec![fails(), panics()]),
    ];
    let router = routes(config, services);
    let answer = call(&router, "some", &request()).await;
    assert_eq!(summaries(&answer), ["Works."]);
    let failed = [
        ("fails".into(), "failed".into()),
        ("panics".into(), "failed".into()),
    ];
    assert_eq!(not_evaluated(&answer), failed);
    assert_eq!(call(&router, "none", &request()).await.status, 500);
    let lines = lines.all().join("");
    assert!(
        lines.contains(r#""rules":{"failed":["fails","panics"],"fired":["works"]}"#),
        "{lines}"
    );
    assert!(
        lines.contains("fails: a bug at `x`") && !lines.contains("Doe"),
        "{lines}"
    );
}

#[tokio::test]
async fn cards_are_ranked_said_once_and_not_too_many() {
    let mut config = config();
    config.limits.max_cards = 4;
    let parts = vec![
        Part::saying("a", Indicator::Info, "Good to know."),
        Part::saying("b", Indicator::Warning, "Look here."),
        Part::saying("c", Indicator::Critical, "Harm is near."),
        // The same in the words of another rule.
        Part::saying("d", Indicator::Warning, "Look here."),
        Part::saying("e", Indicator::Info, "Good to know, *too*."),
        Part::saying("f", Indicator::Critical, "Harm is here."),
        Part::saying("g", Indicator::Info, "Also."),
    ];
    let router = routes(config, vec![service("all", parts)]);
    let answer = call(&router, "all", &request()).await;
    conformance::response(&answer.json());
    let order = [
        "Harm is near.",
        "Harm is here.",
        "Look here.",
        "3 more notices are not shown",
    ];
    assert_eq!(summaries(&answer), order);
    let last = &answer.cards()[3];
    let detail = last["detail"].as_str().unwrap();
    assert!(
        detail.contains("- Good to know.\n- Good to know, \\*too\\*."),
        "{detail}"
    );
    assert_eq!(
        answer.json()["extension"]["dev.tandem-cds.not-shown"]["cards"],
        3
    );
    // A client may ask for fewer (Da Vinci CRD); critical ones come all the same.
    let mut few = request();
    few["extension"] = json!({"davinci-crd.configuration": {"max-cards": 1, "alt-drug": true}});
    let answer = call(&router, "all", &few).await;
    let order = [
        "Harm is near.",
        "Harm is here.",
        "4 more notices are not shown",
    ];
    assert_eq!(summaries(&answer), order);
    // Never more than the service shows; a value that is none is said to be wrong.
    few["extension"]["davinci-crd.configuration"]["max-cards"] = json!("100");
    assert_eq!(call(&router, "all", &few).await.cards().len(), 4);
    few["extension"]["davinci-crd.configuration"]["max-cards"] = json!(-1);
    let answer = call(&router, "all", &few).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text.contains("max-cards` must be a whole number"),
        "{}",
        answer.text
    );
    // What is no configuration of ours is passed over (checklist items 23, 86).
    for other in [
        json!(1),
        json!({"davinci-crd.configuration": [1]}),
        json!({"org.x": null}),
    ] {
        few["extension"] = other;
        assert_eq!(call(&router, "all", &few).await.cards().len(), 4);
    }
}

/// Checklist item 13: one id at several hooks; the hook of the body says which is meant.
#[tokio::test]
async fn item_13_one_id_at_several_hooks() {
    let parts = vec![
        Part::saying("chart", Indicator::Info, "Of the chart."),
        Part::saying("order", Indicator::Info, "Of the order.").at(&ORDER_SIGN),
    ];
    let others = parts
        .into_iter()
        .map(|p| Arc::new(p) as Arc<dyn cds_hooks::CardService>);
    let set = RuleSet {
        id: "mine".into(),
        title: "My rules".into(),
        rules: vec![],
        others: others.collect(),
        is_one_id: true,
    };
    let router = routes(config(), services_by_set(vec![set]));
    let discovery = ask(
        &router,
        http(axum::http::Method::GET, "/cds-services", &[], vec![]),
    )
    .await;
    conformance::discovery(&discovery.json());
    let services = discovery.json()["services"].clone();
    let listed: Vec<_> = services
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (&s["id"], &s["hook"]))
        .collect();
    let id = json!("mine");
    assert_eq!(
        listed,
        [(&id, &json!("patient-view")), (&id, &json!("order-sign"))]
    );
    assert_eq!(
        summaries(&call(&router, "mine", &request()).await),
        ["Of the chart."]
    );
    let mut order = request();
    order["hook"] = json!("order-sign");
    order["context"]["draftOrders"] = bundle(&[]);
    assert_eq!(
        summaries(&call(&router, "mine", &order).await),
        ["Of the order."]
    );
    order["hook"] = json!("order-select");
    let answer = call(&router, "mine", &order).await;
    assert_eq!(answer.status, 400);
    let said = "this service answers the hooks `patient-view`, `order-sign`, not others";
    assert!(answer.text.contains(said), "{}", answer.text);
    // The same twice is refused at start.
    let twice = vec![
        service("x", vec![Part::saying("a", Indicator::Info, "A.")]),
        service("x", vec![Part::saying("b", Indicator::Info, "B.")]),
    ];
    let Err(problems) = ServiceSet::new("n", twice, &config()) else {
        panic!("two services of one id and hook")
    };
    assert_eq!(
        problems,
        ["two services have the id `x` at the hook `patient-view`"]
    );
}

/// Checklist items 11, 12.
#[tokio::test]
async fn items_11_12_versions_are_told_where_they_are_asked_for() {
    let services = || vec![service("a", vec![Part::saying("a", Indicator::Info, "A.")])];
    let plain = routes(config(), services());
    let speaks_3 = Config {
        protocol: Protocol {
            version_3: true,
            crd: true,
            ..Protocol::default()
        },
        ..config()
    };
    let get = || http(axum::http::Method::GET, "/cds-services", &[], vec![]);
    let listed = ask(&plain, get()).await.json()["services"][0].clone();
    for name in ["version", "hookVersion", "extension"] {
        assert!(listed.get(name).is_none(), "{listed}");
    }
    let document = ask(&routes(speaks_3, services()), get()).await.json();
    conformance::discovery(&document);
    let listed = &document["services"][0];
    assert_eq!(
        (&listed["version"], &listed["hookVersion"]),
        (&json!("3.0.0"), &json!("1.0"))
    );
    let option = &listed["extension"]["davinci-crd.configuration-options"][0];
    assert_eq!(
        (&option["code"], &option["default"]),
        (&json!("max-cards"), &json!(10))
    );
}

/// A rule that is done when it is told to be.
fn held(id: &'static str) -> (Part, Sender<()>, Receiver<()>) {
    let (go, wait) = channel::<()>();
    let (begun, begins) = channel();
    let wait = Mutex::new(wait);
    let part = Part::new(id, move |_, _| {
        begun.send(()).unwrap();
        wait.lock().unwrap().recv().ok();
        Outcome::Cards(vec![card(Indicator::Info, "At last.")])
    });
    (part, go, begins)
}

/// Whatever a rule does, an answer goes out: with what the others say.
#[tokio::test]
async fn item_29_rules_that_are_late_are_left_out_and_told() {
    let (slow, go, _begins) = held("slow");
    let (mut config, lines) = logging();
    config.limits.deadline = Some(std::time::Duration::from_millis(300));
    let after = Part {
        says_late: true,
        ..Part::saying("after", Indicator::Info, "After.")
    };
    let parts = vec![
        Part::saying("fast", Indicator::Warning, "Fast."),
        slow,
        after,
    ];
    let router = routes(config, vec![service("all", parts)]);
    // The slow rule waits until after the answer.
    let answer = call(&router, "all", &request()).await;
    go.send(()).unwrap();
    conformance::response(&answer.json());
    assert_eq!(
        summaries(&answer),
        ["Fast.", "Could not be checked in time."]
    );
    let late = [
        ("slow".into(), "late".into()),
        ("after".into(), "late".into()),
    ];
    assert_eq!(not_evaluated(&answer), late);
    let could_not = &answer.cards()[1]["extension"]["dev.tandem-cds.could-not-check"];
    assert_eq!(could_not["reason"], "it was not done in time");
    let line = lines.all().join("");
    assert!(line.contains(r#""late":["slow","after"]"#), "{line}");
}

/// Another set in the place of one that is under way: the call ends as it began.
#[tokio::test(flavor = "multi_thread")]
async fn calls_under_way_keep_the_rules_they_began_with() {
    let (old, go, begins) = held("old");
    let mut config = config();
    config.limits.deadline = Some(std::time::Duration::from_secs(60));
    let live = live(&config, vec![service("a", vec![old])]);
    let router = router_of_live(config.clone(), live.clone());
    let under_way = router.clone();
    let under_way = tokio::spawn(async move { call(&under_way, "a", &request()).await });
    tokio::task::spawn_blocking(move || begins.recv().unwrap())
        .await
        .unwrap();
    let new = vec![service(
        "a",
        vec![Part::saying("new", Indicator::Info, "New.")],
    )];
    let before = live.swap(Sets::of(ServiceSet::new("set-2", new, &config).unwrap()));
    assert_eq!(before.default.name(), "set-1");
    assert_eq!(summaries(&call(&router, "a", &request()).await), ["New."]);
    go.send(()).unwrap();
    assert_eq!(summaries(&under_way.await.unwrap()), ["At last."]);
    assert_eq!(live.current().default.name(), "set-2");
}

fn choices() -> Suggestions {
    let action = |id: &str| Action {
        description: format!("Remove {id}"),
        change: Change::Delete {
            resource_id: format!("MedicationRequest/{id}"),
        },
    };
    Suggestions {
        selection_behavior: SelectionBehavior::Any,
        suggestions: vec![Suggestion {
            label: "Choose".into(),
            uuid: None,
            is_recommended: Some(true),
            actions: vec![action("1"), action("2")],
            action_selection_behavior: Some(ActionSelectionBehavior::AtMostOne),
            is_automatic: false,
        }],
    }
}

/// Checklist items 17 and 47: only to clients that are known to understand them.
#[tokio::test]
async fn items_17_47_what_not_every_client_understands() {
    let part = || {
        Part::new("a", |_, _| {
            let mut content = card(Indicator::Info, "A.");
            content.suggestions = Some(choices());
            content.system_actions = choices().suggestions.remove(0).actions;
            Outcome::Cards(vec![content])
        })
    };
    let knowing = cds_hooks::seams::Knows {
        action_selection_behavior: true,
        system_actions: true,
    };
    let config = |knows, system_actions| {
        let mut config = config();
        config.seams.admission = Arc::new(crate::seams::Known(knows));
        config.protocol.system_actions = system_actions;
        config
    };
    let services = || vec![service("a", vec![part()])];
    let all = routes(config(knowing, true), services());
    let answer = call(&all, "a", &request()).await.json();
    conformance::response(&answer);
    assert_eq!(answer["systemActions"].as_array().unwrap().len(), 2);
    let suggestion = &answer["cards"][0]["suggestions"][0];
    assert_eq!(suggestion["actionSelectionBehavior"], "at-most-one");
    // Not permitted here; and a client that does not know it never does all at once.
    let not_permitted = routes(config(knowing, false), services());
    let answer = call(&not_permitted, "a", &request()).await.json();
    assert!(answer.get("systemActions").is_none());
    let plain = routes(config(cds_hooks::seams::Knows::default(), true), services());
    let answer = call(&plain, "a", &request()).await.json();
    conformance::response(&answer);
    assert!(answer.get("systemActions").is_none());
    let suggestions = answer["cards"][0]["suggestions"]
        .as_array()
        .unwrap()
        .clone();
    let labels: Vec<_> = suggestions
        .iter()
        .map(|s| s["label"].as_str().unwrap())
        .collect();
    assert_eq!(labels, ["Choose: Remove 1", "Choose: Remove 2"]);
    // One of the two, as the rule has it.
    assert_eq!(answer["cards"][0]["selectionBehavior"], "at-most-one");
    for suggestion in &suggestions {
        assert!(suggestion.get("actionSelectionBehavior").is_none());
        assert_eq!(suggestion["actions"].as_array().unwrap().len(), 1);
    }
}

const AUTOMATIC: &str = r#"id: a-rule
version: 1.0.0
kind: alert
title: An order
description: An order is made.
rationale: A test.
hooks: [order-sign]
source: {title: Label, publisher: FDA, year: 2024, url: "https://example.org/label", strength: label}
for_each: {order: selections("ServiceRequest")}
when: order.priority == "stat"
unknown: silent
card:
  indicator: info
  summary: An order is urgent
  detail: Look at it.
  unknown_summary: An order could not be checked
  selection: any
  suggestions:
    - label: Make it routine
      automatic: true
      actions:
        - update: order
          set: {priority: routine}
          description: Make the order routine
cases:
  - name: one
    at: 2025-06-15T12:00:00Z
    patient: {birthDate: 1960-01-01}
    drafts:
      - {resourceType: ServiceRequest, status: draft, intent: order, priority: stat, subject: Patient/patient}
    expect: {applies: yes, cards: 1}
  - name: routine
    at: 2025-06-15T12:00:00Z
    patient: {birthDate: 1960-01-01}
    drafts:
      - {resourceType: ServiceRequest, status: draft, intent: order, priority: routine, subject: Patient/patient}
    expect: {applies: no}
  - name: it does not say
    at: 2025-06-15T12:00:00Z
    patient: {birthDate: 1960-01-01}
    drafts:
      - {resourceType: ServiceRequest, status: draft, intent: order, subject: Patient/patient}
    expect: {applies: unknown}
"#;

/// Checklist item 47: a rule says so, the service permits it, the client is known to carry it out; otherwise
/// the same is offered.
#[tokio::test]
async fn item_47_a_rule_acts_where_it_may() {
    let rule = rules::load("a-rule.yaml", AUTOMATIC, &rules::built_in_terminology());
    let rule = Arc::new(rule.unwrap_or_else(|f| panic!("{}", engine_patient::finding::listed(&f))));
    let mut order = request();
    order["hook"] = json!("order-sign");
    order["context"]["draftOrders"] = bundle(&[
        json!({"resourceType": "ServiceRequest", "id": "s1",
        "status": "draft", "intent": "order", "priority": "stat", "subject": {"reference": "Patient/p1"}}),
    ]);
    let knows = cds_hooks::seams::Knows {
        system_actions: true,
        ..Default::default()
    };
    for (permitted, knows) in [(true, knows), (false, knows), (true, Default::default())] {
        let mut config = config();
        config.protocol.system_actions = permitted;
        config.seams.admission = Arc::new(crate::seams::Known(knows));
        let services = cds_hooks::rule_services(vec![Arc::clone(&rule)]);
        let services = services.into_iter().map(cds_hooks::Service::of).collect();
        let answer = call(&routes(config, services), "a-rule", &order)
            .await
            .json();
        conformance::response(&answer);
        let (done, offered) = (&answer["systemActions"], &answer["cards"][0]["suggestions"]);
        let acts = permitted && knows.system_actions;
        let action = match acts {
            true => &done[0],
            false => &offered[0]["actions"][0],
        };
        assert_eq!(
            (done.is_null(), offered.is_null()),
            (!acts, acts),
            "{answer}"
        );
        assert_eq!(action["resource"]["priority"], "routine");
        assert_eq!(
            (&action["type"], &action["resource"]["id"]),
            (&json!("update"), &json!("s1"))
        );
    }
}

/// The rules that are built in, as `tandem serve` has them: few services, short templates.
#[tokio::test]
async fn the_built_in_rules_by_set() {
    let rules = rules::built_in().unwrap();
    let live: Vec<_> = rules.into_iter().filter(|rule| rule.is_live()).collect();
    let hooks: std::collections::BTreeSet<&str> = live
        .iter()
        .flat_map(|rule| rule.hooks.iter().map(|h| h.as_str()))
        .collect();
    let set = RuleSet {
        id: "tandem".into(),
        title: "Tandem".into(),
        rules: live,
        others: vec![],
        is_one_id: false,
    };
    let services = services_by_set(vec![set]);
    let found: Vec<&str> = services.iter().map(|s| s.hook.name).collect();
    assert_eq!(
        found
            .iter()
            .copied()
            .collect::<std::collections::BTreeSet<_>>(),
        hooks
    );
    assert_eq!(found.len(), hooks.len());
    let set = ServiceSet::new("built-in", services, &config()).unwrap();
    for service in set.services() {
        assert_eq!(service.id, format!("tandem-{}", service.hook.name));
        let templates = set.templates(&service.id, service.hook.name).unwrap();
        assert!(templates.out_of_reach.is_empty());
        for template in &templates.list {
            assert!(template.query.len() <= 2000, "{}", template.query);
        }
        // Merged: no type is asked for whole twice.
        let whole = templates
            .list
            .iter()
            .filter(|t| !t.query.contains("code=") && !t.is_sample);
        let mut types: Vec<_> = whole.map(|t| t.resource_type).collect();
        let count = types.len();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types.len(), count);
    }
    assert_eq!(Hook::ALL.len(), 13);
}
