//! The rules of CDS Hooks 2.0 for what a service sends, by hand.

use serde_json::Value;

/// Nothing is `null`, `""`, `[]` or `{}`, save for the lists named.
fn nothing_empty(value: &Value, path: &str, may_be_empty: &[&str]) {
    let empty = match value {
        Value::Null => true,
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty() && !may_be_empty.contains(&path),
        Value::Object(o) => o.is_empty(),
        _ => false,
    };
    assert!(!empty, "`{path}` is empty");
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|i| nothing_empty(i, &format!("{path}[]"), may_be_empty)),
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(k, v)| nothing_empty(v, &format!("{path}.{k}"), may_be_empty));
        }
        _ => {}
    }
}

fn members(value: &Value, required: &[&str], allowed: &[&str]) {
    let object = value.as_object().unwrap();
    for name in required {
        assert!(object.contains_key(*name), "`{name}` is missing in {value}");
    }
    for name in object.keys() {
        assert!(
            required.contains(&name.as_str()) || allowed.contains(&name.as_str()),
            "`{name}` is not allowed"
        );
    }
}

fn is_url(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|u| u.starts_with("https://") || u.starts_with("http://"))
}

fn is_uuid(value: &Value) -> bool {
    let parts: Vec<usize> = value.as_str().unwrap().split('-').map(str::len).collect();
    let hex = |c: char| c.is_ascii_hexdigit() || c == '-';
    parts == [8, 4, 4, 4, 12] && value.as_str().unwrap().chars().all(hex)
}

/// The discovery document.
pub fn discovery(document: &Value) {
    crate::schema::check("discovery", document);
    nothing_empty(document, "$", &["$.services"]);
    members(document, &["services"], &[]);
    for service in document["services"].as_array().unwrap() {
        members(
            service,
            &["hook", "description", "id"],
            &[
                "title",
                "prefetch",
                "usageRequirements",
                "version",
                "hookVersion",
                "extension",
            ],
        );
        for (key, template) in service.get("prefetch").and_then(Value::as_object).unwrap() {
            let template = template.as_str().unwrap();
            assert!(
                !key.is_empty() && template.starts_with(|c: char| c.is_ascii_uppercase()),
                "{template}"
            );
            let tokens = template.replace("{{context.patientId}}", "");
            assert!(
                template != tokens && !tokens.contains(['{', '}', ' ']),
                "{template}"
            );
        }
    }
}

/// The body of an answer with status 200.
pub fn response(body: &Value) {
    crate::schema::check("response", body);
    nothing_empty(body, "$", &["$.cards"]);
    members(body, &["cards"], &["systemActions", "extension"]);
    for card in body["cards"].as_array().unwrap() {
        members(
            card,
            &["uuid", "summary", "indicator", "source"],
            &[
                "detail",
                "suggestions",
                "selectionBehavior",
                "overrideReasons",
                "links",
                "extension",
            ],
        );
        assert!(is_uuid(&card["uuid"]));
        let summary = card["summary"].as_str().unwrap();
        assert!(
            summary.chars().count() < 140 && !summary.contains('\n'),
            "{summary}"
        );
        assert!(["info", "warning", "critical"].contains(&card["indicator"].as_str().unwrap()));
        members(
            &card["source"],
            &["label"],
            &["url", "icon", "topic", "extension"],
        );
        assert!(card["source"].get("url").is_none_or(is_url));
        assert_eq!(
            card.get("suggestions").is_some(),
            card.get("selectionBehavior").is_some()
        );
    }
}

#[test]
fn the_checks_themselves_refuse_what_is_wrong() {
    let refused = |body: &str| {
        let body: Value = serde_json::from_str(body).unwrap();
        std::panic::catch_unwind(|| response(&body)).is_err()
    };
    let uuid = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea";
    let card = |members: &str| {
        format!(
            r#"{{"cards":[{{"uuid":"{uuid}","indicator":"info","source":{{"label":"a"}}{members}}}]}}"#
        )
    };
    assert!(!refused(&card(r#","summary":"a""#)));
    let long = format!(r#","summary":"{}""#, "x".repeat(140));
    for members in [
        "",
        r#","summary":"""#,
        r#","summary":"a","links":[]"#,
        r#","summary":"a","x":1"#,
        &long,
    ] {
        assert!(refused(&card(members)), "{members}");
    }
    assert!(refused("{}") && refused(r#"{"cards":[],"systemActions":[]}"#));
}
