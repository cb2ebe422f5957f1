//! Which cards are shown, and in which order.

use crate::service::CardContent;
use crate::wire::Indicator;

/// What is to be a card, and of which parts of the service it is.
pub(crate) struct Listed {
    /// Their numbers; several where they say the same.
    pub(crate) parts: Vec<usize>,
    pub(crate) content: CardContent,
    /// What it rests on.
    pub(crate) evidence: Vec<String>,
}

/// Without what several rules say alike. What one rule says twice is about two things and stays.
pub(crate) fn once(all: Vec<Listed>) -> Vec<Listed> {
    let mut kept: Vec<Listed> = vec![];
    for listed in all {
        let same = kept.iter_mut().find(|other| {
            let of_others = listed.parts.iter().all(|part| !other.parts.contains(part));
            of_others && says_the_same(&other.content, &listed.content)
        });
        match same {
            Some(other) => {
                other.parts.extend(listed.parts);
                other.evidence.extend(listed.evidence);
                other.evidence.sort_unstable();
                other.evidence.dedup();
            }
            None => kept.push(listed),
        }
    }
    kept
}

fn says_the_same(a: &CardContent, b: &CardContent) -> bool {
    (a.indicator, &a.summary, &a.detail) == (b.indicator, &b.summary, &b.detail)
        && (&a.suggestions, &a.links) == (&b.suggestions, &b.links)
        && a.system_actions == b.system_actions
        && a.says_unknown == b.says_unknown
}

/// Critical ones first, then warnings, then information, and last what could not be checked; among equals in
/// the order they came.
pub(crate) fn ranked(mut all: Vec<Listed>) -> Vec<Listed> {
    all.sort_by_key(|listed| {
        let urgency = match listed.content.indicator {
            Indicator::Critical => 0,
            Indicator::Warning => 1,
            Indicator::Info => 2,
        };
        (listed.content.says_unknown, urgency)
    });
    all
}

/// At most so many, with room for one that counts the others; and those others. Critical ones are kept
/// whatever they are.
pub(crate) fn capped(mut all: Vec<Listed>, most: usize) -> (Vec<Listed>, Vec<Listed>) {
    if all.len() <= most {
        return (all, vec![]);
    }
    let critical = |listed: &&Listed| listed.content.indicator == Indicator::Critical;
    let kept = all.iter().take_while(critical).count();
    let kept = kept.max(most.saturating_sub(1)).min(all.len());
    let cut = all.split_off(kept);
    (all, cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Source;

    fn listed(part: usize, indicator: Indicator, summary: &str) -> Listed {
        let source = Source {
            label: format!("rule {part}"),
            url: None,
            topic: None,
        };
        Listed {
            parts: vec![part],
            content: CardContent::text(indicator, summary, "", source),
            evidence: vec![format!("Observation/{part}")],
        }
    }

    fn said(all: &[Listed]) -> Vec<&str> {
        all.iter().map(|l| l.content.summary.as_str()).collect()
    }

    #[test]
    fn what_several_rules_say_alike_is_said_once() {
        let kept = once(vec![
            listed(0, Indicator::Info, "a"),
            listed(0, Indicator::Info, "a"),
            listed(1, Indicator::Info, "a"),
            listed(1, Indicator::Warning, "a"),
        ]);
        assert_eq!(said(&kept), ["a", "a", "a"]);
        assert_eq!(kept[0].parts, [0, 1]);
        assert_eq!(kept[0].evidence, ["Observation/0", "Observation/1"]);
        assert_eq!(kept[1].parts, [0]);
    }

    #[test]
    fn the_urgent_come_first_and_are_never_cut() {
        use Indicator::{Critical, Info, Warning};
        let mut unknown = listed(0, Info, "could not check");
        unknown.content.says_unknown = true;
        let mut all = vec![unknown];
        for (number, (indicator, summary)) in [
            (Info, "i1"),
            (Critical, "c1"),
            (Warning, "w1"),
            (Critical, "c2"),
            (Info, "i2"),
        ]
        .into_iter()
        .enumerate()
        {
            all.push(listed(number + 1, indicator, summary));
        }
        let all = ranked(all);
        let order = ["c1", "c2", "w1", "i1", "i2", "could not check"];
        assert_eq!(said(&all), order);
        let (kept, cut) = capped(all, 4);
        assert_eq!(
            (said(&kept), said(&cut)),
            (order[..3].to_vec(), order[3..].to_vec())
        );
        let (kept, cut) = capped([kept, cut].into_iter().flatten().collect(), 1);
        assert_eq!((said(&kept), cut.len()), (order[..2].to_vec(), 4));
        let (kept, cut) = capped([kept, cut].into_iter().flatten().collect(), 6);
        assert_eq!((kept.len(), cut.len()), (6, 0));
    }
}
