//! The fields of a card.

use super::{ALL, Field, NONE, Object, Shape, Wanted};
use crate::words::{Indicator, words_of};

/// What is shown and offered.
pub(crate) static CARD: Object = Object {
    what: "`card`",
    fields: &[
        Field {
            name: "indicator",
            kinds: ALL,
            required: NONE,
            shape: Shape::Words(words_of::<Indicator>),
            doc: "`info`, `warning` or `critical`",
        },
        Field {
            name: "indicator_from",
            kinds: ALL,
            required: NONE,
            shape: Shape::Expression(Wanted::Text),
            doc: "in its place, an expression that gives one of these words, such as a column of a table; where it cannot be told, `warning`",
        },
        Field {
            name: "summary",
            kinds: ALL,
            required: ALL,
            shape: Shape::Template,
            doc: "one line, less than 140 characters; longer ones are cut at a word",
        },
        Field {
            name: "detail",
            kinds: ALL,
            required: ALL,
            shape: Shape::Template,
            doc: "GitHub-flavoured Markdown; values of data are escaped",
        },
        Field {
            name: "why",
            kinds: ALL,
            required: NONE,
            shape: Shape::Flag,
            doc: "`true`: below `detail` stands what is on record of each value set that `satisfied` or `when` asks for: the latest, or that there is none",
        },
        Field {
            name: "unknown_summary",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "the line of the \"could not be checked\" card",
        },
        Field {
            name: "unknown_detail",
            kinds: ALL,
            required: NONE,
            shape: Shape::Template,
            doc: "Markdown that stands on that card above the reasons, as which order or drug it was; about the patient and the call, so it names neither the item of `for_each` nor the row",
        },
        Field {
            name: "source",
            kinds: ALL,
            required: NONE,
            shape: Shape::Object(&CARD_SOURCE),
            doc: "in place of the rule's own: the row of a table may have another",
        },
        Field {
            name: "links",
            kinds: ALL,
            required: NONE,
            shape: Shape::List(&Shape::Object(&LINK)),
            doc: "where to read on",
        },
        Field {
            name: "suggestions",
            kinds: ALL,
            required: NONE,
            shape: Shape::List(&Shape::Object(&SUGGESTION)),
            doc: "what can be done at a click",
        },
        Field {
            name: "selection",
            kinds: ALL,
            required: NONE,
            shape: Shape::Words(selections),
            doc: "`at-most-one` or `any` of the suggestions may be taken; required where there are some",
        },
        Field {
            name: "override_reasons",
            kinds: ALL,
            required: NONE,
            shape: Shape::List(&Shape::Object(&REASON)),
            doc: "reasons offered to whoever declines",
        },
    ],
};

/// Whether more than one suggestion may be taken.
pub(crate) const SELECTION: &[(&str, bool)] = &[("at-most-one", false), ("any", true)];

fn selections() -> Vec<&'static str> {
    SELECTION.iter().map(|(word, _)| *word).collect()
}

/// A card's own source.
pub(crate) static CARD_SOURCE: Object = Object {
    what: "`source` of a card",
    fields: &[
        Field {
            name: "label",
            kinds: ALL,
            required: ALL,
            shape: Shape::Template,
            doc: "for people",
        },
        Field {
            name: "url",
            kinds: ALL,
            required: NONE,
            shape: Shape::Template,
            doc: "where to read it",
        },
    ],
};

/// A link.
pub(crate) static LINK: Object = Object {
    what: "a link",
    fields: &[
        Field {
            name: "label",
            kinds: ALL,
            required: ALL,
            shape: Shape::Template,
            doc: "for people",
        },
        Field {
            name: "url",
            kinds: ALL,
            required: ALL,
            shape: Shape::Template,
            doc: "a web address",
        },
    ],
};

/// Something to do at a click.
pub(crate) static SUGGESTION: Object = Object {
    what: "a suggestion",
    fields: &[
        Field {
            name: "label",
            kinds: ALL,
            required: ALL,
            shape: Shape::Template,
            doc: "for people",
        },
        Field {
            name: "recommended",
            kinds: ALL,
            required: NONE,
            shape: Shape::Flag,
            doc: "`true`: the one to prefer",
        },
        Field {
            name: "automatic",
            kinds: ALL,
            required: NONE,
            shape: Shape::Flag,
            doc: "`true`: the client carries it out without being asked, where the service is configured so and the client is known to (`systemActions`); otherwise it is offered as any other",
        },
        Field {
            name: "actions",
            kinds: ALL,
            required: ALL,
            shape: Shape::List(&Shape::Object(&ACTION)),
            doc: "done together",
        },
    ],
};

/// A change of one resource.
pub(crate) static ACTION: Object = Object {
    what: "an action",
    fields: &[
        Field {
            name: "description",
            kinds: ALL,
            required: ALL,
            shape: Shape::Template,
            doc: "for people",
        },
        Field {
            name: "create",
            kinds: ALL,
            required: NONE,
            shape: Shape::Resource { templates: true },
            doc: "a new resource",
        },
        Field {
            name: "update",
            kinds: ALL,
            required: NONE,
            shape: Shape::Expression(Wanted::Resource),
            doc: "the resource that is changed, such as the draft",
        },
        Field {
            name: "set",
            kinds: ALL,
            required: NONE,
            shape: Shape::Elements,
            doc: "with `update`: its elements that are replaced",
        },
        Field {
            name: "delete",
            kinds: ALL,
            required: NONE,
            shape: Shape::Expression(Wanted::Resource),
            doc: "the resource that is removed",
        },
    ],
};

/// A reason for not following a card.
pub(crate) static REASON: Object = Object {
    what: "an override reason",
    fields: &[
        Field {
            name: "code",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "its code, as in `benefit-outweighs-risk`",
        },
        Field {
            name: "display",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "for people",
        },
        Field {
            name: "system",
            kinds: ALL,
            required: NONE,
            shape: Shape::Pattern("^\\S+:\\S+$", "https://example.org/reasons"),
            doc: "its code system; Tandem's own where nothing stands",
        },
    ],
};
