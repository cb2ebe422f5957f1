//! Feedback in any order, any number of times, of any card (checklist G).

use cds_store::{Asked, FeedbackCounts, ReasonCoding};

use crate::support::*;

fn asked() -> Asked {
    Asked::new(at("2026-12-01T00:00:00Z"))
}

/// Item 68: repeats for one card are one entry; the history is kept.
#[tokio::test(flavor = "multi_thread")]
async fn item_68_repeats_are_counted_and_different_feedback_is_all_kept() {
    both(async |base| {
        let store = base.open().await;
        store.record(call(1, "r")).await.unwrap();
        let first = overridden(&card(1), "2026-11-30T13:00:00Z");
        let counts = store
            .feedback(batch(vec![first.clone()]), None)
            .await
            .unwrap();
        let expected = FeedbackCounts {
            new: 1,
            matched: 1,
            ..FeedbackCounts::default()
        };
        assert_eq!(counts, expected);
        // The same, the moment written in another way, twice in one batch.
        let mut same = first.clone();
        same.outcome_timestamp = "2026-11-30T14:00:00+01:00".into();
        same.outcome_at = at("2026-11-30T14:00:00+01:00");
        let counts = store
            .feedback(batch(vec![same.clone(), same]), None)
            .await
            .unwrap();
        let expected = FeedbackCounts {
            repeated: 2,
            matched: 2,
            ..FeedbackCounts::default()
        };
        assert_eq!(counts, expected);
        // A reason, a comment, another moment: each is another entry.
        let mut reason = first.clone();
        reason.reason = Some(ReasonCoding {
            code: "x".into(),
            ..ReasonCoding::default()
        });
        let mut comment = first.clone();
        comment.comment = Some("no".into());
        let later = overridden(&card(1), "2026-11-30T13:00:01Z");
        let all = vec![
            reason,
            comment,
            later,
            accepted(&card(1), "2026-11-30T13:00:00Z"),
        ];
        assert_eq!(store.feedback(batch(all), None).await.unwrap().new, 4);
        assert_eq!(base.number("SELECT COUNT(*) FROM cds_feedback").await, 5);
        assert_eq!(
            base.number("SELECT CAST(SUM(repeats) AS BIGINT) FROM cds_feedback")
                .await,
            2
        );
    })
    .await;
}

/// Item 68: a request of as many entries as there may be, with some of each kind.
#[tokio::test(flavor = "multi_thread")]
async fn item_68_a_large_request_is_counted_as_small_ones_are() {
    both(async |base| {
        let store = base.open().await;
        for number in 0..10 {
            store.record(call(number, "r")).await.unwrap();
        }
        let mut theirs = call(10, "r");
        theirs.shown.as_mut().unwrap().client = "https://elsewhere.example".into();
        store.record(theirs).await.unwrap();
        let said = |number: u64| overridden(&card(number), "2026-11-30T13:00:00Z");
        let before = (0..100).map(said).collect();
        store.feedback(batch(before), None).await.unwrap();
        // 900 cards, of which 100 were spoken of before, and 100 of them once more.
        let all = (0..900).chain(50..150).map(said).collect();
        let counts = store.feedback(batch(all), None).await.unwrap();
        let expected = FeedbackCounts {
            new: 800,
            repeated: 200,
            matched: 10,
            unmatched: 989,
            foreign: 1,
        };
        assert_eq!(counts, expected);
        let repeats = "SELECT COUNT(*) FROM cds_feedback WHERE repeats = ";
        for (times, count) in [(0, 750), (1, 100), (2, 50)] {
            assert_eq!(
                base.number(&format!("{repeats}{times}")).await,
                count,
                "{times}"
            );
        }
        let report = store.reader().report(&asked()).await.unwrap();
        assert_eq!(
            (report.feedback.entries, report.feedback.repeats),
            (900, 200)
        );
        assert_eq!(
            (report.total.counts.shown, report.total.counts.overridden),
            (11, 10)
        );
    })
    .await;
}

/// Item 68: what was said last counts, in whatever order it came.
#[tokio::test(flavor = "multi_thread")]
async fn item_68_the_latest_outcome_counts_whatever_the_order() {
    both(async |base| {
        let store = base.open().await;
        store.record(call(1, "r")).await.unwrap();
        let late = accepted(&card(1), "2026-11-30T15:00:00Z");
        let early = overridden(&card(1), "2026-11-30T14:00:00Z");
        store.feedback(batch(vec![late]), None).await.unwrap();
        store.feedback(batch(vec![early]), None).await.unwrap();
        let total = store.reader().report(&asked()).await.unwrap().total.counts;
        assert_eq!((total.shown, total.accepted, total.overridden), (1, 1, 0));
        // A clock that is years ahead does not count for ever.
        let ahead = overridden(&card(1), "2031-01-01T00:00:00Z");
        store.feedback(batch(vec![ahead]), None).await.unwrap();
        let mut after = batch(vec![accepted(&card(1), "2026-11-30T19:00:00Z")]);
        after.received = at("2026-11-30T19:00:01Z");
        store.feedback(after, None).await.unwrap();
        let total = store.reader().report(&asked()).await.unwrap().total.counts;
        assert_eq!((total.accepted, total.overridden), (1, 0));
    })
    .await;
}

/// Item 72: a card that nobody knows is no error; it counts once the card is recorded.
#[tokio::test(flavor = "multi_thread")]
async fn item_72_feedback_before_its_card_is_matched_later() {
    both(async |base| {
        let store = base.open().await;
        let early = batch(vec![overridden(&card(1), "2026-11-30T13:00:00Z")]);
        let counts = store.feedback(early, None).await.unwrap();
        assert_eq!((counts.new, counts.unmatched), (1, 1));
        let report = store.reader().report(&asked()).await.unwrap();
        assert_eq!(
            (report.total.counts.shown, report.feedback.unmatched),
            (0, 1)
        );
        store.record(call(1, "r")).await.unwrap();
        let report = store.reader().report(&asked()).await.unwrap();
        assert_eq!(
            (report.total.counts.overridden, report.feedback.unmatched),
            (1, 0)
        );
        assert_eq!(store.counts().feedback_unmatched, 1);
    })
    .await;
}

/// Item 71: who may call may say something of its own cards, and of no others.
#[tokio::test(flavor = "multi_thread")]
async fn item_71_feedback_of_others_counts_for_no_card() {
    both(async |base| {
        let store = base.open().await;
        store.record(call(1, "r")).await.unwrap();
        let mut foreign = batch(vec![overridden(&card(1), "2026-11-30T13:00:00Z")]);
        foreign.client = "https://elsewhere.example".into();
        let counts = store.feedback(foreign, None).await.unwrap();
        assert_eq!((counts.foreign, counts.matched), (1, 0));
        let mut tenant = batch(vec![overridden(&card(1), "2026-11-30T13:00:00Z")]);
        tenant.tenant = "south".into();
        assert_eq!(store.feedback(tenant, None).await.unwrap().foreign, 1);
        let report = store.reader().report(&asked()).await.unwrap();
        assert_eq!((report.total.silent, report.feedback.foreign), (1, 2));
        // A client that was given the same card has its own.
        let mut same = call(2, "r");
        let shown = same.shown.as_mut().unwrap();
        shown.client = "https://elsewhere.example".into();
        shown.cards[0].card = card(1);
        store.record(same).await.unwrap();
        let report = store.reader().report(&asked()).await.unwrap();
        assert_eq!(
            (report.total.counts.shown, report.total.counts.overridden),
            (2, 1)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_is_in_the_audit_log_together_with_its_rows() {
    both(async |base| {
        let store = base.open().await;
        let said = batch(vec![overridden(&card(1), "2026-11-30T13:00:00Z")]);
        store.feedback(said, Some(&entry(9))).await.unwrap();
        assert_eq!(store.reader().head().await.unwrap().seq, 1);
        // An entry that cannot be written takes the feedback with it.
        let mut other = entry(9);
        other.status = 400;
        let said = batch(vec![overridden(&card(2), "2026-11-30T13:00:00Z")]);
        store.feedback(said, Some(&other)).await.unwrap_err();
        assert_eq!(base.number("SELECT COUNT(*) FROM cds_feedback").await, 1);
    })
    .await;
}
