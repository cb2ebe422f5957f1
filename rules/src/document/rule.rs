//! The fields of a rule.

use super::{ALERTS, ALL, CARD, CASE, FAMILY, Field, GAP, NONE, OWN_HOOK, Object, Shape, Wanted};
use crate::words::{Hook, Improvement, Kind, OnUnknown, Status, words_of};

/// A rule's file.
pub(crate) static RULE: Object = Object {
    what: "a rule",
    fields: &[
        Field {
            name: "id",
            kinds: ALL,
            required: ALL,
            shape: Shape::Pattern("^[a-z][a-z0-9-]{0,63}$", "hba1c-control"),
            doc: "small letters, digits, `-`; the name of the file, without `.yaml`, `.gz`, `.zst`",
        },
        Field {
            name: "version",
            kinds: ALL,
            required: ALL,
            shape: Shape::Pattern("^[0-9]{1,6}\\.[0-9]{1,6}\\.[0-9]{1,6}$", "1.0.0"),
            doc: "three numbers, as in `1.0.0`",
        },
        Field {
            name: "kind",
            kinds: ALL,
            required: ALL,
            shape: Shape::Words(words_of::<Kind>),
            doc: "`care-gap`: who should get what, also a measure; `alert`: a card where `when` holds; `family`: the same for each row of a table",
        },
        Field {
            name: "title",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "a line",
        },
        Field {
            name: "description",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "what it does, in a paragraph",
        },
        Field {
            name: "rationale",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "why it is worth an interruption, in a paragraph",
        },
        Field {
            name: "source",
            kinds: ALL,
            required: ALL,
            shape: Shape::Object(&SOURCE),
            doc: "the guideline or label it follows: `title`, `publisher`, `year`, `url`, `strength`",
        },
        Field {
            name: "status",
            kinds: ALL,
            required: NONE,
            shape: Shape::Words(words_of::<Status>),
            doc: "`active` where nothing stands. `draft` is not served and not measured unless asked for, `shadow` is evaluated and logged but shows no card, `retired` is never evaluated",
        },
        Field {
            name: "owner",
            kinds: ALL,
            required: NONE,
            shape: Shape::Text,
            doc: "who answers for it, as in `Pharmacy and therapeutics committee`",
        },
        Field {
            name: "review",
            kinds: ALL,
            required: NONE,
            shape: Shape::Pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "2027-01-01"),
            doc: "the date by which it must be looked at again",
        },
        Field {
            name: "hooks",
            kinds: ALL,
            required: ALERTS,
            shape: Shape::List(&Shape::WordsOr(words_of::<Hook>, OWN_HOOK)),
            doc: "when it is asked: `patient-view` (the chart is opened; what a care gap has where nothing stands), `order-select`, `order-sign` or another hook of CDS Hooks, or an organization's own as `org.example.name`",
        },
        Field {
            name: "improvement",
            kinds: GAP,
            required: GAP,
            shape: Shape::Words(words_of::<Improvement>),
            doc: "`increase` or `decrease`: the direction in which the rate is better",
        },
        Field {
            name: "value_sets",
            kinds: ALL,
            required: NONE,
            shape: Shape::Named(&Shape::Text),
            doc: "`name: url`, or `url|version`; expressions use the name in quotes",
        },
        Field {
            name: "table",
            kinds: FAMILY,
            required: FAMILY,
            shape: Shape::Object(&TABLE),
            doc: "a CSV file beside the rule, one row for each of what it is about; expressions name a cell as `row.column`",
        },
        Field {
            name: "for_each",
            kinds: ALERTS,
            required: NONE,
            shape: Shape::Named(&Shape::Expression(Wanted::List)),
            doc: "`name: list`, as in `order: selections(\"MedicationRequest\")`: a card for each item for which `when` holds; without it, one for the patient",
        },
        Field {
            name: "define",
            kinds: ALL,
            required: NONE,
            shape: Shape::Named(&Shape::Expression(Wanted::Any)),
            doc: "`name: expression`, in order; each may use earlier ones, the item and the row",
        },
        Field {
            name: "eligible",
            kinds: GAP,
            required: GAP,
            shape: Shape::Expression(Wanted::Truth),
            doc: "true or false: who should have it",
        },
        Field {
            name: "excluded",
            kinds: GAP,
            required: GAP,
            shape: Shape::Expression(Wanted::Truth),
            doc: "true or false: who of those should not. `\"false\"` where there is no exclusion",
        },
        Field {
            name: "satisfied",
            kinds: GAP,
            required: GAP,
            shape: Shape::Expression(Wanted::Truth),
            doc: "true or false: who has it",
        },
        Field {
            name: "due",
            kinds: GAP,
            required: NONE,
            shape: Shape::Expression(Wanted::Date),
            doc: "a date: when what is recommended is due",
        },
        Field {
            name: "when",
            kinds: ALERTS,
            required: ALERTS,
            shape: Shape::Expression(Wanted::Truth),
            doc: "true or false: whether there is a card for this item and this row",
        },
        Field {
            name: "acted_on",
            kinds: ALERTS,
            required: NONE,
            shape: Shape::Expression(Wanted::Truth),
            doc: "true or false: somebody acted on it already, so that there is no card",
        },
        Field {
            name: "one_card_per",
            kinds: FAMILY,
            required: NONE,
            shape: Shape::Expression(Wanted::Text),
            doc: "a text, or a list of them: of several rows with the same text only the first in the order of the table gives a card for an item; with a list, a row whose texts all have a card gives none",
        },
        Field {
            name: "cooldown",
            kinds: ALL,
            required: NONE,
            shape: Shape::Object(&COOLDOWN),
            doc: "`{days: 30}`: within so many days the same card is not to be shown again; told to the EHR, and counted by a rehearsal",
        },
        Field {
            name: "include_deceased",
            kinds: ALL,
            required: NONE,
            shape: Shape::Flag,
            doc: "`true`: the dead count as well. Otherwise who was dead at the moment (`deceased(at)`) is not eligible and gets no card; write nothing about it",
        },
        Field {
            name: "unknown",
            kinds: ALL,
            required: ALL,
            shape: Shape::Words(words_of::<OnUnknown>),
            doc: "`card` says that it could not be checked, and why; `silent` shows nothing. What took too \
                  much work for a patient is told on a card in either case",
        },
        Field {
            name: "card",
            kinds: ALL,
            required: ALL,
            shape: Shape::Object(&CARD),
            doc: "what is shown and offered",
        },
        Field {
            name: "cases",
            kinds: ALL,
            required: ALL,
            shape: Shape::List(&Shape::Object(&CASE)),
            doc: "its tests: at least one that applies, one that does not, and, of a care gap or with `unknown: card`, one that cannot be told",
        },
        Field {
            name: "survivors",
            kinds: ALL,
            required: NONE,
            shape: Shape::List(&Shape::Object(&SURVIVOR)),
            doc: "small changes of the rule that no case can find (`tandem rule test --mutate` lists them), each with the reason",
        },
    ],
};

/// Where a recommendation comes from.
pub(crate) static SOURCE: Object = Object {
    what: "`source`",
    fields: &[
        Field {
            name: "title",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "title of the document",
        },
        Field {
            name: "publisher",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "who publishes it",
        },
        Field {
            name: "year",
            kinds: ALL,
            required: ALL,
            shape: Shape::Whole(1900, 2100),
            doc: "year of the edition",
        },
        Field {
            name: "url",
            kinds: ALL,
            required: ALL,
            shape: Shape::Pattern("^https?://\\S+$", "https://doi.org/10.2337/dc25-S006"),
            doc: "where to read it",
        },
        Field {
            name: "strength",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "grade or strength of the recommendation, in the publisher's words",
        },
    ],
};

/// A change that no case can find.
pub(crate) static SURVIVOR: Object = Object {
    what: "a survivor",
    fields: &[
        Field {
            name: "change",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "as it is listed",
        },
        Field {
            name: "reason",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "why no case can find it",
        },
    ],
};

static COOLDOWN: Object = Object {
    what: "`cooldown`",
    fields: &[Field {
        name: "days",
        kinds: ALL,
        required: ALL,
        shape: Shape::Whole(1, 3650),
        doc: "how many days",
    }],
};

/// The table of a family.
pub(crate) static TABLE: Object = Object {
    what: "`table`",
    fields: &[
        Field {
            name: "file",
            kinds: ALL,
            required: ALL,
            shape: Shape::Pattern("^[A-Za-z0-9_.-]+\\.csv$", "interactions.csv"),
            doc: "its name; it lies beside the rule, UTF-8, with a header",
        },
        Field {
            name: "columns",
            kinds: ALL,
            required: NONE,
            shape: Shape::Named(&Shape::Words(column_types)),
            doc: "`column: type`; those not named are `text`. A cell of `drugs` has terms joined by `|`: `class:maoi`, an RxCUI, or the name of an ingredient",
        },
    ],
};

/// The types of a column.
pub(crate) fn column_types() -> Vec<&'static str> {
    words_of::<crate::table::ColumnType>()
}
