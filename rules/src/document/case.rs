//! The fields of a case.

use super::{ALERTS, ALL, Field, GAP, NONE, OWN_HOOK, Object, Shape};
use crate::words::{Hook, Indicator, words_of};

/// A made-up patient and what the rule must say.
pub(crate) static CASE: Object = Object {
    what: "a case",
    fields: &[
        Field {
            name: "name",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "what it shows",
        },
        Field {
            name: "at",
            kinds: ALL,
            required: ALL,
            shape: Shape::Pattern(
                "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})$",
                "2025-12-31T12:00:00Z",
            ),
            doc: "the moment of evaluation: date, time, offset",
        },
        Field {
            name: "expect",
            kinds: ALL,
            required: ALL,
            shape: Shape::Object(&EXPECT),
            doc: "what must come out",
        },
        Field {
            name: "patient",
            kinds: ALL,
            required: NONE,
            shape: Shape::Resource { templates: false },
            doc: "a Patient; may be left out",
        },
        Field {
            name: "resources",
            kinds: ALL,
            required: NONE,
            shape: Shape::List(&Shape::Resource { templates: false }),
            doc: "what is in the chart",
        },
        Field {
            name: "unavailable",
            kinds: ALL,
            required: NONE,
            shape: Shape::List(&Shape::ResourceType),
            doc: "types nobody could be asked for",
        },
        Field {
            name: "hook",
            kinds: ALL,
            required: NONE,
            shape: Shape::WordsOr(words_of::<Hook>, OWN_HOOK),
            doc: "the hook that calls; the first of the rule's `hooks` where nothing stands",
        },
        Field {
            name: "user",
            kinds: ALL,
            required: NONE,
            shape: Shape::Pattern("^[A-Za-z]+/[A-Za-z0-9.-]{1,64}$", "Practitioner/1"),
            doc: "who calls",
        },
        Field {
            name: "drafts",
            kinds: ALL,
            required: NONE,
            shape: Shape::List(&Shape::Resource { templates: false }),
            doc: "the orders that are being written; without an id they are `draft-1`, `draft-2`, …",
        },
        Field {
            name: "selections",
            kinds: ALL,
            required: NONE,
            shape: Shape::List(&Shape::Pattern(
                "^[A-Za-z]+/[A-Za-z0-9.-]{1,64}$",
                "MedicationRequest/draft-1",
            )),
            doc: "of `order-select`: those that are selected",
        },
    ],
};

/// What must come out.
pub(crate) static EXPECT: Object = Object {
    what: "`expect`",
    fields: &[
        Field {
            name: "applies",
            kinds: ALL,
            required: ALL,
            shape: Shape::Words(applies),
            doc: "`yes`, `no` or `unknown`",
        },
        Field {
            name: "eligible",
            kinds: GAP,
            required: NONE,
            shape: Shape::Words(truths),
            doc: "`true`, `false` or `unknown`",
        },
        Field {
            name: "excluded",
            kinds: GAP,
            required: NONE,
            shape: Shape::Words(truths),
            doc: "`true`, `false` or `unknown`",
        },
        Field {
            name: "satisfied",
            kinds: GAP,
            required: NONE,
            shape: Shape::Words(truths),
            doc: "`true`, `false` or `unknown`",
        },
        Field {
            name: "summary",
            kinds: ALL,
            required: NONE,
            shape: Shape::Text,
            doc: "the whole summary of the first card",
        },
        Field {
            name: "summaries",
            kinds: ALERTS,
            required: NONE,
            shape: Shape::List(&Shape::Text),
            doc: "the summaries of all cards, in their order",
        },
        Field {
            name: "cards",
            kinds: ALERTS,
            required: NONE,
            shape: Shape::Whole(0, 10_000),
            doc: "how many cards, the \"could not be checked\" card not counted",
        },
        Field {
            name: "indicator",
            kinds: ALL,
            required: NONE,
            shape: Shape::Words(words_of::<Indicator>),
            doc: "that of the first card",
        },
        Field {
            name: "reason",
            kinds: ALL,
            required: NONE,
            shape: Shape::Text,
            doc: "a part of why it is unknown",
        },
        Field {
            name: "suggestions",
            kinds: ALL,
            required: NONE,
            shape: Shape::List(&Shape::Text),
            doc: "the labels of the first card's suggestions, in their order",
        },
        Field {
            name: "due",
            kinds: GAP,
            required: NONE,
            shape: Shape::Pattern("^[0-9]{4}(-[0-9]{2}(-[0-9]{2}.*)?)?$", "2025-12-31"),
            doc: "the due date, to the precision given",
        },
    ],
};

fn applies() -> Vec<&'static str> {
    vec!["yes", "no", "unknown"]
}

fn truths() -> Vec<&'static str> {
    vec!["true", "false", "unknown"]
}
