//! An expression read out for a reader who knows no CEL: what is asked for, with the titles of its value
//! sets. What has no words of its own stands as it is written.

use std::sync::Arc;

use engine_patient::requirements::DataRequirement;
use engine_patient::terminology::ValueSet;

use super::explain::{show, written};
use super::nodes::{Compiled, Comprehension, Fold, Node, NodeKind};
use super::operators::{Arithmetic, Order};
use super::value::Val;

/// What is asked, in words: sentences, all or one of which must hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Words {
    /// One statement.
    Said(String),
    /// All of them hold.
    All(Vec<Words>),
    /// At least one of them holds.
    Any(Vec<Words>),
}

/// What the names and numbers of an artifact's expressions stand for.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// In the order of the checker.
    pub requirements: &'a [DataRequirement],
    /// In the order of the checker.
    pub value_sets: &'a [Arc<ValueSet>],
    /// The names of the definitions, in their order.
    pub defines: &'a [String],
    /// What the item of `for_each` is called.
    pub item: Option<&'a str>,
    /// The columns of the table.
    pub columns: &'a [String],
}

impl Compiled {
    /// What it asks, in words.
    pub fn in_words(&self, reading: &Reading<'_>) -> Words {
        let source: Vec<char> = self.source.chars().collect();
        let reader = Reader { reading, source };
        reader.words(&self.node)
    }
}

struct Reader<'a> {
    reading: &'a Reading<'a>,
    source: Vec<char>,
}

/// A list: what is in it, and what narrows it.
struct Listed {
    noun: String,
    narrowed: Vec<String>,
}

impl Listed {
    fn text(&self) -> String {
        match self.narrowed.is_empty() {
            true => self.noun.clone(),
            false => format!("{} {}", self.noun, self.narrowed.join(", ")),
        }
    }
}

impl Reader<'_> {
    fn words(&self, node: &Node) -> Words {
        match &node.kind {
            NodeKind::And(terms) => Words::All(terms.iter().map(|t| self.words(t)).collect()),
            NodeKind::Or(terms) => Words::Any(terms.iter().map(|t| self.words(t)).collect()),
            _ => Words::Said(self.said(node)),
        }
    }

    /// A statement or a value on one line.
    fn said(&self, node: &Node) -> String {
        match &node.kind {
            NodeKind::And(terms) => self.joined(terms, " and "),
            NodeKind::Or(terms) => self.joined(terms, " or "),
            NodeKind::Not(inner) => match &inner.kind {
                NodeKind::Call(info, args) if info.name == "exists" => {
                    format!("there are no {}", self.first(args))
                }
                NodeKind::Fold(Fold::Exists, inner) => format!(
                    "there are no {} of which: {}",
                    self.listed(&inner.range).text(),
                    self.said(&inner.body)
                ),
                _ => format!("not: {}", self.said(inner)),
            },
            NodeKind::Constant(value) => constant(value),
            NodeKind::Local(_) => "it".to_owned(),
            NodeKind::Define(index) => match self.reading.defines.get(*index) {
                Some(name) => format!("“{}”", name.replace('_', " ")),
                None => self.code(node),
            },
            NodeKind::Item => format!("the {}", self.reading.item.unwrap_or("item")),
            NodeKind::Column(index) => match self.reading.columns.get(*index) {
                Some(name) => format!("“{name}” of the row"),
                None => self.code(node),
            },
            NodeKind::HasCell(index) => match self.reading.columns.get(*index) {
                Some(name) => format!("“{name}” of the row is filled"),
                None => self.code(node),
            },
            NodeKind::Hook => "the hook".into(),
            NodeKind::User => "who asks".into(),
            NodeKind::Patient => "the patient".into(),
            NodeKind::At => "now".into(),
            NodeKind::PeriodStart => "the start of the period".into(),
            NodeKind::PeriodEnd => "the end of the period".into(),
            NodeKind::Retrieve(_) => self.listed(node).text(),
            NodeKind::Select(select) => {
                format!("{} of {}", spaced(&select.name), self.said(&select.operand))
            }
            NodeKind::Has(select) => format!(
                "{} of {} is recorded",
                spaced(&select.name),
                self.said(&select.operand)
            ),
            NodeKind::Conditional(parts) => {
                let [condition, then, other] = parts.as_ref();
                format!(
                    "if {}: {}, otherwise {}",
                    self.said(condition),
                    self.said(then),
                    self.said(other)
                )
            }
            NodeKind::Order(order, pair) => {
                let words = match order {
                    Order::Less => "is less than",
                    Order::LessOrEqual => "is at most",
                    Order::Greater => "is more than",
                    Order::GreaterOrEqual => "is at least",
                };
                self.between(pair, words)
            }
            NodeKind::Equal(pair) => self.between(pair, "is"),
            NodeKind::NotEqual(pair) => self.between(pair, "is not"),
            NodeKind::In(pair) => self.between(pair, "is one of"),
            NodeKind::Arithmetic(operator, _, pair) => {
                let words = match operator {
                    Arithmetic::Add => "plus",
                    Arithmetic::Subtract => "minus",
                    Arithmetic::Multiply => "times",
                    Arithmetic::Divide => "divided by",
                    Arithmetic::Modulo => "modulo",
                };
                match self.list_of(node) {
                    Some(list) => list.text(),
                    None => self.between(pair, words),
                }
            }
            NodeKind::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.said(item)).collect();
                items.join(", ")
            }
            NodeKind::Map(inner, condition) => {
                let list = self.listed(&inner.range).text();
                let body = self.said(&inner.body);
                let of = condition
                    .as_ref()
                    .map(|c| format!(" of which: {}", self.said(c)));
                format!("of each of {list}{}: {body}", of.unwrap_or_default())
            }
            NodeKind::Fold(fold, inner) => self.fold(*fold, inner),
            NodeKind::Call(info, args) => self.call(node, info.name, args),
            NodeKind::InValueSet(info, set, args) => {
                let set = self.set(*set);
                match info.name {
                    "inValueSet" => format!("{} is in {set}", self.first(args)),
                    _ => self.component(args, &set),
                }
            }
            _ => self.code(node),
        }
    }

    fn component(&self, args: &[Node], set: &str) -> String {
        match args {
            [of] => format!("the part of {} in {set}", self.said(of)),
            [of, unit] => format!(
                "the value of the part of {} in {set}, in {}",
                self.said(of),
                self.said(unit)
            ),
            _ => set.to_owned(),
        }
    }

    fn fold(&self, fold: Fold, inner: &Comprehension) -> String {
        let list = self.listed(&inner.range).text();
        let body = self.said(&inner.body);
        match fold {
            Fold::Exists => format!("there are {list} of which: {body}"),
            Fold::All => format!("of all {list}: {body}"),
            Fold::ExistsOne => format!("of exactly one of the {list}: {body}"),
            Fold::Filter => format!("{list} of which: {body}"),
        }
    }

    fn call(&self, node: &Node, name: &str, args: &[Node]) -> String {
        if let Some(list) = self.list_of(node) {
            return list.text();
        }
        let first = || self.first(args);
        let second = || args.get(1).map_or_else(String::new, |arg| self.said(arg));
        match name {
            "exists" => format!("there are {}", first()),
            "isEmpty" => format!("there are no {}", first()),
            "size" => format!("the number of {}", first()),
            "first" => format!("the first of {}", first()),
            "latest" => format!("the latest of {}", first()),
            "earliest" => format!("the earliest of {}", first()),
            "latestValue" => format!("the latest value of {}, in {},", first(), second()),
            "lowest" | "highest" | "average" => {
                format!("the {name} value of {}, in {},", first(), second())
            }
            "change" => format!("the change of {}, in {},", first(), second()),
            "valueIn" => format!("the value of {} in {}", first(), second()),
            "quantityIn" => format!("{} in {}", first(), second()),
            "hba1cPercent" => format!("the HbA1c of {} in %", first()),
            "start" => format!("the date of {}", first()),
            "end" => format!("the end of {}", first()),
            "date" => first(),
            "years" | "months" | "weeks" | "days" | "hours" => match first().as_str() {
                "1" => format!("1 {}", name.trim_end_matches('s')),
                number => format!("{number} {name}"),
            },
            "daysBetween" => format!("the days between {} and {}", first(), second()),
            "ageInYearsAt" => "the age in years".into(),
            "ageInMonthsAt" => "the age in months".into(),
            "ageInDaysAt" => "the age in days".into(),
            "deceased" => "the patient has died".into(),
            "orElse" => format!("{}, or where that cannot be told {}", first(), second()),
            "isUnknown" => format!("it cannot be told: {}", first()),
            "drugName" => format!("the drug of {}", first()),
            "isDrug" => format!("{} has {}", first(), second()),
            "inDrugClass" => format!("{} is of the class {}", first(), second()),
            "isAllergen" => format!("{} is to {}", first(), second()),
            "sameDrug" => format!("{} and {} have an ingredient in common", first(), second()),
            "sharedClass" => format!("{} and {} are of one class of drugs", first(), second()),
            "hasDrugCode" => format!("{} has a code that is known", first()),
            "isLocal" => format!("{} acts only where it is put", first()),
            "ckdEpi2021" => format!("the eGFR (CKD-EPI 2021) by {}", first()),
            "creatinineClearance" => format!(
                "the creatinine clearance (Cockcroft and Gault) by {} and {}",
                first(),
                second()
            ),
            "bmi" => format!("the body mass index by {} and {}", first(), second()),
            "bodySurface" => format!("the body surface by {} and {}", first(), second()),
            // Of one resource what of a list narrows it.
            _ => match (narrows(name), args.first()) {
                (Some((_, one)), Some(about)) => {
                    let about = self.said(about);
                    let rest = args.get(1).map(|arg| format!(" {}", self.said(arg)));
                    format!("{about} {one}{}", rest.unwrap_or_default())
                }
                _ => self.code(node),
            },
        }
    }

    /// What is in a list, and what narrows it; a list of another kind as it is said.
    fn listed(&self, node: &Node) -> Listed {
        self.list_of(node).unwrap_or_else(|| Listed {
            noun: self.said(node),
            narrowed: vec![],
        })
    }

    fn list_of(&self, node: &Node) -> Option<Listed> {
        let named = |noun: &str| {
            Some(Listed {
                noun: noun.to_owned(),
                narrowed: vec![],
            })
        };
        match &node.kind {
            NodeKind::Retrieve(index) => {
                let requirement = self.reading.requirements.get(*index)?;
                let noun = nouns(requirement.resource_type.as_str());
                let of = requirement.codes.as_ref();
                let of = of.map(|codes| format!(" in {}", set_in_words(&codes.value_set)));
                named(&format!("{noun}{}", of.unwrap_or_default()))
            }
            NodeKind::Arithmetic(Arithmetic::Add, _, pair) => {
                let [a, b] = pair.as_ref();
                let (a, b) = (self.list_of(a)?, self.list_of(b)?);
                named(&format!("{} or {}", a.text(), b.text()))
            }
            NodeKind::Fold(Fold::Filter, inner) => {
                let mut list = self.list_of(&inner.range)?;
                list.narrowed
                    .push(format!("of which: {}", self.said(&inner.body)));
                Some(list)
            }
            NodeKind::Call(info, args) => match (info.name, args.as_slice()) {
                ("medications", _) => named("medications that are taken"),
                ("medicationsEver", _) => named("medications that were ever taken"),
                ("allergies", _) => named("allergies"),
                ("selections", _) => named("orders that are being written and chosen"),
                ("draftOrders", _) => named("orders that are being written"),
                (name, [list, rest @ ..]) => {
                    let (many, _) = narrows(name)?;
                    let mut list = self.list_of(list)?;
                    let rest: Vec<String> = rest
                        .iter()
                        .filter(|arg| !matches!(arg.kind, NodeKind::At))
                        .map(|arg| self.said(arg))
                        .collect();
                    let words = format!("{many} {}", rest.join(" to "));
                    list.narrowed.push(words.trim_end().to_owned());
                    Some(list)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn first(&self, args: &[Node]) -> String {
        args.first().map_or_else(String::new, |arg| self.said(arg))
    }

    fn joined(&self, terms: &[Node], word: &str) -> String {
        let terms: Vec<String> = terms.iter().map(|term| self.said(term)).collect();
        format!("({})", terms.join(word))
    }

    fn between(&self, [a, b]: &[Node; 2], words: &str) -> String {
        format!("{} {words} {}", self.said(a), self.said(b))
    }

    fn set(&self, index: usize) -> String {
        let set = self.reading.value_sets.get(index);
        set.map_or_else(String::new, |set| set_in_words(set))
    }

    /// As it is written.
    fn code(&self, node: &Node) -> String {
        format!("`{}`", written(&self.source, node.span))
    }
}

/// What narrows a list, and the same of one resource.
fn narrows(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "completed" => ("that are completed", "is completed"),
        "isFinal" => ("that are final", "is final"),
        "notDone" => ("that were not done", "was not done"),
        "ordered" => ("that are ordered", "is ordered"),
        "withResult" => ("with a result", "has a result"),
        "active" => ("that are active", "is active"),
        "ever" => ("recorded at any time", "is recorded"),
        "inLast" => ("of the last", "is of the last"),
        "since" => ("since", "is since"),
        "before" => ("before", "is before"),
        "during" => ("from", "is from"),
        "asOf" => ("up to now", "is up to now"),
        "isDrug" => ("with", "has"),
        "inDrugClass" => ("of the class", "is of the class"),
        _ => return None,
    })
}

/// Several of a type of resource, as a clinician says it.
fn nouns(ty: &str) -> &str {
    match ty {
        "Observation" => "results",
        "DiagnosticReport" => "reports",
        "Condition" => "diagnoses",
        "Procedure" => "procedures",
        "Immunization" => "vaccinations",
        "MedicationRequest" => "prescriptions",
        "MedicationStatement" => "statements of medication",
        "Encounter" => "visits",
        "AllergyIntolerance" => "allergies",
        "ServiceRequest" => "orders",
        other => other,
    }
}

/// `“Diabetes” (280 codes)`
fn set_in_words(set: &ValueSet) -> String {
    let title = set.title.as_deref().or(set.name.as_deref());
    let codes = match set.len() {
        1 => "1 code".to_owned(),
        n => format!("{n} codes"),
    };
    format!("“{}” ({codes})", title.unwrap_or(&set.url))
}

fn constant(value: &Val<'_>) -> String {
    match value {
        Val::Bool(true) => "always".into(),
        Val::Bool(false) => "never".into(),
        Val::Drugs(drugs) => format!("“{}”", drugs.name),
        Val::Time(time) => time.to_string().chars().take_while(|c| *c != 'T').collect(),
        other => show(other),
    }
}

/// `birthDate` → `birth date`
fn spaced(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push(' ');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
