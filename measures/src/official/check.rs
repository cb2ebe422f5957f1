//! What is wrong with one measure's logic, and what of it can be run nevertheless.
//!
//! A population that cannot be run keeps the measure out. A stratifier or supplemental data that cannot is
//! left out alone, since no count and no score depends on it: also where all that it lacks is a value set.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine_elm::libraries::ValueSetUse;
use engine_elm::{Library, Linker, Options};
use engine_patient::finding::{Code, ElmNode, Finding, Place, Severity};
use engine_patient::terminology::TerminologyStore;
use serde_json::Value as Json;

use super::compiled_measure::compile;
use crate::package::{Basis, MeasureDefinition, PopulationCode, SupplementalDefinition, Usage};

pub(super) struct Checker<'l> {
    pub(super) libraries: &'l [Library],
    pub(super) terminology: &'l TerminologyStore,
    pub(super) link: Options,
}

/// A measure without what cannot be run, and what that was.
type Kept = (MeasureDefinition, Vec<String>);

/// What was found of a measure.
pub(super) struct Checked {
    /// Everything that is wrong with it.
    pub(super) findings: Vec<Finding>,
    /// What is left of it to be run; nothing where a population is concerned.
    pub(super) kept: Option<Kept>,
    /// The value sets that it refers to.
    pub(super) value_sets: Vec<(Arc<str>, ValueSetUse)>,
}

impl Checker<'_> {
    /// Names of the libraries that a measure reaches, also of those that are not there.
    pub(super) fn reached(&self, measure: &MeasureDefinition) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut next: Vec<String> = measure
            .main_library
            .iter()
            .map(|m| m.name.clone())
            .collect();
        while let Some(name) = next.pop() {
            let of_name = self.libraries.iter().filter(|l| *l.name == *name);
            let includes = of_name.flat_map(|l| &l.includes);
            let includes: Vec<String> = includes.map(|i| i.name.to_string()).collect();
            if names.insert(name) {
                next.extend(includes);
            }
        }
        names
    }

    /// Everything that is wrong with a measure, and what is left of it to be run.
    pub(super) fn check(&self, measure: &MeasureDefinition, reached: &BTreeSet<String>) -> Checked {
        let (whole, value_sets) = self.attempt(measure, reached);
        let (findings, kept) = match whole.iter().any(Finding::is_error) {
            true => self.without_parts(measure, reached, whole),
            false => (whole, Some((measure.clone(), vec![]))),
        };
        Checked {
            findings,
            kept,
            value_sets,
        }
    }

    /// A measure that is not in order, without the stratifiers and supplemental data that are not.
    fn without_parts(
        &self,
        measure: &MeasureDefinition,
        reached: &BTreeSet<String>,
        whole: Vec<Finding>,
    ) -> (Vec<Finding>, Option<Kept>) {
        let broken = |measure: &MeasureDefinition| {
            let (issues, _) = self.attempt(measure, reached);
            let errors = issues.into_iter().filter(Finding::is_error);
            errors.collect::<Vec<Finding>>()
        };
        // Without all that can be left out, and then with each of it alone.
        let mut kept = measure.clone();
        kept.supplemental_data.clear();
        for group in &mut kept.groups {
            group.stratifiers.clear();
        }
        if !broken(&kept).is_empty() {
            return (whole, None);
        }
        let bare = kept.clone();
        let mut left = LeftOver::default();
        for (at, group) in measure.groups.iter().enumerate() {
            for stratifier in &group.stratifiers {
                let mut probe = bare.clone();
                let own = probe.groups.get_mut(at).map(|g| &mut g.stratifiers);
                if let Some(own) = own {
                    own.push(stratifier.clone());
                }
                let issues = broken(&probe);
                if issues.is_empty() {
                    if let Some(group) = kept.groups.get_mut(at) {
                        group.stratifiers.push(stratifier.clone());
                    }
                    continue;
                }
                let name = stratifier.id.as_ref().or(stratifier.code.as_ref());
                let name = name.or(stratifier.expression.as_ref());
                let what = format!("stratifier `{}`", name.map_or("", String::as_str));
                let place = (&*stratifier.path, Code::StratifierLeftOut);
                left.out(measure, what, issues, place);
            }
        }
        for definition in &measure.supplemental_data {
            let mut probe = bare.clone();
            probe.supplemental_data.push(definition.clone());
            let issues = broken(&probe);
            if issues.is_empty() {
                kept.supplemental_data.push(definition.clone());
                continue;
            }
            let what = format!("{} `{}`", kind(definition), definition.expression);
            let place = (&*definition.path, Code::SupplementalLeftOut);
            left.out(measure, what, issues, place);
        }
        let (rest, _) = self.attempt(&kept, reached);
        if rest.iter().any(Finding::is_error) {
            return (whole, None);
        }
        left.found.extend(rest);
        (left.found, Some((kept, left.parts)))
    }

    /// Compiles a measure and tells what is wrong with what it reaches.
    fn attempt(
        &self,
        measure: &MeasureDefinition,
        reached: &BTreeSet<String>,
    ) -> (Vec<Finding>, Vec<(Arc<str>, ValueSetUse)>) {
        let mut linker = Linker::new(self.libraries, self.terminology, self.link);
        let library = measure
            .main_library
            .as_ref()
            .and_then(|main| linker.library(&main.name, main.version.as_deref()));
        let complete = compile(&mut linker, measure).is_some();
        let (linked, issues) = linker.finish();
        let of_library = |issue: &Finding| {
            let library = issue.node().map_or("", |n| &*n.library);
            let name = library.split_once('|').map_or(library, |(name, _)| name);
            reached.contains(name)
        };
        let mut issues: Vec<Finding> = issues.into_iter().filter(of_library).collect();
        let source = library.and_then(|l| self.libraries.get(l as usize));
        if let Some(source) = source {
            issues.extend(types(measure, source));
        } else if !complete && !issues.iter().any(Finding::is_error) {
            // Whatever the reason: a measure must not go missing without one.
            let library = measure.main_library.as_ref().map_or("?", |m| &m.name);
            let place = Place::of_elm(&*measure.source, ElmNode::library(library));
            let message = "the library of the measure cannot be read";
            issues.push(Finding::error(Code::ElmLibraryMissing, message).placed(place));
        }
        (issues, linked.value_sets.into_iter().collect())
    }
}

/// What a measure is run without.
#[derive(Default)]
struct LeftOver {
    found: Vec<Finding>,
    parts: Vec<String>,
}

impl LeftOver {
    /// Leaves something out for these errors. A value set that is missing stays a finding of its own,
    /// as for any other measure that refers to it; that this is left out for it is one more.
    fn out(
        &mut self,
        measure: &MeasureDefinition,
        what: String,
        issues: Vec<Finding>,
        (path, code): (&str, Code),
    ) {
        let mut lacking: BTreeSet<String> = BTreeSet::new();
        let mut word = "missing";
        for mut issue in issues {
            issue.severity = Severity::Warning;
            let of_set = match issue.code {
                Code::ElmValueSetMissing => true,
                Code::ElmValueSetIncomplete => {
                    word = "missing or not expanded";
                    true
                }
                _ => false,
            };
            match issue.place.canonical.as_ref().filter(|_| of_set) {
                Some(_) => {
                    let name = issue.message.split('"').nth(1).unwrap_or_default();
                    lacking.insert(format!("\"{name}\""));
                }
                None => issue.message = format!("{what} is left out: {}", issue.message),
            }
            self.found.push(issue);
        }
        if !lacking.is_empty() {
            let names: Vec<String> = lacking.into_iter().collect();
            let message = format!(
                "{what} is left out, and not evaluable: {} {word}: {}; no population depends on it",
                if names.len() == 1 {
                    "a value set is"
                } else {
                    "value sets are"
                },
                names.join(", "),
            );
            let finding = Finding::warning(code, message).in_file(&*measure.source);
            self.found.push(finding.at(path));
            self.parts
                .push(format!("{what} ({word}: {})", names.join(", ")));
            return;
        }
        self.parts.push(what);
    }
}

/// What supplemental data is called: it may be there for risk adjustment.
fn kind(definition: &SupplementalDefinition) -> &'static str {
    match definition.usage.as_slice() {
        [Usage::RiskAdjustment] => "risk adjustment",
        _ => "supplemental data",
    }
}

/// Criteria whose published type is nothing that can be met.
fn types(measure: &MeasureDefinition, library: &Library) -> Vec<Finding> {
    let mut issues = vec![];
    for group in &measure.groups {
        let criteria = group.populations.iter();
        for population in criteria.filter(|p| p.code != PopulationCode::MeasureObservation) {
            let definition = library.expression(&population.expression);
            let Some((definition, ty)) =
                definition.and_then(|d| Some((d, d.result_type.as_ref()?)))
            else {
                continue;
            };
            if fits(ty, &group.basis) {
                continue;
            }
            let wanted = match &group.basis {
                Basis::Boolean => "a Boolean".to_owned(),
                Basis::Resource(ty) => format!("a list of {ty}"),
            };
            let message = format!(
                "the criterion of the `{}` gives {}, where {wanted} is needed",
                population.code.as_str(),
                shown(ty)
            );
            let finding = Finding::error(Code::ElmCriterionType, message).help(
                "name a definition of that type, or correct the population basis of the measure",
            );
            issues.push(library.finding_at(
                finding,
                Some(Arc::clone(&definition.name)),
                definition.local_id.clone(),
                definition.locator.clone(),
            ));
        }
    }
    issues.sort();
    issues.dedup();
    issues
}

/// Whether a value of a type can be a criterion. What is not known fits.
fn fits(ty: &Json, basis: &Basis) -> bool {
    let Some(kind) = ty.get("type").and_then(Json::as_str) else {
        return ty.as_str().is_none_or(|name| name_fits(name, basis));
    };
    let part = |name: &str| ty.get(name).unwrap_or(&Json::Null);
    match (kind, basis) {
        ("NamedTypeSpecifier", _) => part("name").as_str().is_none_or(|n| name_fits(n, basis)),
        ("ChoiceTypeSpecifier", _) => {
            let choices = part("choice").as_array();
            choices.is_none_or(|all| all.is_empty() || all.iter().any(|c| fits(c, basis)))
        }
        // There is something, or there is nothing: but not of values that say so themselves.
        ("ListTypeSpecifier", Basis::Boolean) => {
            let of = part("elementType");
            let name = of
                .as_str()
                .or_else(|| of.get("name").and_then(Json::as_str));
            name.is_none_or(|name| !name.starts_with("{urn:hl7-org:elm-types:r1}") || is_any(name))
        }
        ("ListTypeSpecifier", Basis::Resource(_)) => {
            let of = part("elementType");
            let boolean = |name: &str| name.ends_with("}Boolean") || name.ends_with("}boolean");
            let name = of
                .as_str()
                .or_else(|| of.get("name").and_then(Json::as_str));
            fits(of, basis) && !name.is_some_and(boolean)
        }
        ("IntervalTypeSpecifier" | "TupleTypeSpecifier", _) => false,
        _ => true,
    }
}

fn is_any(name: &str) -> bool {
    name.ends_with("}Any")
}

fn name_fits(name: &str, basis: &Basis) -> bool {
    let Some((namespace, own)) = name.strip_prefix('{').and_then(|n| n.split_once('}')) else {
        return true;
    };
    let system = namespace == "urn:hl7-org:elm-types:r1";
    let fhir = namespace == "http://hl7.org/fhir";
    if (!system && !fhir) || is_any(name) || own.eq_ignore_ascii_case("boolean") {
        return true;
    }
    match basis {
        // A resource is there or not.
        Basis::Boolean => fhir && is_resource(own),
        Basis::Resource(ty) => fhir && (own == ty || matches!(own, "Resource" | "DomainResource")),
    }
}

fn is_resource(name: &str) -> bool {
    let model = engine_patient::fhir::model::Model::r4();
    matches!(name, "Resource" | "DomainResource") || model.resource(name).is_some()
}

/// A type for people.
fn shown(ty: &Json) -> String {
    let short = |name: &str| match name.strip_prefix('{').and_then(|n| n.split_once('}')) {
        Some(("http://hl7.org/fhir", own)) => format!("FHIR.{own}"),
        Some((_, own)) => own.to_owned(),
        None => name.to_owned(),
    };
    if let Some(name) = ty.as_str() {
        return format!("`{}`", short(name));
    }
    let part = |name: &str| ty.get(name).unwrap_or(&Json::Null);
    match ty.get("type").and_then(Json::as_str) {
        Some("NamedTypeSpecifier") => {
            format!("`{}`", short(part("name").as_str().unwrap_or_default()))
        }
        Some("ListTypeSpecifier") => format!("a list of {}", shown(part("elementType"))),
        Some("IntervalTypeSpecifier") => "an interval".to_owned(),
        Some("TupleTypeSpecifier") => "a tuple".to_owned(),
        Some("ChoiceTypeSpecifier") => "one of several types".to_owned(),
        _ => "another type".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_of_criteria() {
        let system = |name: &str| json!(format!("{{urn:hl7-org:elm-types:r1}}{name}"));
        let fhir = |name: &str| json!(format!("{{http://hl7.org/fhir}}{name}"));
        let named = |name| json!({ "type": "NamedTypeSpecifier", "name": name });
        let list = |of| json!({ "type": "ListTypeSpecifier", "elementType": named(of) });
        let choice = |of| json!({ "type": "ChoiceTypeSpecifier", "choice": [named(of), named(fhir("Period"))] });
        let boolean = Basis::Boolean;
        let encounter = Basis::Resource("Encounter".into());
        for (ty, of_patients, of_encounters) in [
            (system("Boolean"), true, true),
            (named(fhir("boolean")), true, true),
            (system("Any"), true, true),
            (system("Integer"), false, false),
            (fhir("dateTime"), false, false),
            (fhir("Encounter"), true, true),
            (fhir("Patient"), true, false),
            (list(fhir("Encounter")), true, true),
            (list(fhir("Condition")), true, false),
            (list(system("Boolean")), false, false),
            (list(system("Any")), true, true),
            (list(fhir("Resource")), true, true),
            (choice(system("Boolean")), true, true),
            (choice(system("String")), false, false),
            (json!({ "type": "IntervalTypeSpecifier" }), false, false),
            (json!({ "type": "SomethingNew" }), true, true),
        ] {
            assert_eq!(fits(&ty, &boolean), of_patients, "{ty}");
            assert_eq!(fits(&ty, &encounter), of_encounters, "{ty}");
        }
    }
}
