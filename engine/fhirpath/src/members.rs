//! Steps into elements: what the R4 model knows of `base.name`.

use super::compile::{Compiler, Typed};
use super::error::{Refused, doubtful, unsupported, wrong};
use super::expr::Expr;
use super::field::Field;
use super::types::{Class, Kind, Type, canonical, is_abstract, listed};
use engine_patient::fhir::model::{Cardinality, ElementInfo, Model};
use engine_patient::fhir::names::{Name, choice_name};
use engine_patient::finding::{Code, did_you_mean};

impl Compiler<'_> {
    /// `base.name`
    pub(super) fn member(&mut self, at: usize, base: Typed, name: &str) -> Result<Typed, Refused> {
        let below = base.ty.class();
        if matches!(name, "extension" | "id") && !matches!(below, Class::Complex | Class::Unknown) {
            return shadow(at, base, name);
        }
        let (field, kind, many) = match base.ty.kind {
            Kind::Is(ty) => self.known(at, ty, name)?,
            Kind::OneOf(types) => self.known_of_choice(at, types, name),
            Kind::Unknown => (anywhere(name), Kind::Unknown, true),
        };
        let ty = Type {
            kind,
            many: base.ty.many || many,
        };
        Ok(Typed {
            expr: step(base.expr, field),
            ty,
        })
    }

    fn known(
        &mut self,
        at: usize,
        ty: &'static str,
        name: &str,
    ) -> Result<(Field, Kind, bool), Refused> {
        let model = Model::r4();
        if let Some(element) = model.element(ty, name) {
            return Ok(of_model(element));
        }
        if is_abstract(ty) {
            return Ok((anywhere(name), Kind::Unknown, true));
        }
        for element in model
            .elements(ty)
            .filter(|e| e.cardinality == Cardinality::Choice)
        {
            let meant = element
                .types
                .iter()
                .find(|t| choice_name(element.name, canonical(t)) == name);
            if let Some(choice) = meant {
                let message = format!("`{ty}` has no element `{name}` in FHIRPath");
                return Err(wrong(Code::PathChoice, at, message).help(format!(
                    "write `{}.ofType({})`",
                    element.name,
                    canonical(choice)
                )));
            }
        }
        let message = format!("`{ty}` has no element `{name}` in FHIR R4: always empty");
        let names = || model.elements(ty).map(|e| e.name);
        let warning = doubtful(Code::PathUnknownElement, at, message);
        self.warnings.push(match did_you_mean(name, names()) {
            Some(near) => warning.help(format!("did you mean `{near}`?")),
            None => warning.help(format!("it has {}", listed(names()))),
        });
        Ok((anywhere(name), Kind::Unknown, true))
    }

    /// An element of a choice before `ofType`: of those types that have it.
    fn known_of_choice(
        &mut self,
        at: usize,
        types: &'static [&'static str],
        name: &str,
    ) -> (Field, Kind, bool) {
        let having = types.iter().filter_map(|t| Model::r4().element(t, name));
        let having: Vec<&ElementInfo> = having.collect();
        let Some(first) = having.first() else {
            let message =
                format!("no type that this element can have has an element `{name}`: always empty");
            self.warnings.push(
                doubtful(Code::PathUnknownElement, at, message)
                    .help(format!("it is one of {}", listed(types.iter().copied()))),
            );
            return (anywhere(name), Kind::Unknown, true);
        };
        let many = having.iter().any(|e| e.cardinality == Cardinality::Many);
        let same = having
            .iter()
            .all(|e| e.types == first.types && e.cardinality == first.cardinality);
        match of_model(first) {
            (field, kind, _) if same => (field, kind, many),
            _ => (anywhere(name), Kind::Unknown, many),
        }
    }
}

/// Another step after an expression; steps in a row become one.
pub(super) fn step(base: Expr, field: Field) -> Expr {
    match base {
        Expr::Fields(inner, mut fields) => {
            fields.push(field);
            Expr::Fields(inner, fields)
        }
        other => Expr::Fields(Box::new(other), vec![field]),
    }
}

/// One property, whether or not the model knows its name.
pub(super) fn property(name: &str) -> Field {
    match Name::of(name) {
        Some(name) => Field::One(name),
        None => Field::Named(Box::new([name.into()])),
    }
}

fn of_model(element: &'static ElementInfo) -> (Field, Kind, bool) {
    match (element.cardinality, element.types.as_slice()) {
        (Cardinality::Choice, types) => {
            let names = types
                .iter()
                .map(|t| choice_name(element.name, canonical(t)));
            (one_of(names.collect()), Kind::OneOf(types), false)
        }
        (cardinality, types) => {
            let kind = types
                .first()
                .map_or(Kind::Unknown, |t| Kind::Is(canonical(t)));
            (
                property(element.name),
                kind,
                cardinality == Cardinality::Many,
            )
        }
    }
}

/// The property under one of these names.
fn one_of(names: Vec<String>) -> Field {
    let known: Option<Vec<Name>> = names.iter().map(|n| Name::of(n)).collect();
    match known {
        Some(mut known) => {
            known.sort_unstable();
            known.dedup();
            Field::Any(known.into())
        }
        None => Field::Named(names.into_iter().map(String::into_boxed_str).collect()),
    }
}

/// A property of a type that is not known: of this name, or a choice element of this name anywhere
/// in the model.
fn anywhere(name: &str) -> Field {
    let elements = Model::r4().types().flat_map(|t| t.elements.iter());
    let choices = elements.filter(|e| e.name == name && e.cardinality == Cardinality::Choice);
    let mut names: Vec<String> = choices
        .flat_map(|e| e.types.iter().map(|t| choice_name(name, canonical(t))))
        .collect();
    if names.is_empty() {
        return property(name);
    }
    names.sort_unstable();
    names.dedup();
    names.insert(0, name.to_owned());
    // Those alone that the model knows: others are no choice of R4.
    names.retain(|n| Name::of(n).is_some());
    one_of(names)
}

/// `extension` or `id` of a primitive, which FHIR JSON puts beside it, under `_name`.
fn shadow(at: usize, base: Typed, name: &str) -> Result<Typed, Refused> {
    let many = base.ty.many;
    let Expr::Fields(inner, mut fields) = base.expr else {
        return Err(unsupported(
            Code::PathUnsupported,
            at,
            format!("`{name}` of a primitive is supported directly after its element only"),
        )
        .help("such as `birthDate.extension('…')`"));
    };
    let beside = |names: &[Name]| {
        names
            .iter()
            .map(|n| format!("_{}", n.as_str()).into_boxed_str())
            .collect()
    };
    let names = match fields.pop() {
        Some(Field::One(name)) => beside(&[name]),
        Some(Field::Any(names)) => beside(&names),
        Some(Field::Named(names)) => names
            .iter()
            .map(|n| format!("_{n}").into_boxed_str())
            .collect(),
        None => Box::default(),
    };
    fields.push(Field::Named(names));
    fields.push(property(name));
    let ty = match name {
        "extension" => Type {
            kind: Kind::Is("Extension"),
            many: true,
        },
        _ => Type {
            kind: Kind::Is("string"),
            many,
        },
    };
    Ok(Typed {
        expr: Expr::Fields(inner, fields),
        ty,
    })
}
