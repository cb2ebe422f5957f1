//! Reading a ViewDefinition: the document, and what its parts share.

use serde_json::{Map, Value};

use super::error::wrong;
use super::reader::{Reader, join};
use super::view::View;
use super::{constant, select};
use crate::{Class, Path, Type};
use engine_patient::fhir::model::Model;
use engine_patient::finding::{Code, Finding, did_you_mean};

/// The JSON document that defines a view.
#[derive(Clone, Copy, Debug)]
pub struct ViewDefinition;

/// What the specification has at the top: its own, and those of any canonical resource.
const PROPERTIES: &[&str] = &[
    "approvalDate",
    "author",
    "constant",
    "contact",
    "contained",
    "copyright",
    "copyrightLabel",
    "date",
    "description",
    "editor",
    "effectivePeriod",
    "endorser",
    "experimental",
    "extension",
    "fhirVersion",
    "id",
    "identifier",
    "implicitRules",
    "jurisdiction",
    "language",
    "lastReviewDate",
    "meta",
    "modifierExtension",
    "name",
    "profile",
    "publisher",
    "purpose",
    "relatedArtifact",
    "resource",
    "resourceType",
    "reviewer",
    "select",
    "status",
    "text",
    "title",
    "topic",
    "url",
    "useContext",
    "version",
    "versionAlgorithmCoding",
    "versionAlgorithmString",
    "where",
];

impl ViewDefinition {
    /// Reads, checks and compiles a definition, or says all that is wrong with it.
    pub fn from_json(text: &str) -> Result<View, Vec<Finding>> {
        match serde_json::from_str(text) {
            Ok(value) => ViewDefinition::from_value(&value),
            Err(error) => Err(vec![wrong(
                Code::ViewNotJson,
                "",
                format!("not valid JSON: {error}"),
            )]),
        }
    }

    /// The same from JSON that has been read.
    pub fn from_value(value: &Value) -> Result<View, Vec<Finding>> {
        let Value::Object(map) = value else {
            return Err(vec![wrong(
                Code::ViewNotJson,
                "",
                "a ViewDefinition is a JSON object, this is not",
            )]);
        };
        let mut reader = Reader::default();
        let view = reader.view(map);
        match view {
            Some(view) if reader.errors.is_empty() => Ok(view),
            _ => Err(reader.errors),
        }
    }
}

impl Reader {
    fn view(&mut self, map: &Map<String, Value>) -> Option<View> {
        self.only("", map, PROPERTIES);
        if map
            .get("resourceType")
            .is_some_and(|t| t != "ViewDefinition")
        {
            self.error(
                Code::ViewNotJson,
                "resourceType",
                "this is no ViewDefinition",
            );
        }
        let name = self.name("", map, false).unwrap_or_default();
        self.resource = self.resource(map);
        self.constants(map);
        let focus = self.resource.map_or(Type::UNKNOWN, Type::one);
        let mut conditions = vec![];
        for (at, item) in self.items("", map, "where") {
            conditions.extend(self.condition(&at, item, focus));
        }
        let selects = self.items("", map, "select");
        if selects.is_empty() && !map.contains_key("select") {
            self.error(Code::ViewMissing, "select", "a view needs `select`");
        }
        let mut steps = vec![];
        for (at, item) in selects {
            steps.extend(select::read(self, &at, item, focus, 0));
        }
        self.no_duplicates();
        if self.columns.is_empty() && self.errors.is_empty() {
            self.error(
                Code::ViewMissing,
                "select",
                "a view needs at least one column",
            );
        }
        Some(View {
            name,
            url: self.text("", map, "url"),
            description: self.text("", map, "description"),
            resource: self.resource?,
            columns: std::mem::take(&mut self.columns)
                .into_iter()
                .map(|(c, _)| c)
                .collect(),
            warnings: std::mem::take(&mut self.warnings),
            conditions,
            steps,
        })
    }

    fn resource(&mut self, map: &Map<String, Value>) -> Option<&'static str> {
        let Some(name) = self.text("", map, "resource") else {
            if !map.contains_key("resource") {
                self.error(
                    Code::ViewMissing,
                    "resource",
                    "a view needs the `resource` type that its rows come from",
                );
            }
            return None;
        };
        let found = Model::r4().resource(&name).map(|t| t.name);
        if found.is_none() {
            let error = wrong(
                Code::ViewResource,
                "resource",
                format!("`{name}` is no FHIR R4 resource type"),
            );
            let names = Model::r4()
                .types()
                .filter(|t| t.is_resource)
                .map(|t| t.name);
            self.errors.push(match did_you_mean(&name, names) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error,
            });
        }
        found
    }

    fn constants(&mut self, map: &Map<String, Value>) {
        for (at, item) in self.items("", map, "constant") {
            let Some(map) = self.object(&at, item) else {
                continue;
            };
            let Some(name) = self.name(&at, map, true) else {
                continue;
            };
            if self.constants.iter().any(|c| c.name == name) {
                self.error(
                    Code::ViewDuplicate,
                    join(&at, "name"),
                    format!("a second constant `{name}`"),
                );
            }
            match constant::read(&at, name, map) {
                Ok(constant) => self.constants.push(constant),
                Err(error) => self.errors.push(error),
            }
        }
    }

    fn condition(&mut self, at: &str, item: &Value, focus: Type) -> Option<Path> {
        let map = self.object(at, item)?;
        self.only(
            at,
            map,
            &[
                "path",
                "description",
                "id",
                "extension",
                "modifierExtension",
            ],
        );
        let text = self.required(at, map, "path")?;
        let at = join(at, "path");
        let path = self.path(&at, &text, focus)?;
        if !matches!(path.ty().class(), Class::Boolean | Class::Unknown) {
            let error = wrong(Code::ViewCondition, at, "a condition must give a boolean");
            self.errors
                .push(error.help(format!("write `{text}.exists()` or a comparison")));
        }
        Some(path)
    }

    fn no_duplicates(&mut self) {
        let mut duplicates = vec![];
        for (i, (column, at)) in self.columns.iter().enumerate() {
            let earlier = self
                .columns
                .iter()
                .take(i)
                .find(|(c, _)| c.name == column.name);
            if let Some((_, first)) = earlier {
                let error = wrong(
                    Code::ViewDuplicate,
                    join(at, "name"),
                    format!("a second column `{}`", column.name),
                );
                duplicates.push(error.help(format!("the first is `{first}`")));
            }
        }
        self.errors.extend(duplicates);
    }
}
