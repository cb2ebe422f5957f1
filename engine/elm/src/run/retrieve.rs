//! `Retrieve`: resources of a type and profile, whose code is in a value set or is one of some codes.
//!
//! What the codes of a resource are is found once a patient; each retrieve then only compares keys.

use rustc_hash::FxHashSet;

use crate::context::cx::{Cx, Extra, Fault, Out};
use crate::context::doubt::Doubt;
use crate::context::row_doubts::RowDoubts;
use crate::fhir::property::{Path, follow};
use crate::operators::fhir_helpers::to_value;
use crate::operators::interval_relations;
use crate::run::code_index::CodeIndex;
use crate::run::eval::Evaluator;
use crate::tree::node::Node;
use crate::tree::retrieve::{Codes, Retrieve};
use crate::values::value::{Fhir, Val};
use engine_patient::record::Element;

/// Extensions by which a resource is about a whole value set.
fn is_about_set(extension: Element<'_>, url: &str) -> bool {
    let about = extension.get_str("url").is_some_and(|u| {
        u.ends_with("notDoneValueSet")
            || u.ends_with("codeOptions")
            || u.ends_with("qicore-notDoneValueSet")
    });
    about
        && ["valueCanonical", "valueUri", "valueString", "valueUrl"]
            .iter()
            .any(|name| {
                let value = extension.get_str(name);
                value.is_some_and(|v| v.split('|').next() == url.split('|').next())
            })
}

impl<'a> Evaluator<'a> {
    pub(crate) fn retrieve(&mut self, index: u32) -> Out<'a> {
        let at = index as usize;
        let unit = self.unit;
        let Some(retrieve) = unit.retrieves.get(at) else {
            return Err(Fault::bug("a retrieve that is not there"));
        };
        if let Some(Some((found, doubt))) = self.retrieved.get(at)
            && !retrieve.open
        {
            self.cx.add_doubt(*doubt);
            return Ok(Val::List(found));
        }
        if !self.record.is_available(retrieve.resource_type) {
            return Err(Fault::Raised(format!(
                "resources of type `{}` could not be had",
                retrieve.resource_type.as_str()
            )));
        }
        let before = self.cx.take_doubt();
        let candidates = self.candidates(retrieve)?;
        if let Some(why) = retrieve.code.as_ref().and_then(|c| c.doubt.as_deref()) {
            self.cx.add_doubt(self.cx.reason(why));
        }
        let mut rows = RowDoubts::default();
        let doubt = self.cx.take_doubt();
        self.unmatched(retrieve, &candidates, doubt, &mut rows)?;
        self.unresolved(retrieve, &mut rows)?;
        let mut out = Vec::with_capacity(candidates.len());
        for resource in candidates {
            if let Some(profile) = &retrieve.profile {
                let decision = profile.decide(resource, self.profile_mode);
                if let Some(why) = decision.undecidable() {
                    *self.cx.notes.profiles.borrow_mut().entry(why).or_default() += 1;
                }
                if !decision.is_taken() {
                    if profile.is_left_out_by_tag(resource) {
                        self.cx
                            .notes
                            .tagged_otherwise(&retrieve.label, profile.url());
                    }
                    continue;
                }
            }
            let value = Val::Fhir(Fhir::of(resource, retrieve.type_id));
            if let Some((path, range)) = &retrieve.date {
                let within = self.in_range(value, path, range)?;
                let doubt = self.cx.take_doubt();
                if !within {
                    rows.drop_row(doubt, Some(&value));
                    continue;
                }
                rows.keep(out.len(), doubt);
            } else {
                rows.keep(out.len(), Doubt::NONE);
            }
            out.push(value);
        }
        let mut found = self.cx.slice(&out)?;
        let doubt = rows.all();
        if doubt.is_some()
            && let Val::List(noted) = self.cx.noted(Val::List(found), rows.known(found))?
        {
            found = noted;
        }
        self.cx.set_doubt(before.or(doubt));
        match self.retrieved.get_mut(at) {
            Some(slot) => *slot = Some((found, doubt)),
            None => return Err(Fault::bug("a retrieve without a place for what it gave")),
        }
        Ok(Val::List(found))
    }

    /// The resources whose code matches, each once, in the order of the record.
    fn candidates(&mut self, retrieve: &'a Retrieve) -> Result<Vec<Element<'a>>, Fault> {
        let record = self.record;
        let resources = record.of_type(retrieve.resource_type);
        let Some(filter) = &retrieve.code else {
            return Ok(resources.collect());
        };
        let set = match &filter.codes {
            Codes::Set(Some(set)) => set,
            Codes::Set(None) => {
                self.cx
                    .notes
                    .value_sets
                    .set(self.cx.notes.value_sets.get() + 1);
                return Ok(vec![]);
            }
            Codes::Keys(keys) => {
                return self.by_keys(retrieve, filter.path, |key| keys.contains(&key));
            }
            Codes::WholeSet(url) => {
                let Some(path) = self.unit.code_paths.get(filter.path as usize) else {
                    return Err(Fault::bug(
                        "a retrieve looks under a path that is not there",
                    ));
                };
                let about = |resource: &Element<'a>| {
                    let element = path.names.iter().find_map(|n| resource.get(*n));
                    let extensions = element.into_iter().flat_map(Element::items);
                    let mut extensions = extensions.filter_map(|e| e.get_named("extension"));
                    extensions.any(|list| list.items().any(|e| is_about_set(e, url)))
                };
                return Ok(resources.filter(about).collect());
            }
            Codes::Expression(node) => {
                let mut keys = FxHashSet::default();
                let value = self.eval(node)?;
                if let Val::ValueSet(set) = value {
                    let name = set.name;
                    return match set.set {
                        Some(set) => {
                            if !set.completeness().is_trusted() {
                                self.cx.doubtful_set(name, true);
                            }
                            self.by_keys(retrieve, filter.path, |key| set.contains(key))
                        }
                        None => {
                            let asked = &self.cx.notes.value_sets;
                            asked.set(asked.get() + 1);
                            self.cx.doubtful_set(name, false);
                            Ok(vec![])
                        }
                    };
                }
                keys_of(&self.cx, value, &mut keys)?;
                return self.by_keys(retrieve, filter.path, |key| keys.contains(&key));
            }
        };
        self.by_keys(retrieve, filter.path, |key| set.contains(key))
    }

    /// Where the codes that are asked for are in doubt, every resource of the type may match that does
    /// not; who has none is not concerned.
    fn unmatched(
        &mut self,
        retrieve: &'a Retrieve,
        candidates: &[Element<'a>],
        doubt: Doubt,
        rows: &mut RowDoubts,
    ) -> Result<(), Fault> {
        if doubt.is_none() {
            return Ok(());
        }
        // A source that was told codes gives what has them: others are not here to be looked at.
        if retrieve.requirement.codes.is_some() {
            rows.drop_any(doubt);
            return Ok(());
        }
        let matched: FxHashSet<u32> = candidates.iter().map(|c| c.index).collect();
        let record = self.record;
        for resource in record.of_type(retrieve.resource_type) {
            self.cx.charge(1)?;
            let profile = retrieve.profile.as_ref();
            if !matched.contains(&resource.index)
                && profile.is_none_or(|p| p.decide(resource, self.profile_mode).is_taken())
            {
                let value = Val::Fhir(Fhir::of(resource, retrieve.type_id));
                rows.drop_row(doubt, Some(&value));
            }
        }
        Ok(())
    }

    /// Resources whose code stands in another that is not here may match.
    fn unresolved(&mut self, retrieve: &'a Retrieve, rows: &mut RowDoubts) -> Result<(), Fault> {
        let Some(path) = retrieve.code.as_ref().map(|code| code.path) else {
            return Ok(());
        };
        let record = self.record;
        let mode = self.profile_mode;
        let index = self.code_index(path)?;
        if index.unresolved.is_empty() {
            return Ok(());
        }
        let unresolved = index.unresolved.clone();
        let resources = (0u32..).zip(record.of_type(retrieve.resource_type));
        let resources = resources.filter(|(place, _)| unresolved.binary_search(place).is_ok());
        let ty = retrieve.resource_type.as_str();
        let why = format!("a {ty} refers to its code in a resource that was not given");
        let doubt = self.cx.reason(&why);
        for (_, resource) in resources {
            let profile = retrieve.profile.as_ref();
            if profile.is_none_or(|p| p.decide(resource, mode).is_taken()) {
                let value = Val::Fhir(Fhir::of(resource, retrieve.type_id));
                rows.drop_row(doubt, Some(&value));
            }
        }
        Ok(())
    }

    fn by_keys(
        &mut self,
        retrieve: &Retrieve,
        path: u32,
        wanted: impl Fn(i64) -> bool,
    ) -> Result<Vec<Element<'a>>, Fault> {
        let record = self.record;
        let index = self.code_index(path)?;
        let mut matches: Vec<u32> = vec![];
        for (key, at) in &index.codes {
            if matches.last() != Some(at) && wanted(*key) {
                matches.push(*at);
            }
        }
        let (mut out, mut next) = (Vec::with_capacity(matches.len()), 0);
        if matches.is_empty() {
            return Ok(out);
        }
        for (place, resource) in record.of_type(retrieve.resource_type).enumerate() {
            match matches.get(next) {
                Some(at) if *at as usize == place => {
                    out.push(resource);
                    next += 1;
                }
                Some(_) => {}
                None => break,
            }
        }
        Ok(out)
    }

    /// The codes of a type under a path, found at the first retrieve that asks.
    fn code_index(&mut self, path: u32) -> Result<&CodeIndex, Fault> {
        let at = path as usize;
        let unit = self.unit;
        let (Some(slot), Some(path)) = (self.code_indices.get_mut(at), unit.code_paths.get(at))
        else {
            return Err(Fault::bug(
                "a retrieve compares codes under a path that is not there",
            ));
        };
        let index = match slot.take() {
            Some(ready) => ready,
            None => CodeIndex::of(&self.cx, self.record, path)?,
        };
        Ok(slot.insert(index))
    }

    /// Whether the date of a resource lies in a range.
    fn in_range(&mut self, value: Val<'a>, path: &'a Path, range: &'a Node) -> Result<bool, Fault> {
        let date = follow(&self.cx, value, path)?;
        let extra = Extra::default();
        let date = to_value(&self.cx, &[date], &extra)?;
        let range = self.eval(range)?;
        let within = match date {
            Val::Interval(_) => interval_relations::included_in(&self.cx, &[date, range], &extra)?,
            point => interval_relations::in_(&self.cx, &[point, range], &extra)?,
        };
        Ok(within.truth() == Some(true))
    }
}

/// The keys of codes and concepts.
pub(crate) fn keys_of<'a>(
    cx: &Cx<'a>,
    value: Val<'a>,
    keys: &mut FxHashSet<i64>,
) -> Result<(), Fault> {
    cx.charge(1)?;
    match value {
        Val::Code(code) => {
            keys.insert(code.key);
        }
        Val::Concept(concept) => keys.extend(concept.codes.iter().map(|c| c.key)),
        Val::List(items) => {
            for item in items {
                cx.nest(|| keys_of(cx, *item, keys))?;
            }
        }
        _ => {}
    }
    Ok(())
}
