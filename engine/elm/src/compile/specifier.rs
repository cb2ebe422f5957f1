//! Type specifiers.

use serde_json::Value as Json;

use super::Linker;
use crate::values::types::Type;
use engine_patient::finding::{Code, Finding};

impl Linker<'_> {
    /// A type: a specifier, or the name of one. What cannot be read is reported and taken as any.
    pub(super) fn specifier(&mut self, json: &Json) -> Type {
        stacker::maybe_grow(128 << 10, 2 << 20, || self.specifier_at(json))
    }

    fn specifier_at(&mut self, json: &Json) -> Type {
        let part = |name: &str| json.get(name).unwrap_or(&Json::Null);
        if let Some(name) = json.as_str() {
            return self.named(name);
        }
        match json.get("type").and_then(Json::as_str) {
            Some("NamedTypeSpecifier") => {
                let name = part("name").as_str().unwrap_or_default();
                self.named(name)
            }
            Some("ListTypeSpecifier") => Type::List(Box::new(self.specifier(part("elementType")))),
            Some("IntervalTypeSpecifier") => {
                Type::Interval(Box::new(self.specifier(part("pointType"))))
            }
            Some("ChoiceTypeSpecifier") => {
                // Before 1.3 the choices were called `type`, which now names the node.
                let choices = part("choice").as_array();
                Type::Choice(
                    choices
                        .into_iter()
                        .flatten()
                        .map(|c| self.specifier(c))
                        .collect(),
                )
            }
            Some("TupleTypeSpecifier") => {
                let elements = part("element").as_array();
                let elements = elements.into_iter().flatten().map(|element| {
                    let name = element
                        .get("name")
                        .and_then(Json::as_str)
                        .unwrap_or_default();
                    let ty = element
                        .get("elementType")
                        .or_else(|| element.get("type"))
                        .map_or(Type::Any, |t| self.specifier(t));
                    (Box::<str>::from(name), ty)
                });
                Type::Tuple(elements.collect())
            }
            Some(other) => {
                let message = format!("`{other}` is no type specifier");
                self.report(Finding::unsupported(Code::ElmUnsupportedNode, message));
                Type::Any
            }
            None => {
                self.report(Finding::error(Code::ElmUnknownType, "a type is missing"));
                Type::Any
            }
        }
    }

    fn named(&mut self, name: &str) -> Type {
        let ty = Type::named(name).unwrap_or_else(|| {
            let message = format!("there is no type `{name}` in CQL or FHIR R4");
            self.report(Finding::error(Code::ElmUnknownType, message));
            Type::Any
        });
        if let Type::Lacking(name) = &ty {
            self.lacking(name);
        }
        ty
    }

    /// Tells of a type that the model lacks, once a library.
    pub(super) fn lacking(&mut self, name: &str) {
        if self.lacking.insert((self.at.library, name.into())) {
            let message = format!("FHIR R4 has no type `{name}`: any value is taken for one");
            let help = "profiles such as QI-Core give names of their own to elements; a cast or test of such a type tells nothing apart";
            self.report(Finding::warning(Code::ElmForeignFhirType, message).help(help));
        }
    }
}
