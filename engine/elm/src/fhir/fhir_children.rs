//! What a property of a FHIR element is: its type by the type of its parent, looked up in one step.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::values::types::TypeId;
use engine_patient::fhir::model::{Cardinality, Model};
use engine_patient::fhir::names::{Name, choice_name};

/// A property in JSON.
#[derive(Clone, Copy, Debug)]
pub struct Child {
    pub ty: TypeId,
    /// It is a list.
    pub many: bool,
}

struct Tables {
    /// By type of the parent and name of the property in JSON.
    children: FxHashMap<(u16, u16), Child>,
    /// Per type: it is a primitive.
    primitive: Vec<bool>,
    /// Per type: its bases, itself first.
    bases: Vec<Vec<u16>>,
    /// Names in JSON of each choice element, whatever the parent: `value` has `valueQuantity`.
    choices: FxHashMap<&'static str, Vec<Name>>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let model = Model::r4();
    let mut tables = Tables {
        children: FxHashMap::default(),
        primitive: vec![],
        bases: vec![],
        choices: FxHashMap::default(),
    };
    for ty in model.types() {
        let lower = ty.name.starts_with(|c: char| c.is_ascii_lowercase());
        tables.primitive.push(lower);
        let bases = model.chain(ty.name).filter_map(|t| TypeId::of(t.name));
        tables.bases.push(bases.map(|t| t.0).collect());
        let Some(id) = TypeId::of(ty.name) else {
            continue;
        };
        for element in model.elements(ty.name) {
            let choice = element.cardinality == Cardinality::Choice;
            for wanted in &element.types {
                let property = if choice {
                    choice_name(element.name, wanted)
                } else {
                    element.name.to_owned()
                };
                // The model's name of the type of `Element.id`.
                let wanted = match *wanted {
                    "System.String" => "string",
                    other => other,
                };
                let (Some(name), Some(child)) = (Name::of(&property), TypeId::of(wanted)) else {
                    continue;
                };
                if choice {
                    let names = tables.choices.entry(element.name).or_default();
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
                let many = element.cardinality == Cardinality::Many;
                tables
                    .children
                    .entry((id.0, name.number()))
                    .or_insert(Child { ty: child, many });
            }
        }
    }
    tables
});

/// The property of this name in JSON of an element of this type.
pub fn child(parent: TypeId, name: Name) -> Option<Child> {
    TABLES.children.get(&(parent.0, name.number())).copied()
}

/// Whether a type is a primitive: a JSON string, number or boolean.
pub fn is_primitive(ty: TypeId) -> bool {
    TABLES
        .primitive
        .get(usize::from(ty.0))
        .copied()
        .unwrap_or(false)
}

/// Whether `ty` is `base` or derives from it.
pub fn derives(ty: TypeId, base: TypeId) -> bool {
    ty == base
        || TABLES
            .bases
            .get(usize::from(ty.0))
            .is_some_and(|bases| bases.contains(&base.0))
}

/// The names in JSON of a choice element; empty where no type has such a choice.
pub fn choices(element: &str) -> &'static [Name] {
    TABLES.choices.get(element).map_or(&[], Vec::as_slice)
}

/// Types that the engine asks for by name.
pub struct Known {
    pub resource: TypeId,
    pub code: TypeId,
    pub boolean: TypeId,
    pub integer: TypeId,
    pub decimal: TypeId,
    pub date: TypeId,
    pub date_time: TypeId,
    pub instant: TypeId,
    pub time: TypeId,
    pub string: TypeId,
    pub quantity: TypeId,
    pub coding: TypeId,
    pub concept: TypeId,
    pub period: TypeId,
    pub range: TypeId,
    pub ratio: TypeId,
}

/// See [`Known`].
pub fn known() -> &'static Known {
    static KNOWN: LazyLock<Known> = LazyLock::new(|| {
        let of = |name| TypeId::of(name).unwrap_or(TypeId(u16::MAX));
        Known {
            resource: of("Resource"),
            code: of("code"),
            boolean: of("boolean"),
            integer: of("integer"),
            decimal: of("decimal"),
            date: of("date"),
            date_time: of("dateTime"),
            instant: of("instant"),
            time: of("time"),
            string: of("string"),
            quantity: of("Quantity"),
            coding: of("Coding"),
            concept: of("CodeableConcept"),
            period: of("Period"),
            range: of("Range"),
            ratio: of("Ratio"),
        }
    });
    &KNOWN
}
