//! Texts of the data on a card, read by a GitHub Flavored Markdown reader: each shows as what it is.

use comrak::{Options, markdown_to_html};
use rules::text;

/// What a text could try.
const HOSTILE: &[&str] = &[
    "http://evil.example/x",
    "https://evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "ftp://evil.example",
    "www.evil.example",
    "WWW.evil.example/x?y=z",
    "mail me@evil.example now",
    "mailto:me@evil.example",
    "xmpp:me@evil.example/x",
    "[x](http://evil.example)",
    "![x](http://evil.example/i.png)",
    "[x]: http://evil.example",
    "x](http://evil.example)[y",
    "](javascript:alert(1))",
    "<http://evil.example>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</p><b>x</b><!-- ",
    "&lt;b&gt; &#60;b&#62; &amp;",
    "`code` ``more`` ```",
    "```\ncode\n```",
    "~~~\ncode",
    "~~gone~~ ~one~",
    "**bold** __bold__ *it* _it_",
    "# heading",
    "a\n===",
    "- item",
    "+ item",
    "* item",
    "1. item",
    "2) item",
    "> quote",
    "    indented",
    "\tindented",
    "| a | b |\n|---|---|\n| c | d |",
    ":-",
    "---",
    "- [x] done",
    "[^1] note",
    "[^1]: note",
    "a\\",
    "\\`a\\`",
    "\\<b>",
    "!",
    "[",
    "(http://evil.example)",
    ": http://evil.example",
    "//evil.example",
    ".evil.example",
    "\" onmouseover=\"alert(1)",
    "' onmouseover='alert(1)",
    "a\u{202e}b\u{2066}c\u{200b}d\u{feff}e",
    "nul\u{0}esc\u{1b}[31m",
    "ht\u{200b}tp://evil.example",
    "\u{34f}http\u{34f}://evil.example",
    "O'Brien (née Doe), 7.5 % & more; A/B #1 5*3",
];

fn html(markdown: &str) -> String {
    let mut options = Options::default();
    options.extension.autolink = true;
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    // As a client without a filter.
    options.render.r#unsafe = true;
    markdown_to_html(markdown, &options)
}

/// The tags, without what is in them, and the text.
fn parts(html: &str) -> (Vec<String>, String) {
    let (mut tags, mut text) = (vec![], String::new());
    for piece in html.split('<').enumerate() {
        let shown = match piece {
            (0, first) => first,
            (_, piece) => {
                let (tag, after) = piece.split_once('>').unwrap();
                let name = tag.split(' ').next().unwrap();
                tags.push(name.to_owned());
                after
            }
        };
        text.push_str(shown);
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace('\u{34f}', "");
    (tags, text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Texts of pieces of the hostile ones, the same every time.
fn generated() -> Vec<String> {
    let pieces = [
        "http", "://", "www", ".", "@", "evil", "com", "[", "]", "(", ")", "`", "``", "<", ">",
        "&", "\\", "*", "_", "~", "#", "|", "!", "-", "1", " ", "\n", "a", "é", "/", ":", ";",
        "\"", "'", "=", "+", "\u{200b}", "\u{202e}", "lt", "script", "mailto:", "{", "}", "^",
    ];
    let mut state: u64 = 7;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    (0..5000)
        .map(|_| {
            (0..1 + next(12))
                .map(|_| pieces[next(pieces.len())])
                .collect()
        })
        .collect()
}

fn all() -> Vec<String> {
    let hostile = HOSTILE.iter().map(|t| (*t).to_owned());
    hostile.chain(generated()).collect()
}

/// Wherever an author may put a value, what comes out has the tags of a harmless value, and shows the text.
#[test]
fn a_text_of_the_data_shows_as_what_it_is() {
    let places = [
        "{}",
        "a {} b",
        "a\n{}\nb",
        "**{}**",
        "_x_ {}",
        "- {}",
        "1. {}",
        "> {}",
        "# {}",
        "a{}",
        "{}a",
        "[see]{}",
        "[see] {}",
        "!{}",
        "({})",
        "x [a](https://ok.example/y) {}",
        "| h |\n|---|\n| {} |",
        "{}\n\n[see]",
        "a {}\n- b",
    ];
    for text in all() {
        let (shown, escaped) = (text::plain(&text), text::markdown(&text));
        if shown.is_empty() {
            continue;
        }
        for place in places {
            let (tags, said) = parts(&html(&place.replace("{}", &escaped)));
            let (harmless, around) = parts(&html(&place.replace("{}", "harmless")));
            assert_eq!(tags, harmless, "{text:?} in {place:?}: {escaped:?}");
            assert_eq!(
                said,
                around.replace("harmless", &shown),
                "{text:?} in {place:?}"
            );
        }
    }
}

/// Where Markdown knows no escape nothing breaks out.
#[test]
fn a_text_of_the_data_stays_in_a_code_span() {
    for text in all() {
        let escaped = text::markdown(&text);
        for place in ["a `x{}` b", "a `{}x` b", "```\n{}\n```\nb"] {
            let (tags, _) = parts(&html(&place.replace("{}", &escaped)));
            let (harmless, _) = parts(&html(&place.replace("{}", "harmless")));
            assert_eq!(tags, harmless, "{text:?} in {place:?}");
        }
    }
}

#[test]
fn a_text_of_the_data_stays_in_the_target_of_a_link() {
    for text in all() {
        let part = text::url_part(&text);
        for place in [
            "[a](https://ok.example/{}) b",
            "<https://ok.example/{}> b",
            "[a](<https://ok.example/{}>)",
        ] {
            let made = html(&place.replace("{}", &part));
            assert_eq!(
                made.matches("<a href=\"https://ok.example/").count(),
                1,
                "{made}"
            );
            let (tags, _) = parts(&made);
            assert_eq!(tags, ["p", "a", "/a", "/p"], "{text:?}: {made}");
        }
    }
}

#[test]
fn reasons_are_texts() {
    for text in all() {
        let reason = format!("`Patient.birthDate` is {text}");
        let (tags, said) = parts(&html(&text::reason(&reason)));
        assert_eq!(tags, ["p", "/p"], "{text:?}");
        let plain = [
            "the date of birth of the patient is",
            "the data is not clear enough to tell",
        ];
        assert!(plain.iter().any(|p| said.starts_with(p)), "{said}");
    }
}

/// A rule whose author puts a text of the patient everywhere.
const RULE: &str = r#"id: gap
version: 1.0.0
kind: care-gap
title: A gap
description: What it does.
rationale: Why.
source: {title: T, publisher: P, year: 2025, url: "https://example.org/a", strength: A}
improvement: increase
eligible: ageInYearsAt(at) >= 18
excluded: "false"
satisfied: "false"
unknown: card
card:
  indicator: info
  summary: 'Due for {{ patient.language }}'
  detail: |
    Language: {{ patient.language }}, code `{{ patient.language }}`

    [Guideline](https://ok.example/g) and [chart](https://ok.example/c/{{ patient.language }}?x=1)
  unknown_summary: Not checked
cases:
  - name: fires
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960}
    expect: {applies: yes}
  - name: does not fire
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 2020-01-01}
    expect: {applies: no}
  - name: missing
    at: 2025-12-31T12:00:00Z
    patient: {gender: female}
    expect: {applies: unknown, reason: birthDate}
"#;

#[tokio::test]
async fn a_rules_card_shows_what_the_patient_brings_and_links_what_the_author_wrote() {
    let rule = rules::load("gap.yaml", RULE, &rules::built_in_terminology());
    let rule = rule.unwrap_or_else(|problems| panic!("{problems:?}"));
    let services = cds_hooks::rule_services(vec![std::sync::Arc::new(rule)]);
    let router = cds_hooks::router(crate::fixture::config(), services);
    for text in HOSTILE {
        let mut request = crate::fixture::request();
        request["prefetch"]["patient"]["language"] = (*text).into();
        let headers = [("content-type", "application/json")];
        let body = serde_json::to_vec(&request).unwrap();
        let request = crate::fixture::http(
            axum::http::Method::POST,
            "/cds-services/gap",
            &headers,
            body,
        );
        let response = tower::ServiceExt::oneshot(router.clone(), request)
            .await
            .unwrap();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
        crate::conformance::response(&answer);
        let card = &answer["cards"][0];
        assert_eq!(card["summary"], format!("Due for {}", text::plain(text)));
        assert_eq!(card["source"]["url"], "https://example.org/a");
        let html = html(card["detail"].as_str().unwrap());
        let (tags, said) = parts(&html);
        let expected = [
            "p", "code", "/code", "/p", "p", "a", "/a", "a", "/a", "/p", "p", "em", "/em", "/p",
        ];
        assert_eq!(tags, expected, "{text:?}: {html}");
        assert!(
            said.starts_with(&format!("Language: {}, code ", text::plain(text))),
            "{said}"
        );
        assert_eq!(
            html.matches("<a href=\"https://ok.example/").count(),
            2,
            "{html}"
        );
        assert!(html.contains("?x=1\">chart</a>"), "{html}");
    }
}
