//! Candidates beside what is live: what a rule on trial would have shown in a call, and how that differs
//! from the live rule of the same id.
//!
//! What is not known of one of the two is not compared: where it was late or failed, where the call was refused,
//! where cards were cut since there were too many.
//!
//! Cards are compared by what they say ([`CardRecord::content`]), not by their uuids, which are another in
//! each call.

use cds_hooks::seams::{CallRecord, CardRecord, RuleOutcome, RuleRecord};

/// A candidate in one call.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Comparison {
    /// The id, of the candidate and of the live rule.
    pub rule: String,
    /// The candidate's version.
    pub version: String,
    /// The live rule's; `None` where there is no live rule of this id at the service.
    pub live_version: Option<String>,
    /// Both are known whole; else the counts are 0.
    pub is_compared: bool,
    /// Cards that only the candidate has.
    pub added: usize,
    /// Cards that only the live rule has.
    pub removed: usize,
    /// Cards that both have.
    pub common: usize,
}

/// What the candidates of a call said.
pub fn comparisons(call: &CallRecord) -> Vec<Comparison> {
    let candidates = call.rules.iter().filter(|rule| rule.is_shadow);
    let each = candidates.map(|candidate| {
        let mut live = call.rules.iter().filter(|rule| !rule.is_shadow);
        let live = live.find(|rule| rule.rule == candidate.rule);
        let of = |shadow: bool, version: &str| {
            let cards = call.cards.iter().filter(|card| card.is_shadow == shadow);
            cards
                .filter(|card| is_of(card, &candidate.rule, version))
                .map(|card| card.content.as_str())
                .collect::<Vec<_>>()
        };
        let theirs = of(true, &candidate.version);
        let mut ours = live.map_or_else(Vec::new, |live| of(false, &live.version));
        let mut common = 0;
        let is_whole = |rule: &RuleRecord, cards: &[&str]| {
            let is_done = !matches!(rule.outcome, RuleOutcome::Late | RuleOutcome::Failed);
            is_done && cards.len() == rule.cards
        };
        let is_compared = call.status == 200
            && is_whole(candidate, &theirs)
            && live.is_none_or(|live| is_whole(live, &ours));
        if !is_compared {
            return Comparison {
                rule: candidate.rule.clone(),
                version: candidate.version.clone(),
                live_version: live.map(|live| live.version.clone()),
                ..Comparison::default()
            };
        }
        for content in &theirs {
            if let Some(at) = ours.iter().position(|other| other == content) {
                ours.swap_remove(at);
                common += 1;
            }
        }
        Comparison {
            rule: candidate.rule.clone(),
            version: candidate.version.clone(),
            live_version: live.map(|live| live.version.clone()),
            is_compared,
            added: theirs.len() - common,
            removed: ours.len(),
            common,
        }
    });
    each.collect()
}

fn is_of(card: &CardRecord, rule: &str, version: &str) -> bool {
    let mut rules = card.rules.iter();
    rules.any(|(id, of)| id == rule && of == version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(rule: &str, version: &str, is_shadow: bool, cards: usize) -> RuleRecord {
        RuleRecord {
            rule: rule.into(),
            version: version.into(),
            hash: String::new(),
            outcome: RuleOutcome::Fired,
            is_shadow,
            cards,
            reason: None,
            millis: 0.1,
        }
    }

    fn card(rule: &str, version: &str, content: &str, is_shadow: bool) -> CardRecord {
        CardRecord {
            uuid: String::new(),
            rules: vec![(rule.into(), version.into())],
            indicator: "info",
            content: content.into(),
            summary: String::new(),
            suggestions: vec![],
            evidence: vec![],
            is_shadow,
            says_unknown: false,
        }
    }

    #[test]
    fn cards_are_compared_by_what_they_say() {
        let call = CallRecord {
            rules: vec![
                rule("a", "1", false, 2),
                rule("a", "2", true, 2),
                rule("new", "1", true, 1),
                rule("b", "1", false, 1),
            ],
            status: 200,
            cards: vec![
                card("a", "1", "same", false),
                card("a", "1", "gone", false),
                card("b", "1", "other rule", false),
                card("a", "2", "same", true),
                card("a", "2", "same", true),
                card("new", "1", "x", true),
            ],
            ..CallRecord::default()
        };
        let found = comparisons(&call);
        let of =
            |rule: &str, version: &str, live: Option<&str>, added, removed, common| Comparison {
                rule: rule.into(),
                version: version.into(),
                live_version: live.map(str::to_owned),
                is_compared: true,
                added,
                removed,
                common,
            };
        assert_eq!(
            found,
            [
                of("a", "2", Some("1"), 1, 1, 1),
                of("new", "1", None, 1, 0, 0)
            ]
        );
    }

    /// A rule that was not done, or whose card found no room, is not one that says nothing.
    #[test]
    fn what_is_not_known_whole_is_not_compared() {
        let call = CallRecord {
            rules: vec![rule("a", "1", false, 1), rule("a", "2", true, 1)],
            cards: vec![card("a", "1", "same", false), card("a", "2", "same", true)],
            status: 200,
            ..CallRecord::default()
        };
        let is_compared = |change: &dyn Fn(&mut CallRecord)| {
            let mut call = call.clone();
            change(&mut call);
            comparisons(&call)[0].is_compared
        };
        assert!(is_compared(&|_| {}));
        assert!(!is_compared(&|call| call.status = 412));
        assert!(!is_compared(
            &|call| call.rules[0].outcome = RuleOutcome::Late
        ));
        assert!(!is_compared(
            &|call| call.rules[1].outcome = RuleOutcome::Late
        ));
        assert!(!is_compared(
            &|call| call.rules[1].outcome = RuleOutcome::Failed
        ));
        assert!(!is_compared(&|call| drop(call.cards.remove(0))), "cut");
    }
}
