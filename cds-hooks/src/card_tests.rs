use super::*;
use crate::wire::*;
use serde_json::{Value, json};

fn source(url: &str) -> Source {
    Source {
        label: "USPSTF".into(),
        url: Some(url.into()),
        topic: None,
    }
}

fn one(content: CardContent, scope: &[&str]) -> Card {
    Card::all(std::iter::once(content), scope).remove(0)
}

fn card(summary: &str, detail: &str) -> Value {
    let content = CardContent::text(
        Indicator::Warning,
        summary,
        detail,
        source("https://x.org/1"),
    );
    serde_json::to_value(one(content, &["gap", "call", "p1"])).unwrap()
}

#[test]
fn fields_without_a_value_are_left_out() {
    let uuid = card("A1c is overdue.", "")["uuid"].clone();
    assert_eq!(
        card("A1c is overdue.", ""),
        json!({
            "uuid": uuid,
            "summary": "A1c is overdue.",
            "indicator": "warning",
            "source": {"label": "USPSTF", "url": "https://x.org/1"},
        })
    );
    let relative = CardContent::text(Indicator::Info, "a", "", source("guideline.html"));
    let card = serde_json::to_value(one(relative, &[])).unwrap();
    assert_eq!(card["source"], json!({"label": "USPSTF"}));
}

#[test]
fn a_long_summary_is_cut_and_stands_whole_in_the_detail() {
    let exact = "é".repeat(139);
    assert_eq!(card(&exact, "")["summary"], json!(exact));
    assert_eq!(card(&exact, "").get("detail"), None);
    for long in ["é".repeat(140), "word ".repeat(60), "x".repeat(5000)] {
        let cut = card(&long, "More.");
        let summary = cut["summary"].as_str().unwrap();
        assert!(
            summary.chars().count() <= MAX_SUMMARY && summary.ends_with('…'),
            "{summary}"
        );
        assert_eq!(cut["detail"], json!(format!("{}\n\nMore.", long.trim())));
    }
    assert_eq!(card(" two\n lines ", "")["summary"], json!("two lines"));
}

#[test]
fn the_uuid_follows_the_content_and_the_call() {
    assert_eq!(card("a", "b")["uuid"], card("a", "b")["uuid"]);
    assert_ne!(card("a", "b")["uuid"], card("a", "c")["uuid"]);
    let content = CardContent::text(Indicator::Warning, "a", "b", source("https://x.org/1"));
    let other = serde_json::to_value(one(content, &["gap", "other", "p1"])).unwrap();
    assert_ne!(card("a", "b")["uuid"], other["uuid"]);
}

#[test]
fn suggestions_links_and_override_reasons_have_the_members_of_the_specification() {
    let mut content = CardContent::text(Indicator::Critical, "a", "", source("https://x.org"));
    let resource = json!({"resourceType": "ServiceRequest", "id": "1"});
    content.suggestions = Some(Suggestions {
        selection_behavior: SelectionBehavior::AtMostOne,
        suggestions: vec![Suggestion {
            label: "Order".into(),
            uuid: None,
            is_recommended: Some(true),
            actions: vec![
                Action {
                    description: "make".into(),
                    change: Change::Create {
                        resource: (&resource).into(),
                    },
                },
                Action {
                    description: "drop".into(),
                    change: Change::Delete {
                        resource_id: "ServiceRequest/2".into(),
                    },
                },
            ],
            action_selection_behavior: None,
            is_automatic: false,
        }],
    });
    let smart = LinkTarget::Smart {
        app_context: Some("x=1".into()),
    };
    content.links = vec![
        Link {
            label: "Read".into(),
            url: "https://x.org".into(),
            target: LinkTarget::Absolute,
        },
        Link {
            label: "App".into(),
            url: "https://x.org/app".into(),
            target: smart,
        },
    ];
    let reason = Coding {
        system: "s".into(),
        code: "c".into(),
        display: "d".into(),
    };
    content.override_reasons = vec![reason];
    let card = serde_json::to_value(one(content, &[])).unwrap();
    assert_eq!(card["selectionBehavior"], json!("at-most-one"));
    assert_eq!(
        card["suggestions"],
        json!([{
            "label": "Order",
            "uuid": card["suggestions"][0]["uuid"],
            "isRecommended": true,
            "actions": [
                {"description": "make", "type": "create", "resource": resource},
                {"description": "drop", "type": "delete", "resourceId": "ServiceRequest/2"},
            ],
        }])
    );
    assert_eq!(
        card["links"],
        json!([
            {"label": "Read", "url": "https://x.org", "type": "absolute"},
            {"label": "App", "url": "https://x.org/app", "type": "smart", "appContext": "x=1"},
        ])
    );
    assert_eq!(
        card["overrideReasons"],
        json!([{"system": "s", "code": "c", "display": "d"}])
    );

    let mut none = CardContent::text(Indicator::Info, "a", "", source("https://x.org"));
    let selection_behavior = SelectionBehavior::Any;
    none.suggestions = Some(Suggestions {
        selection_behavior,
        suggestions: vec![],
    });
    let card = serde_json::to_value(one(none, &[])).unwrap();
    assert!(card.get("suggestions").is_none() && card.get("selectionBehavior").is_none());
}

/// Checklist item 2: what a rule fills in may be empty, or nothing that is seen; a label never is.
#[test]
fn item_2_labels_are_never_empty() {
    let mut content = CardContent::text(Indicator::Info, "\u{200b} ", "", source("https://x.org"));
    content.links = vec![Link {
        label: " ".into(),
        url: "https://x.org/more".into(),
        target: LinkTarget::Absolute,
    }];
    let suggestion = |label: &str, descriptions: &[&str]| Suggestion {
        label: label.into(),
        uuid: None,
        is_recommended: None,
        actions: descriptions
            .iter()
            .map(|description| Action {
                description: (*description).into(),
                change: Change::Delete {
                    resource_id: "ServiceRequest/2".into(),
                },
            })
            .collect(),
        action_selection_behavior: None,
        is_automatic: false,
    };
    content.suggestions = Some(Suggestions {
        selection_behavior: SelectionBehavior::Any,
        suggestions: vec![
            suggestion("", &["", "Drop it"]),
            suggestion("Remove it", &[""]),
            suggestion("", &[""]),
        ],
    });
    let card = serde_json::to_value(one(content, &[])).unwrap();
    assert_eq!(card["summary"], "A notice of USPSTF");
    assert_eq!(card["links"][0]["label"], "https://x.org/more");
    let said = |at: usize| {
        let suggestion = &card["suggestions"][at];
        let actions = suggestion["actions"].as_array().unwrap().iter();
        let all = std::iter::once(&suggestion["label"]).chain(actions.map(|a| &a["description"]));
        all.map(|text| text.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(said(0), ["Drop it", "Drop it", "Drop it"]);
    assert_eq!(said(1), ["Remove it", "Remove it"]);
    assert_eq!(card["suggestions"].as_array().unwrap().len(), 2);
    assert_eq!(
        card["extension"]["dev.tandem-cds.not-offered"],
        json!(["1 × a suggestion without a label"])
    );
}
