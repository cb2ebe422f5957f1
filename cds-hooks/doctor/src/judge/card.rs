//! The answer of a call: cards, sources, links, override reasons.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    action, card_members, document, has_empties, is_absolute, is_uuid, members, text, told,
};
use crate::chart::{HTML, LINK as HOSTILE_LINK};
use crate::check::{
    Book, CARD_DETAIL, CARD_INDICATOR, CARD_SOURCE, CARD_SUMMARY, CARD_UUID, CARD_UUID_FORM,
    CARDS_LIST, DETAIL_HTML, DISCOVERY_MEDIA, ESCAPED, LINK, LINK_CONTEXT, OVERRIDE_REASONS,
    RECOMMENDED, RESPONSE_MEMBERS, SELECTION, STRICT_JSON, SUGGESTION, SUGGESTION_UUID,
    SUMMARY_LINE, SYSTEM_ACTIONS,
};
use crate::http::Exchange;
use crate::json;

/// The longest summary, in characters.
const LONGEST: usize = 139;

const MEMBERS: &[&str] = &[
    "uuid",
    "summary",
    "detail",
    "indicator",
    "source",
    "suggestions",
    "selectionBehavior",
    "overrideReasons",
    "links",
];

/// A card as far as later requests need it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) uuid: Option<String>,
    /// What it says, without uuids: two cards with the same are the same advice.
    pub(crate) content: (String, String, String),
    pub(crate) suggestion: Option<String>,
}

/// Judges an answer of status 200, and gives its cards; `None` where it has no list of them.
pub(crate) fn response(
    book: &mut Book,
    exchange: &Exchange,
    drafts: &[Value],
    place: &str,
) -> Option<Vec<Seen>> {
    let media = || exchange.header("content-type").to_owned();
    book.judge(&DISCOVERY_MEDIA, exchange.is_json(), place, media);
    let read = match json::read(&exchange.body) {
        Ok(read) => read,
        Err(why) => {
            // An empty body is no card list; anything else is no JSON.
            let check = if exchange.body.is_empty() {
                &CARDS_LIST
            } else {
                &STRICT_JSON
            };
            book.fail(check, place, why);
            return None;
        }
    };
    document(book, &read, has_empties(drafts), place);
    let Some(object) = read.value.as_object() else {
        book.fail(&CARDS_LIST, place, told(Some(&read.value)));
        return None;
    };
    let known = ["cards", "systemActions"];
    members(book, &RESPONSE_MEMBERS, object, &known, place);
    if let Some(actions) = object.get("systemActions") {
        let list = actions.as_array().filter(|list| !list.is_empty());
        book.judge(&SYSTEM_ACTIONS, list.is_some(), place, || {
            told(Some(actions))
        });
        for (at, one) in list.into_iter().flatten().enumerate() {
            action::judge(
                book,
                one,
                drafts,
                false,
                &format!("{place}, systemActions[{at}]"),
            );
        }
    }
    let list = object.get("cards").and_then(Value::as_array);
    let came = || format!("`cards` is {}", told(object.get("cards")));
    book.judge(&CARDS_LIST, list.is_some(), place, came);
    let (list, mut uuids) = (list?, HashSet::new());
    let mut out = vec![];
    for (at, one) in list.iter().enumerate() {
        let place = format!("{place}, cards[{at}]");
        match one.as_object() {
            Some(one) => out.push(card(book, one, drafts, &mut uuids, &place)),
            None => book.fail(&CARDS_LIST, &place, told(Some(one))),
        }
    }
    Some(out)
}

fn card(
    book: &mut Book,
    card: &Map<String, Value>,
    drafts: &[Value],
    uuids: &mut HashSet<String>,
    place: &str,
) -> Seen {
    card_members(book, card, MEMBERS, place);
    uuid(book, card, &CARD_UUID, uuids, place);
    let summary = text(card, "summary");
    let length = summary.map_or(0, |s| s.chars().count());
    let came = || match summary {
        Some(_) => format!("{length} characters"),
        None => told(card.get("summary")),
    };
    book.judge(&CARD_SUMMARY, (1..=LONGEST).contains(&length), place, came);
    if let Some(summary) = summary {
        let plain =
            !summary.contains(['\n', '\r', '\t']) && !summary.contains("](") && !has_html(summary);
        book.judge(&SUMMARY_LINE, plain, place, || summary.to_owned());
    }
    if let Some(detail) = card.get("detail") {
        book.judge(&CARD_DETAIL, text(card, "detail").is_some(), place, || {
            told(Some(detail))
        });
        let detail = detail.as_str().unwrap_or_default();
        escaped(book, detail, place);
        // What the patient's data says is judged above.
        let own = detail.replace(HTML, "");
        book.judge(&DETAIL_HTML, !has_html(&own), place, || {
            "raw HTML".to_owned()
        });
    }
    let indicator = card.get("indicator").and_then(Value::as_str);
    let fits = matches!(indicator, Some("info" | "warning" | "critical"));
    book.judge(&CARD_INDICATOR, fits, place, || told(card.get("indicator")));
    source(book, card.get("source"), place);
    if let Some(reasons) = card.get("overrideReasons") {
        override_reasons(book, reasons, place);
    }
    if let Some(links) = card.get("links") {
        self::links(book, links, place);
    }
    let suggestion = suggestions(book, card, drafts, uuids, place);
    let owned = |name: &str| text(card, name).unwrap_or_default().to_owned();
    Seen {
        uuid: text(card, "uuid").map(str::to_owned),
        content: (owned("summary"), owned("detail"), owned("indicator")),
        suggestion,
    }
}

/// A uuid that is there, is one, and occurs once in the answer.
fn uuid(
    book: &mut Book,
    object: &Map<String, Value>,
    check: &'static crate::check::Check,
    uuids: &mut HashSet<String>,
    place: &str,
) {
    let value = object.get("uuid");
    book.judge(check, value.is_some(), place, || "none".to_owned());
    let Some(value) = value else { return };
    let is = value.as_str().is_some_and(is_uuid);
    book.judge(&CARD_UUID_FORM, is, place, || told(Some(value)));
    if let Some(text) = value.as_str() {
        let new = uuids.insert(text.to_ascii_lowercase());
        book.judge(&CARD_UUID_FORM, new, place, || {
            format!("{text} twice in one answer")
        });
    }
}

/// Patient text that stands in Markdown as it came, and would be HTML or a link there.
fn escaped(book: &mut Book, detail: &str, place: &str) {
    let tag = HTML.trim_end_matches('>');
    let target = HOSTILE_LINK.trim_start_matches("[doctor");
    for (sign, what) in [(tag, "HTML"), (target, "a link")] {
        for (at, _) in detail.match_indices(sign) {
            let before = detail.get(..at).unwrap_or_default();
            let code = before.matches('`').count() % 2 == 1;
            let escaped = before.ends_with('\\') || before.ends_with("\\[doctor");
            let came = || format!("the patient's text is {what} of the detail");
            book.judge(&ESCAPED, code || escaped, place, came);
        }
    }
    if !detail.contains("src") && !detail.contains("doctor.example") {
        return;
    }
    book.judge(&ESCAPED, true, place, String::new);
}

/// Whether a text has a tag, a comment or the like outside of code.
fn has_html(text: &str) -> bool {
    let mut code = false;
    let mut previous = ' ';
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '`' if previous != '\\' => code = !code,
            '<' if !code && previous != '\\' => {
                let opens = |c: &char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?');
                let rest: String = characters.clone().take(200).collect();
                let is_address = rest.starts_with("http://") || rest.starts_with("https://");
                if characters.peek().is_some_and(opens) && rest.contains('>') && !is_address {
                    return true;
                }
            }
            _ => {}
        }
        previous = c;
    }
    false
}

fn source(book: &mut Book, source: Option<&Value>, place: &str) {
    let place = format!("{place}.source");
    let Some(object) = source.and_then(Value::as_object) else {
        book.fail(&CARD_SOURCE, &place, told(source));
        return;
    };
    card_members(book, object, &["label", "url", "icon", "topic"], &place);
    let came = || format!("`label` is {}", told(object.get("label")));
    book.judge(&CARD_SOURCE, text(object, "label").is_some(), &place, came);
    for name in ["url", "icon"] {
        if let Some(value) = object.get(name) {
            let fits = value.as_str().is_some_and(is_absolute);
            let came = || format!("`{name}` is {}", told(Some(value)));
            book.judge(&CARD_SOURCE, fits, &place, came);
        }
    }
    if let Some(topic) = object.get("topic") {
        let fits = coding(topic, &["code", "system"]);
        let came = || format!("`topic` is {}", told(Some(topic)));
        book.judge(&CARD_SOURCE, fits, &place, came);
    }
}

/// An object with these texts.
fn coding(value: &Value, names: &[&str]) -> bool {
    let object = value.as_object();
    object.is_some_and(|object| names.iter().all(|name| text(object, name).is_some()))
}

fn override_reasons(book: &mut Book, reasons: &Value, place: &str) {
    let Some(list) = reasons.as_array() else {
        book.fail(&OVERRIDE_REASONS, place, told(Some(reasons)));
        return;
    };
    for reason in list {
        let fits = coding(reason, &["code", "system", "display"]);
        book.judge(&OVERRIDE_REASONS, fits, place, || told(Some(reason)));
    }
}

fn links(book: &mut Book, links: &Value, place: &str) {
    let Some(list) = links.as_array() else {
        book.fail(&LINK, place, told(Some(links)));
        return;
    };
    for (at, link) in list.iter().enumerate() {
        let place = format!("{place}.links[{at}]");
        let Some(object) = link.as_object() else {
            book.fail(&LINK, &place, told(Some(link)));
            continue;
        };
        let known = ["label", "url", "type", "appContext", "autolaunchable"];
        card_members(book, object, &known, &place);
        let ty = text(object, "type").unwrap_or_default();
        let fits = text(object, "label").is_some()
            && text(object, "url").is_some_and(is_absolute)
            && matches!(ty, "absolute" | "smart");
        book.judge(&LINK, fits, &place, || told(Some(link)));
        if let Some(context) = object.get("appContext") {
            let fits = context.is_string() && ty == "smart";
            book.judge(&LINK_CONTEXT, fits, &place, || told(Some(context)));
        }
        if let Some(launch) = object.get("autolaunchable") {
            book.judge(&LINK_CONTEXT, launch.is_boolean(), &place, || {
                told(Some(launch))
            });
        }
    }
}

/// Judges the suggestions; gives the uuid of the first.
fn suggestions(
    book: &mut Book,
    card: &Map<String, Value>,
    drafts: &[Value],
    uuids: &mut HashSet<String>,
    place: &str,
) -> Option<String> {
    let behavior = card.get("selectionBehavior");
    let Some(value) = card.get("suggestions") else {
        if behavior.is_some() {
            book.fail(&SELECTION, place, "`selectionBehavior` without suggestions");
        }
        return None;
    };
    let name = behavior.and_then(Value::as_str);
    let fits = matches!(name, Some("at-most-one" | "any"));
    let came = || format!("`selectionBehavior` is {}", told(behavior));
    book.judge(&SELECTION, fits, place, came);
    let list = value.as_array().filter(|list| !list.is_empty());
    book.judge(&SUGGESTION, list.is_some(), place, || told(Some(value)));
    let (list, mut recommended, mut first) = (list?, 0, None);
    for (at, one) in list.iter().enumerate() {
        let place = format!("{place}.suggestions[{at}]");
        let Some(object) = one.as_object() else {
            book.fail(&SUGGESTION, &place, told(Some(one)));
            continue;
        };
        let known = [
            "label",
            "uuid",
            "isRecommended",
            "actions",
            "actionSelectionBehavior",
        ];
        card_members(book, object, &known, &place);
        let came = || format!("`label` is {}", told(object.get("label")));
        book.judge(&SUGGESTION, text(object, "label").is_some(), &place, came);
        uuid(book, object, &SUGGESTION_UUID, uuids, &place);
        if let Some(value) = object.get("isRecommended") {
            book.judge(&RECOMMENDED, value.is_boolean(), &place, || {
                told(Some(value))
            });
            recommended += usize::from(value == &Value::Bool(true));
        }
        action::of_suggestion(book, object, drafts, &place);
        first = first.or_else(|| text(object, "uuid").map(str::to_owned));
    }
    if name == Some("at-most-one") {
        let came = || format!("{recommended} are recommended");
        book.judge(&RECOMMENDED, recommended <= 1, place, came);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_in_markdown() {
        for html in ["a <b>c</b>", "<!-- x -->", "<img src=x>", "</p>"] {
            assert!(has_html(html), "{html}");
        }
        for none in [
            "a < b",
            "5 <6> 7",
            "`<b>`",
            r"\<b>",
            "&lt;b>",
            "<https://x.org>",
            "<b",
        ] {
            assert!(!has_html(none), "{none}");
        }
    }

    #[test]
    fn text_that_is_escaped() {
        use crate::check::Outcome;
        let outcome = |detail: &str| {
            let mut book = Book::default();
            escaped(&mut book, detail, "x");
            let results = book.results();
            let (_, tally) = results.iter().find(|(c, _)| c.id == ESCAPED.id).unwrap();
            tally.outcome()
        };
        assert_eq!(outcome(&format!("due for {HTML}")), Outcome::Failed);
        assert_eq!(outcome(&format!("due for {HOSTILE_LINK}")), Outcome::Failed);
        let fine =
            r"due for \<img src=x onerror=doctor(1)\> \[doctor\](https://doctor.example/stolen)";
        assert_eq!(outcome(fine), Outcome::Passed);
        assert_eq!(
            outcome("&lt;img src=x onerror=doctor(1)&gt;"),
            Outcome::Passed
        );
        assert_eq!(outcome("nothing"), Outcome::Skipped);
    }
}
