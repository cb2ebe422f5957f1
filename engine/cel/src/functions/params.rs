//! Which types an argument may have.

use engine_patient::fhir::model::Model;

use super::row::Param;
use super::row::Param as P;
use crate::types::Ty;

impl Param {
    /// Whether an argument of this type will do; `Choice`s are looked into at run time.
    pub(crate) fn takes(self, ty: &Ty, first: Option<&Ty>) -> bool {
        if *ty == Ty::Any {
            return true;
        }
        let list_item = match ty {
            Ty::List(item) => Some(item.as_ref()),
            _ => None,
        };
        match self {
            P::Any => true,
            P::Int => *ty == Ty::Int,
            P::Number => matches!(ty, Ty::Int | Ty::Double),
            P::Writable => matches!(ty, Ty::Int | Ty::Double | Ty::String | Ty::Time),
            P::Text | P::ValueSet | P::DateText => *ty == Ty::String,
            P::Time => *ty == Ty::Time,
            P::When => matches!(ty, Ty::Time | Ty::Choice(..)) || is_dated(ty),
            P::Concept => is_concept(list_item.unwrap_or(ty)),
            P::Quantity => matches!(ty, Ty::Choice(..)) || ty.fits(&Ty::Element("Quantity")),
            P::List => list_item.is_some(),
            P::ListOfNumbers => matches!(list_item, Some(Ty::Int | Ty::Double | Ty::Any)),
            P::ListOfResources => list_item.is_some_and(|i| *i == Ty::Any || is_dated(i)),
            P::Duration => *ty == Ty::Duration,
            P::ListOf(types) => list_item.is_some_and(|i| *i == Ty::Any || is_one_of(i, types)),
            P::OneOrMany(types) => is_one_of(list_item.unwrap_or(ty), types),
            P::Measured => {
                matches!(ty, Ty::Int | Ty::Double)
                    || is_one_of(list_item.unwrap_or(ty), &["Observation"])
            }
            P::WhenOrMany => match list_item {
                Some(item) => *item == Ty::Any || is_dated(item),
                None => *ty == Ty::Time || is_dated(ty),
            },
            P::Element(name) => ty.fits(&Ty::Element(name)),
            P::Drug => is_one_of(ty, MEDICATIONS),
            P::DrugOrAllergy => {
                is_one_of(ty, MEDICATIONS) || is_one_of(ty, &["AllergyIntolerance"])
            }
            P::DrugOrMany => is_one_of(list_item.unwrap_or(ty), MEDICATIONS),
            P::AllergyOrMany => is_one_of(list_item.unwrap_or(ty), &["AllergyIntolerance"]),
            P::Drugs => *ty == Ty::Drugs,
            // Taken in quotes only.
            P::DrugClass | P::DraftType => false,
            P::Resource => is_resource(ty),
            P::LikeFirst => first.is_some_and(|f| ty.fits(f)),
        }
    }

    /// In words, for an error.
    pub(crate) fn wanted(self) -> String {
        match self {
            P::Any => "anything".into(),
            P::Int => "a whole number".into(),
            P::Number => "a number".into(),
            P::Writable => "a number, a date or a text".into(),
            P::Text => "a text".into(),
            P::Time => "a date".into(),
            P::When => "a resource, a `Period` or a date".into(),
            P::Concept => "a code (`CodeableConcept`, `Coding`, or a list of them)".into(),
            P::Quantity => "a `Quantity`".into(),
            P::List => "a list".into(),
            P::ListOfNumbers => "a list of numbers".into(),
            P::ListOfResources => "a list of resources".into(),
            P::Element(name) => format!("one `{name}`"),
            P::ListOf(types) => format!("a list of {}", either(types)),
            P::OneOrMany(types) => format!("a list of {}, or one of them", either(types)),
            P::WhenOrMany => "a list of resources, one resource or a date".into(),
            P::Measured => "a number, an `Observation` or a list of them".into(),
            P::Duration => "a duration, such as `years(10)`".into(),
            P::ValueSet => "the name of a value set in quotes".into(),
            P::DateText => "a date in quotes, such as \"2024-12-31\"".into(),
            P::Drug => {
                "a medication: of `medications()`, a `MedicationRequest`, a `Medication`".into()
            }
            P::DrugOrAllergy => {
                "a medication: of `medications()`, a `MedicationRequest`, or an `AllergyIntolerance`"
                    .into()
            }
            P::DrugOrMany => {
                "a medication or a list of them, such as `medications()`, a `MedicationRequest`"
                    .into()
            }
            P::AllergyOrMany => "an `AllergyIntolerance`, or a list of them".into(),
            P::Drugs => {
                "drugs in quotes, such as \"warfarin\" or \"class:maoi\", or a column of drugs"
                    .into()
            }
            P::DrugClass => "the id of a drug class in quotes".into(),
            P::DraftType => "a type of orders in quotes, such as \"MedicationRequest\"".into(),
            P::Resource => "a resource".into(),
            P::LikeFirst => "the type of the first argument".into(),
        }
    }
}

/// What has a drug. Items of `medications()` are of several types.
const MEDICATIONS: &[&str] = &[
    "MedicationRequest",
    "MedicationStatement",
    "MedicationAdministration",
    "MedicationDispense",
    "Medication",
    "Resource",
];

fn is_dated(ty: &Ty) -> bool {
    matches!(ty, Ty::Element("Period")) || is_resource(ty)
}

fn is_resource(ty: &Ty) -> bool {
    let resource = |name: &str| name == "Resource" || Model::r4().resource(name).is_some();
    matches!(ty, Ty::Element(name) if resource(name))
}

fn is_one_of(ty: &Ty, types: &[&'static str]) -> bool {
    // Every resource is a `Resource`: where that is named, the items of `medications()` are meant.
    let is = |name: &&'static str| match *name {
        "Resource" => *ty == Ty::Element("Resource"),
        name => ty.fits(&Ty::Element(name)),
    };
    *ty == Ty::Any || types.iter().any(is)
}

/// `A`, `B` or `C`
fn either(types: &[&str]) -> String {
    let quoted: Vec<String> = types.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn is_concept(ty: &Ty) -> bool {
    matches!(
        ty,
        Ty::Element("CodeableConcept" | "Coding") | Ty::Choice(..) | Ty::Any
    )
}
