//! `card`: what is shown and offered.

use engine_cel::Ty;
use engine_patient::fhir::model::{Cardinality, Model};
use engine_patient::fhir::names::choice_name;
use engine_patient::finding::Code;

use super::compile::{Compiler, parts, summary_length};
use super::fields::{Fields, RawHole, Report};
use super::resource::{self, HOLE};
use crate::document::{ACTION, CARD, CARD_SOURCE, LINK, REASON, SELECTION, SUGGESTION};
use crate::outcome::CardReason;
use crate::program::{
    ActionProgram, CardProgram, ChangeProgram, Hole, IndicatorOf, Piece, ResourceProgram,
    SuggestionProgram, Template,
};
use crate::template::Part;
use crate::words::Kind;
use crate::yaml::{Node, Value};

/// The code system of override reasons that name none.
const REASONS: &str = "https://tandem-cds.dev/CodeSystem/override-reason";

/// What must be there in a resource that is created, of the types that are offered most: FHIR R4 has them
/// with a cardinality of 1.
const NEEDED: &[(&str, &[&str])] = &[
    ("Appointment", &["status", "participant"]),
    ("CarePlan", &["status", "intent", "subject"]),
    ("CommunicationRequest", &["status"]),
    ("DeviceRequest", &["intent", "code", "subject"]),
    ("Goal", &["lifecycleStatus", "description", "subject"]),
    (
        "MedicationRequest",
        &["status", "intent", "medication", "subject"],
    ),
    (
        "NutritionOrder",
        &["status", "intent", "patient", "dateTime"],
    ),
    ("ServiceRequest", &["status", "intent", "subject"]),
    ("Task", &["status", "intent"]),
];

/// The card of a rule, and the line of its "could not be checked" card.
pub(super) struct Card {
    pub program: Option<CardProgram>,
    pub unknown_summary: Option<String>,
}

impl Compiler<'_, '_> {
    /// `card.unknown_detail`, before the item and the row have names: the card is about all of them.
    pub fn unknown_detail(&mut self, card: Option<&Node>) -> Option<Template> {
        let Some(Value::Mapping(entries)) = card.map(|node| &node.value) else {
            return Some(vec![]);
        };
        match entries.iter().find(|e| e.key == "unknown_detail") {
            Some(entry) => self.template(Some(&entry.value)),
            None => Some(vec![]),
        }
    }
}

impl Compiler<'_, '_> {
    /// Reads `card`.
    pub fn card(
        &mut self,
        node: &Node,
        kind: Option<Kind>,
        unknown_detail: Option<Template>,
    ) -> Option<Card> {
        let fields = self.report.fields(node, &CARD, kind)?;
        let indicator = self.indicator(node, &fields);
        let summary = self.template(fields.get("summary"));
        summary_length(self.report, fields.get("summary"));
        let detail = self.template(fields.get("detail"));
        let why = self.report.flag(fields.get("why"));
        let unknown_summary = self.report.paragraph(fields.get("unknown_summary"));
        summary_length(self.report, fields.get("unknown_summary"));
        let source = fields.get("source");
        let source = source.map(|n| self.source(n));
        let links = self.each(fields.get("links"), "`links`", Self::link);
        let suggestions = self.each(fields.get("suggestions"), "`suggestions`", Self::suggestion);
        let any = fields.get("selection");
        let any = any.and_then(|n| self.report.word(n, SELECTION));
        if let (Some(node), None) = (fields.get("suggestions"), fields.get("selection")) {
            let message = "a card with suggestions needs the field `selection`".to_owned();
            let help = "`selection: at-most-one` where they are alternatives, `selection: any` where several may be taken";
            let span = (node.at, node.at + 1);
            self.report
                .error(Code::MissingField, message, span, Some(help.into()));
        }
        if let (None, Some(node)) = (fields.get("suggestions"), fields.get("selection")) {
            let help = "remove it, or add `suggestions`";
            let message = "`selection` is of suggestions, and there are none".to_owned();
            self.report
                .wrong::<()>(Code::WrongValue, message, node, help);
        }
        let override_reasons = self.each(
            fields.get("override_reasons"),
            "`override_reasons`",
            |compiler, node| reason(compiler.report, node),
        );
        let program = (|| {
            Some(CardProgram {
                indicator: indicator?,
                summary: summary?,
                detail: detail?,
                why,
                unknown_detail: unknown_detail?,
                source: match source {
                    Some(source) => Some(source?),
                    None => None,
                },
                links: links?,
                suggestions: suggestions?,
                any_suggestions: any.unwrap_or_default(),
                override_reasons: override_reasons?,
            })
        })();
        Some(Card {
            program,
            unknown_summary,
        })
    }

    /// What becomes of each item of a list; an absent list is empty.
    fn each<T>(
        &mut self,
        node: Option<&Node>,
        what: &str,
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(node) = node else {
            return Some(vec![]);
        };
        let items = self.report.items(node, what);
        let read: Vec<Option<T>> = items.iter().map(|item| read(self, item)).collect();
        (!items.is_empty()).then_some(())?;
        read.into_iter().collect()
    }

    fn indicator(&mut self, card: &Node, fields: &Fields<'_>) -> Option<IndicatorOf> {
        match (fields.get("indicator"), fields.get("indicator_from")) {
            (Some(word), None) => self.report.enumerated(word).map(IndicatorOf::Always),
            (None, Some(node)) => {
                let compiled = self.expression(Some(node), Some(&Ty::String));
                compiled.map(IndicatorOf::From)
            }
            (Some(_), Some(node)) => {
                let message =
                    "`indicator` and `indicator_from` say both how urgent it is".to_owned();
                self.report
                    .wrong(Code::WrongValue, message, node, "keep one of them")
            }
            (None, None) => {
                let message = "`card` needs the field `indicator`".to_owned();
                let span = (card.at, card.at + 1);
                self.report.error(Code::MissingField, message, span, None);
                None
            }
        }
    }

    fn source(&mut self, node: &Node) -> Option<(Template, Option<Template>)> {
        let fields = self.report.fields(node, &CARD_SOURCE, None)?;
        let label = self.template(fields.get("label"));
        let url = fields.get("url").map(|n| self.address(n));
        Some((
            label?,
            match url {
                Some(url) => Some(url?),
                None => None,
            },
        ))
    }

    /// A web address, which may be made of expressions.
    fn address(&mut self, node: &Node) -> Option<Template> {
        let fixed = parts(self.report, node)?;
        if let [Part::Text(_)] = fixed.as_slice() {
            self.report.url(node)?;
        }
        self.template(Some(node))
    }

    fn link(&mut self, node: &Node) -> Option<(Template, Template)> {
        let fields = self.report.fields(node, &LINK, None)?;
        let label = self.template(fields.get("label"));
        let url = fields.get("url").and_then(|n| self.address(n));
        Some((label?, url?))
    }

    fn suggestion(&mut self, node: &Node) -> Option<SuggestionProgram> {
        let fields = self.report.fields(node, &SUGGESTION, None)?;
        let label = self.template(fields.get("label"));
        let is_recommended = self.report.flag(fields.get("recommended"));
        let is_automatic = self.report.flag(fields.get("automatic"));
        let actions = fields.get("actions")?;
        let actions = self.each(Some(actions), "`actions`", Self::action);
        Some(SuggestionProgram {
            label: label?,
            is_recommended,
            is_automatic,
            actions: actions?,
        })
    }

    fn action(&mut self, node: &Node) -> Option<ActionProgram> {
        let fields = self.report.fields(node, &ACTION, None)?;
        let description = self.template(fields.get("description"));
        let change = match ["create", "update", "delete"].map(|name| fields.get(name)) {
            [Some(create), None, None] => self.create(create).map(ChangeProgram::Create),
            [None, Some(update), None] => self.update(update, fields.get("set"), node),
            [None, None, Some(delete)] => {
                self.resource(delete).map(|(e, _)| ChangeProgram::Delete(e))
            }
            _ => {
                let message = "an action is one of `create`, `update` and `delete`".to_owned();
                let help = "as in `delete: order`; write a second action for a second change";
                let span = (node.at, node.at + 1);
                self.report
                    .error(Code::WrongValue, message, span, Some(help.into()));
                None
            }
        };
        if let (Some(set), None) = (fields.get("set"), fields.get("update")) {
            let message = "`set` says what `update` replaces, and there is no `update`".to_owned();
            self.report
                .wrong::<()>(Code::WrongValue, message, set, "add `update: order`");
        }
        Some(ActionProgram {
            description: description?,
            change: change?,
        })
    }

    /// An expression that gives a resource, and its type where that is known.
    fn resource(&mut self, node: &Node) -> Option<(engine_cel::Compiled, Option<&'static str>)> {
        let compiled = self.expression(Some(node), None)?;
        let ty = match &compiled.ty {
            Ty::Element(name) if Model::r4().is_a(name, "Resource") => {
                Model::r4().resource(name).map(|info| info.name)
            }
            Ty::Any => None,
            other => {
                let message =
                    format!("this must be a resource, such as a draft, but it is {other}");
                let help = "name the item of `for_each`, as in `delete: order`";
                return self.report.wrong(Code::WrongType, message, node, help);
            }
        };
        Some((compiled, ty))
    }

    fn create(&mut self, node: &Node) -> Option<ResourceProgram> {
        self.report.holes = Some(vec![]);
        let made = resource::as_written(self.report, node);
        let holes = self.report.holes.take().unwrap_or_default();
        let (json, ty) = made?;
        let names = match &node.value {
            Value::Mapping(entries) => entries.iter().map(|e| e.key.clone()),
            _ => return None,
        };
        let names: Vec<String> = names.collect();
        let needed = NEEDED.iter().find(|(name, _)| *name == ty.as_str());
        for wanted in needed.map(|(_, all)| *all).unwrap_or_default() {
            let choice = Model::r4().element(ty.as_str(), wanted);
            let choice = choice.filter(|e| e.cardinality == Cardinality::Choice);
            // A choice may be written with its type.
            let typed = |name: &str| {
                choice.is_some_and(|e| e.types.iter().any(|t| choice_name(wanted, t) == name))
            };
            if !names.iter().any(|n| n == wanted || typed(n)) {
                let message = format!("a {} needs `{wanted}`", ty.as_str());
                let help = match *wanted {
                    "subject" | "patient" => Some(format!(
                        "as in `{wanted}: \"{{{{ reference(patient) }}}}\"`"
                    )),
                    _ => None,
                };
                let span = (node.at, node.at + 1);
                self.report.error(Code::MissingField, message, span, help);
            }
        }
        self.filled(&json, holes, names)
    }

    fn update(&mut self, node: &Node, set: Option<&Node>, action: &Node) -> Option<ChangeProgram> {
        let resource = self.resource(node);
        let Some(set) = set else {
            let message = "`update` needs `set`: the elements that are replaced".to_owned();
            let help = "as in `set: {medication: rxnorm|861007}`";
            let span = (action.at, action.at + 1);
            self.report
                .error(Code::MissingField, message, span, Some(help.into()));
            return None;
        };
        let (resource, ty) = resource?;
        let Some(ty) = ty.filter(|ty| *ty != "Resource" && *ty != "DomainResource") else {
            let message = "of which type the resource is, is not known here".to_owned();
            let help = "name the item of a typed list, as in `for_each: {order: selections(\"MedicationRequest\")}`";
            return self.report.wrong(Code::WrongType, message, node, help);
        };
        self.report.holes = Some(vec![]);
        let made = resource::elements(self.report, set, ty);
        let holes = self.report.holes.take().unwrap_or_default();
        let (json, names) = made?;
        let program = self.filled(&json, holes, names)?;
        Some(ChangeProgram::Update(resource, program))
    }

    /// JSON with its holes, whose expressions are checked.
    fn filled(
        &mut self,
        json: &str,
        holes: Vec<RawHole>,
        elements: Vec<String>,
    ) -> Option<ResourceProgram> {
        let holes = holes.into_iter().map(|raw| {
            Some(Hole {
                template: self.hole(&raw.node, raw.ty)?,
                element: raw.element,
                ty: raw.ty,
                codes: raw.codes,
            })
        });
        let holes = holes.collect::<Vec<Option<Hole>>>().into_iter();
        let mut holes = holes.collect::<Option<Vec<Hole>>>()?.into_iter();
        let mut pieces = vec![];
        for (index, text) in json.split(HOLE).enumerate() {
            if index > 0 {
                pieces.extend(holes.next().map(Piece::Hole));
            }
            pieces.push(Piece::Json(text.to_owned()));
        }
        Some(ResourceProgram { pieces, elements })
    }
}

fn reason(report: &mut Report<'_>, node: &Node) -> Option<CardReason> {
    let fields = report.fields(node, &REASON, None)?;
    let code = fields.get("code").and_then(|n| report.line(n));
    let display = report.paragraph(fields.get("display"));
    let system = fields.get("system").map(|n| {
        let url = report.line(n)?;
        if url.contains(':') && !url.contains(char::is_whitespace) {
            return Some(url);
        }
        let message = format!("`{url}` is no code system");
        let help = "write its address, as in `https://example.org/reasons`, or leave it out";
        report.wrong(Code::WrongValue, message, n, help)
    });
    Some(CardReason {
        system: match system {
            Some(system) => system?,
            None => REASONS.to_owned(),
        },
        code: code?,
        display: display?,
    })
}
