//! The report: what became of cards, by rule and by all else.

use cds_store::{Asked, By, Feedback, ReasonCoding, Report, ShownRule, Store, StoreError, page};

use crate::support::*;

const HL7: &str = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes";

fn reason(system: &str, code: &str, display: Option<&str>) -> Option<ReasonCoding> {
    Some(ReasonCoding {
        system: system.into(),
        code: code.into(),
        display: display.map(str::to_owned),
    })
}

fn with(card: u64, reason: Option<ReasonCoding>, comment: Option<&str>) -> Feedback {
    Feedback {
        reason,
        comment: comment.map(str::to_owned),
        ..overridden(&crate::support::card(card), "2026-11-30T13:00:00Z")
    }
}

/// 50 cards of `often` at two hooks (40 overridden, 5 accepted, 5 silent), 10 of `rare` (1 overridden).
async fn filled(store: &Store) {
    for number in 0..60 {
        let rule = if number < 50 { "often" } else { "rare" };
        let mut record = call(number, rule);
        let shown = record.shown.as_mut().unwrap();
        if number % 2 == 0 {
            shown.hook = "order-select".into();
            shown.site = None;
            shown.cards[0].rules[0].version = "1.3.0".into();
        }
        store.record(record).await.unwrap();
    }
    let mut said = vec![];
    for number in 0..40 {
        said.push(match number {
            0..20 => with(number, reason(HL7, "patient-refuses", None), None),
            20..30 => with(
                number,
                reason("http://own.example", "busy", Some("Too <b>busy</b>")),
                Some("later"),
            ),
            _ => with(
                number,
                None,
                Some("Mr. Miller <script>alert(1)</script> does not want it"),
            ),
        });
    }
    said.extend((40..45).map(|number| accepted(&card(number), "2026-11-30T13:00:00Z")));
    said.push(with(50, reason(HL7, "too-costly-uncovered", None), None));
    said.push(overridden("of nobody", "2026-11-30T13:00:00Z"));
    store.feedback(batch(said), None).await.unwrap();
}

fn asked(by: &[By]) -> Asked {
    Asked {
        by: by.to_vec(),
        ..Asked::new(at("2026-12-01T00:00:00Z"))
    }
}

fn numbers(report: &Report, rule: &str) -> (u64, u64, u64, u64) {
    let found = report.rules.iter().find(|r| r.rule == rule).unwrap();
    let counts = &found.line.counts;
    (
        counts.shown,
        counts.accepted,
        counts.overridden,
        found.line.silent,
    )
}

/// Item 70: silent is counted apart from overridden.
#[tokio::test(flavor = "multi_thread")]
async fn item_70_shown_accepted_overridden_and_silent() {
    both(async |base| {
        let store = base.open().await;
        filled(&store).await;
        let report = store.reader().report(&asked(&[])).await.unwrap();
        assert_eq!(numbers(&report, "often"), (50, 5, 40, 5));
        assert_eq!(numbers(&report, "rare"), (10, 0, 1, 9));
        assert_eq!(report.total.counts.shown, 60);
        assert_eq!(report.rules[0].versions, ["1.2.0", "1.3.0"]);
        // 1 of 1 is no reason to blame a rule.
        assert_eq!(report.mostly_overridden, ["often"]);
        assert!(report.rules[1].line.few && !report.rules[0].line.few);
        assert_eq!(report.feedback.unmatched, 1);
        assert!(report.without_feedback.is_empty());
        let mut strict = asked(&[]);
        strict.override_percent = 95;
        let report = store.reader().report(&strict).await.unwrap();
        assert!(report.mostly_overridden.is_empty());
    })
    .await;
}

/// Item 69: `display` is normally missing; the codes of HL7 have theirs. Item 56: own codes are taken.
#[tokio::test(flavor = "multi_thread")]
async fn item_69_reasons_have_their_names() {
    both(async |base| {
        let store = base.open().await;
        filled(&store).await;
        let report = store.reader().report(&asked(&[])).await.unwrap();
        let reasons = &report.rules[0].reasons;
        assert_eq!(
            reasons[0].display,
            "Patient refuses/declines (no context given)"
        );
        assert_eq!(reasons[0].count, 20);
        assert!(
            reasons[0]
                .category
                .as_deref()
                .unwrap()
                .contains("preferences")
        );
        assert_eq!(
            (reasons[1].display.as_str(), reasons[1].count),
            ("Too <b>busy</b>", 10)
        );
        let counts = &report.rules[0].line.counts;
        assert_eq!((counts.with_reason, counts.with_comment), (30, 20));
        // Comments may hold data of patients.
        let json = serde_json::to_string(&report).unwrap();
        assert!(!json.contains("Miller") && !page(&report).contains("Miller"));
        let mut with_comments = asked(&[]);
        with_comments.comments = 3;
        let report = store.reader().report(&with_comments).await.unwrap();
        assert_eq!(report.rules[0].comments.len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_told_apart_by_hook_site_role_service_client_and_version() {
    both(async |base| {
        let store = base.open().await;
        filled(&store).await;
        let report = store.reader().report(&asked(&By::ALL)).await.unwrap();
        assert_eq!(report.by.len(), 7);
        for own in &report.by {
            let shown: u64 = own.rows.iter().map(|row| row.line.counts.shown).sum();
            assert_eq!(shown, 60, "{:?}", own.by);
        }
        let hooks = report.cells(By::Hook);
        let rows: Vec<String> = hooks
            .rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|f| f.for_people())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(rows.len(), 4);
        assert_eq!(rows[0], "order-select often 25 3 20 2 87 %* 15 10");
        assert_eq!(rows[1], "order-sign often 25 2 20 3 91 %* 15 10");
        let sites = report.cells(By::Site);
        assert!(
            sites
                .rows
                .iter()
                .any(|row| row[0].for_people() == "not recorded")
        );
        let csv: Vec<String> = report.cells(By::Rule).rows[0]
            .iter()
            .map(|f| f.for_programs())
            .collect();
        assert_eq!(
            csv.join(","),
            "often,1.2.0 1.3.0,yes,50,5,40,5,0.8889,30,20"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_of_a_period_and_of_a_tenant() {
    both(async |base| {
        let store = base.open().await;
        filled(&store).await;
        let mut part = asked(&[]);
        part.from = Some(noon(10));
        part.to = Some(noon(20));
        let report = store.reader().report(&part).await.unwrap();
        assert_eq!(numbers(&report, "often"), (10, 0, 10, 0));
        part.to = Some(noon(10));
        let refused = store.reader().report(&part).await.unwrap_err();
        assert!(matches!(refused, StoreError::Mistake(_)), "{refused}");
        let mut other = asked(&[]);
        other.tenant = Some("south".into());
        let report = store.reader().report(&other).await.unwrap();
        assert!(report.rules.is_empty());
        assert!(page(&report).contains("No card was shown"));
        // Over the years, days are taken together.
        let mut old = call(500, "often");
        old.shown.as_mut().unwrap().at = at("2020-01-01T00:00:00Z");
        store.record(old).await.unwrap();
        let report = store.reader().report(&asked(&[])).await.unwrap();
        assert!(report.over_time.len() <= 125, "{}", report.over_time.len());
        assert_eq!(
            report
                .over_time
                .iter()
                .map(|s| s.line.counts.shown)
                .sum::<u64>(),
            61
        );
        assert_eq!(report.period.0, "2020-01-01T00:00:00Z");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_whole_in_itself_and_escapes() {
    let base = Base::sqlite();
    let store = base.open().await;
    filled(&store).await;
    let mut all = asked(&By::ALL);
    all.comments = 50;
    let html = page(&store.reader().report(&all).await.unwrap());
    assert!(html.starts_with("<!DOCTYPE html>"));
    for outside in ["<script", "http-equiv", "src=", "href=", "url(", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(html.contains("Too &lt;b&gt;busy&lt;/b&gt;"));
    assert!(html.contains("comments of clinicians"));
    assert!(html.contains("prefers-color-scheme:dark") && html.contains("@media print"));
    assert!(html.matches("<svg").count() >= 8);
    assert!(html.contains("Mostly overridden: <strong>often</strong>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_of_two_rules_counts_for_both_and_once_in_all() {
    both(async |base| {
        let store = base.open().await;
        let mut shared = call(1, "one");
        let rules = &mut shared.shown.as_mut().unwrap().cards[0].rules;
        rules.push(ShownRule {
            rule: "two".into(),
            ..rules[0].clone()
        });
        store.record(shared).await.unwrap();
        let said = batch(vec![overridden(&card(1), "2026-11-30T13:00:00Z")]);
        let counts = store.feedback(said, None).await.unwrap();
        assert_eq!((counts.new, counts.matched), (1, 1));
        let report = store.reader().report(&asked(&[])).await.unwrap();
        assert_eq!(
            (report.total.counts.shown, report.total.counts.overridden),
            (1, 1)
        );
        assert_eq!(numbers(&report, "one"), (1, 0, 1, 0));
        assert_eq!(numbers(&report, "two"), (1, 0, 1, 0));
        assert_eq!(report.over_time.len(), 1);
        assert_eq!(report.over_time[0].line.counts.shown, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_answer_are_named() {
    both(async |base| {
        let store = base.open().await;
        filled(&store).await;
        let mut mute = call(700, "often");
        mute.shown.as_mut().unwrap().client = "https://mute.example".into();
        store.record(mute).await.unwrap();
        let report = store.reader().report(&asked(&[])).await.unwrap();
        assert_eq!(report.without_feedback.len(), 1);
        assert_eq!(report.without_feedback[0].name, "https://mute.example");
        assert!(
            report
                .notes()
                .iter()
                .any(|note| note.contains("https://mute.example (1 cards)"))
        );
    })
    .await;
}
