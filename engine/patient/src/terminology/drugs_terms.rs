//! What authors write for drugs: `warfarin`, `11289`, `class:maoi`, and several of these in a cell of a
//! table.

use std::ops::Range;
use std::sync::Arc;

use super::drug_set::DrugSet;
use super::drugs::{DrugClass, DrugDictionary};
use super::drugs_build::{DrugError, refuse};
use super::drugs_catalog::{DrugKind, rxcui_number};
use super::drugs_other_names::other_name;
use crate::finding::did_you_mean;

/// What stands before the id of a class.
const CLASS: &str = "class:";

/// Whether a term names a class.
pub(super) fn is_class(term: &str) -> bool {
    term.trim_start().starts_with(CLASS)
}

impl DrugDictionary {
    /// The set that a term stands for: `class:` and the id of a class, the RxCUI of an ingredient or
    /// precise ingredient, or its RxNorm name in letters of any case.
    ///
    /// # Errors
    /// When there is no such drug or class, with what may have been meant.
    pub fn set_of(&self, term: &str) -> Result<DrugSet, DrugError> {
        let term = term.trim();
        if let Some(id) = term.strip_prefix(CLASS) {
            return self.class_set(id.trim());
        }
        if term.is_empty() {
            return refuse(
                "no drug is named here".to_owned(),
                "name an ingredient, an RxCUI or a class, as in `warfarin`, `11289`, `class:maoi`",
            );
        }
        if term.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.set_of_code(term);
        }
        let number = self.catalog.by_name().get(&term.to_lowercase());
        if let Some(drug) = number.and_then(|number| self.catalog.get(*number)) {
            return Ok(self.one(self.catalog.code(drug), self.catalog.name(drug)));
        }
        let help = match (self.class(term), other_name(&self.catalog, term)) {
            (Some(class), _) => format!("for the class write `{CLASS}{}`", class.id),
            (None, Some(help)) => help,
            (None, None) => "name an ingredient as RxNorm does, without strength and brand; a class is written `class:maoi`".to_owned(),
        };
        let message = format!("no ingredient of RxNorm is named `{term}`");
        Err(DrugError { message, help })
    }

    /// The set that the id of a class stands for.
    ///
    /// # Errors
    /// When there is no such class, with what may have been meant.
    pub fn class_set(&self, id: &str) -> Result<DrugSet, DrugError> {
        if let Some(class) = self.class(id) {
            let set = DrugSet::new(Arc::clone(&class.name), class.members.iter().cloned());
            return Ok(set.with_bases(self));
        }
        let ids = || self.classes.keys().map(|id| &**id);
        let by_name = self.classes.values();
        let by_name = by_name.filter(|class| class.name.eq_ignore_ascii_case(id));
        let near = by_name.map(|class| &*class.id).next();
        let help = match near.or_else(|| did_you_mean(id, ids())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the classes are {}", listed(ids())),
        };
        let message = format!("there is no drug class `{id}`");
        Err(DrugError { message, help })
    }

    fn set_of_code(&self, code: &str) -> Result<DrugSet, DrugError> {
        let Some(drug) = self.get(code) else {
            return refuse(
                format!("the drug dictionary does not know the RxCUI `{code}`"),
                "take the RxCUI of an ingredient, or load the RxNorm release that has it",
            );
        };
        let name = self.catalog.name(drug);
        if drug.kind == DrugKind::Product {
            let ingredients = self.ingredients(code).into_iter();
            let named: Vec<String> = ingredients
                .map(|one| format!("`{}` ({})", one.rxcui, one.name))
                .collect();
            let message = format!("`{code}` is a product ({name}), not an ingredient");
            let help = format!("name what is in it: {}", named.join(", "));
            return Err(DrugError { message, help });
        }
        Ok(self.one(code, name))
    }

    fn one(&self, code: &str, name: &str) -> DrugSet {
        DrugSet::new(name, [Arc::from(code)]).with_bases(self)
    }

    /// The set of a cell of a table: terms as [`Self::set_of`] takes them, `|` between. An empty cell is
    /// an empty set.
    ///
    /// # Errors
    /// All that is wrong with it, each with its characters in the cell.
    pub fn set_of_cell(&self, cell: &str) -> Result<DrugSet, Vec<(Range<usize>, DrugError)>> {
        let (mut sets, mut wrong, mut at) = (vec![], vec![], 0);
        for term in cell.split('|').filter(|_| !cell.trim().is_empty()) {
            let length = term.chars().count();
            let before = length - term.trim_start().chars().count();
            match self.set_of(term) {
                Ok(set) => sets.push(set),
                Err(error) => {
                    let start = at + before.min(length.saturating_sub(1));
                    let end = start + term.trim().chars().count().max(1);
                    wrong.push((start..end, error));
                }
            }
            at += length + 1;
        }
        match (wrong.is_empty(), sets.len()) {
            (false, _) => Err(wrong),
            (true, 1) => Ok(sets.swap_remove(0)),
            (true, _) => {
                let names: Vec<&str> = sets.iter().map(|set| &*set.name).collect();
                let members = sets.iter().flat_map(|set| set.members().iter().cloned());
                Ok(DrugSet::new(names.join(", "), members).with_bases(self))
            }
        }
    }

    /// Adds a class of an author's own. Its members are terms as [`Self::set_of`] takes them.
    ///
    /// # Errors
    /// All members that are wrong, each by its number; and `None` where the id itself is.
    pub fn add_class(
        &mut self,
        id: &str,
        name: &str,
        members: &[&str],
    ) -> Result<(), Vec<(Option<usize>, DrugError)>> {
        let mut wrong = vec![];
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        if id.is_empty() || !id.chars().all(fits) {
            let message = format!("`{id}` is no id of a drug class");
            let help = "write it in small letters, digits, `_` and `-`".to_owned();
            wrong.push((None, DrugError { message, help }));
        } else if let Some(class) = self.class(id) {
            let message = format!("there is a drug class `{id}` already: {}", class.name);
            let help = "give yours another id".to_owned();
            wrong.push((None, DrugError { message, help }));
        }
        let mut codes: Vec<Arc<str>> = vec![];
        for (index, member) in members.iter().enumerate() {
            match self.set_of(member) {
                Ok(set) => codes.extend(set.members().iter().cloned()),
                Err(error) => wrong.push((Some(index), error)),
            }
        }
        if members.is_empty() {
            let message = format!("the drug class `{id}` has no members");
            let help = "name ingredients, RxCUIs or classes".to_owned();
            wrong.push((None, DrugError { message, help }));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let set = DrugSet::new(name, codes);
        let id: Arc<str> = Arc::from(id);
        for number in set.members().iter().filter_map(|code| rxcui_number(code)) {
            let classes = self.classes_of.entry(number).or_default();
            classes.push(Arc::clone(&id));
            classes.sort_unstable();
        }
        let class = DrugClass {
            id: Arc::clone(&id),
            name: Arc::clone(&set.name),
            members: set.members().to_vec(),
        };
        self.classes.insert(id, class);
        Ok(())
    }
}

impl DrugSet {
    /// See [`DrugDictionary::set_of_cell`].
    ///
    /// # Errors
    /// As there.
    pub fn parse_cell(
        cell: &str,
        drugs: &DrugDictionary,
    ) -> Result<Self, Vec<(Range<usize>, DrugError)>> {
        drugs.set_of_cell(cell)
    }
}

/// Words in quotes; of very many the first.
fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 120;
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    let more = words.len().saturating_sub(SHOWN);
    let shown: Vec<String> = words.into_iter().take(SHOWN).collect();
    match (shown.is_empty(), more) {
        (true, _) => "not loaded".to_owned(),
        (false, 0) => shown.join(", "),
        (false, more) => format!("{} and {more} more", shown.join(", ")),
    }
}
