//! What tells the profiles of one resource type apart, from QI-Core, US Core and FHIR R4 itself. See
//! `gen/profiles.py` for the lines of `table.txt` and where they come from.

use std::sync::LazyLock;

/// The guide that a profile is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Guide {
    QiCore,
    UsCore,
    /// FHIR R4 itself: its vital signs.
    Fhir,
}

impl Guide {
    fn prefix(self) -> &'static str {
        match self {
            Self::QiCore => "http://hl7.org/fhir/us/qicore/StructureDefinition/",
            Self::Fhir => "http://hl7.org/fhir/StructureDefinition/",
            Self::UsCore => "http://hl7.org/fhir/us/core/StructureDefinition/",
        }
    }
}

/// Codes of which one must stand in `category`.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Category {
    /// The last segment of the system's url.
    pub system: &'static str,
    pub codes: Vec<&'static str>,
}

/// A profile as its guide has it, without what its base requires.
#[derive(Debug)]
pub(super) struct Known {
    pub guide: Guide,
    /// Its name, then other names of it.
    pub names: Vec<&'static str>,
    pub ty: &'static str,
    base: Option<&'static str>,
    /// It says that something was not done or not asked for.
    pub negation: bool,
    pub status: Option<&'static str>,
    /// It fixes `doNotPerform` to true.
    pub do_not_perform: bool,
    category: Option<Category>,
    codes: Vec<(&'static str, &'static str)>,
}

/// What a profile and its bases require of the content.
#[derive(PartialEq, Eq, Debug, Default)]
pub(super) struct Rules {
    pub status: Option<&'static str>,
    pub category: Option<&'static Category>,
    /// System and code: one of them must stand in `code`.
    pub codes: &'static [(&'static str, &'static str)],
}

static TABLE: LazyLock<Vec<Known>> = LazyLock::new(|| parse(include_str!("table.txt")));

fn parse(text: &'static str) -> Vec<Known> {
    let mut all: Vec<Known> = vec![];
    for line in text.lines() {
        let mut words = line.split(' ');
        let kind = words.next();
        let mut next = || words.next().unwrap_or("");
        if kind == Some("P") {
            let guide = match next() {
                "q" => Guide::QiCore,
                "f" => Guide::Fhir,
                _ => Guide::UsCore,
            };
            all.push(Known {
                guide,
                names: vec![next()],
                ty: next(),
                base: Some(next()).filter(|b| *b != "-"),
                negation: false,
                status: None,
                do_not_perform: false,
                category: None,
                codes: vec![],
            });
            continue;
        }
        let Some(known) = all.last_mut() else {
            continue;
        };
        match kind {
            Some("A") => known.names.push(next()),
            Some("N") => known.negation = true,
            Some("S") => known.status = Some(next()),
            Some("D") => known.do_not_perform = true,
            Some("C") => {
                let system = next();
                let codes = words.collect();
                known.category = Some(Category { system, codes });
            }
            Some("K") => {
                let system = next();
                known.codes.push((system, next()));
            }
            _ => {}
        }
    }
    all
}

/// All profiles of a resource type.
pub(super) fn of_type(ty: &str) -> impl Iterator<Item = &'static Known> {
    TABLE.iter().filter(move |k| k.ty == ty)
}

impl Known {
    /// Its canonical urls, without version: one for each name.
    pub fn urls(&self) -> impl Iterator<Item = String> {
        let prefix = self.guide.prefix();
        self.names.iter().map(move |name| format!("{prefix}{name}"))
    }

    /// It and its bases, nearest first.
    pub fn chain(&'static self) -> impl Iterator<Item = &'static Known> {
        let base = |k: &&'static Known| {
            let base = k.base?;
            of_type(k.ty).find(|b| b.names.first() == Some(&base))
        };
        // No profile has as many bases as there are profiles: a loop in the table ends.
        std::iter::successors(Some(self), base).take(TABLE.len())
    }

    /// Whether it is `other` or derives from it.
    pub fn is_a(&'static self, other: &'static Known) -> bool {
        self.chain().any(|k| std::ptr::eq(k, other))
    }

    pub fn rules(&'static self) -> Rules {
        let codes = self.chain().find(|k| !k.codes.is_empty());
        let codes = codes.map_or(&[][..], |k| &k.codes);
        // A required code says more than the category: who measures a body weight may file it as an exam.
        let category = self.chain().find_map(|k| k.category.as_ref());
        Rules {
            status: self.status,
            category: category.filter(|_| codes.is_empty()),
            codes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_base_is_there_and_no_url_is_of_two_profiles() {
        let mut urls: Vec<String> = TABLE.iter().flat_map(Known::urls).collect();
        let all = urls.len();
        urls.sort_unstable();
        urls.dedup();
        assert!(all > 100 && urls.len() == all);
        for known in TABLE.iter() {
            assert_eq!(known.chain().count() > 1, known.base.is_some(), "{known:?}");
            assert!(!known.negation || known.status.is_some() || known.do_not_perform);
        }
    }
}
