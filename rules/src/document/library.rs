//! The fields of `library.yaml`.

use super::{ALL, Field, NONE, Object, Shape, Wanted};

/// What all rules of a folder share.
pub(crate) static LIBRARY: Object = Object {
    what: "a library",
    fields: &[
        Field {
            name: "value_sets",
            kinds: ALL,
            required: NONE,
            shape: Shape::Named(&Shape::Text),
            doc: "as in a rule; a rule's own of the same name wins",
        },
        Field {
            name: "define",
            kinds: ALL,
            required: NONE,
            shape: Shape::Named(&Shape::Expression(Wanted::Any)),
            doc: "as in a rule; a rule's own of the same name wins",
        },
        Field {
            name: "drug_classes",
            kinds: ALL,
            required: NONE,
            shape: Shape::Named(&Shape::Object(&DRUG_CLASS)),
            doc: "classes of drugs, beside those of the drug dictionary",
        },
    ],
};

/// A class of drugs.
pub(crate) static DRUG_CLASS: Object = Object {
    what: "a drug class",
    fields: &[
        Field {
            name: "name",
            kinds: ALL,
            required: ALL,
            shape: Shape::Text,
            doc: "for people",
        },
        Field {
            name: "members",
            kinds: ALL,
            required: ALL,
            shape: Shape::List(&Shape::Text),
            doc: "each an ingredient by its RxNorm name or RxCUI, or `class:maoi` for the members of another class",
        },
    ],
};
