//! What the content of a resource says: whether something was not done, and whether it fits the
//! category or code that a profile requires.

use super::table::{Category, Rules};
use super::{Decision, NO_CATEGORY, OTHER_CATEGORY};
use crate::fhir::names::Name;
use crate::record::Element;

/// How resources of a type say that something was not done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Negation {
    /// Events: the status that says so.
    pub status: Option<&'static str>,
    /// Requests: `doNotPerform`.
    pub do_not_perform: bool,
}

/// The elements that profiles ask about.
#[derive(Debug)]
pub(super) struct Names {
    status: Name,
    do_not_perform: Name,
    modifier_extension: Name,
    url: Name,
    value_boolean: Name,
    category: Name,
    code: Name,
    coding: Name,
    system: Name,
}

impl Names {
    pub fn new() -> Names {
        let of = |text| Name::of(text).unwrap_or(Name::UNKNOWN);
        Names {
            status: of("status"),
            do_not_perform: of("doNotPerform"),
            modifier_extension: of("modifierExtension"),
            url: of("url"),
            value_boolean: of("valueBoolean"),
            category: of("category"),
            code: of("code"),
            coding: of("coding"),
            system: of("system"),
        }
    }

    /// An event that says of itself that it did not happen.
    pub fn did_not_happen(&self, negation: &Negation, resource: Element<'_>) -> bool {
        let Some(status) = negation.status else {
            return false;
        };
        let of_status = resource.get(self.status);
        of_status.is_some_and(|s| s.is_str(status)) || self.is_modified(resource, "/qicore-notDone")
    }

    pub fn is_negated(&self, negation: &Negation, resource: Element<'_>) -> bool {
        if !negation.do_not_perform {
            return self.did_not_happen(negation, resource);
        }
        let element = resource.get(self.do_not_perform);
        // R4's DeviceRequest has no such element: QI-Core takes that of R5 as an extension.
        element.and_then(Element::as_bool) == Some(true)
            || self.is_modified(resource, "DeviceRequest.doNotPerform")
    }

    /// Whether a modifier extension whose url ends so is true.
    fn is_modified(&self, resource: Element<'_>, end: &str) -> bool {
        let Some(extensions) = resource.get(self.modifier_extension) else {
            return false;
        };
        extensions.items().any(|extension| {
            let value = extension.get(self.value_boolean);
            value.and_then(Element::as_bool) == Some(true)
                && extension
                    .get(self.url)
                    .and_then(Element::as_str)
                    .is_some_and(|url| url.ends_with(end))
        })
    }

    /// What the rules alone say; another category is left to the caller.
    pub fn by_rules(&self, rules: &Rules, resource: Element<'_>) -> Decision {
        if let Some(status) = rules.status {
            let of_status = resource.get(self.status);
            if !of_status.is_some_and(|s| s.is_str(status)) {
                return Decision::No;
            }
        }
        if !rules.codes.is_empty() {
            return Decision::of(self.has_code(rules.codes, resource));
        }
        let Some(category) = rules.category else {
            return Decision::Yes;
        };
        self.by_category(category, resource)
    }

    fn has_code(&self, codes: &[(&str, &str)], resource: Element<'_>) -> bool {
        let code = resource.get(self.code);
        code.is_some_and(|c| {
            self.codings(c).any(|(system, code)| {
                codes
                    .iter()
                    .any(|(s, c)| code.is_str(c) && system.is_some_and(|x| x.is_str(s)))
            })
        })
    }

    fn by_category(&self, rule: &Category, resource: Element<'_>) -> Decision {
        let mut speaks = false;
        let category = resource.get(self.category);
        for concept in category.into_iter().flat_map(Element::items) {
            for (system, code) in self.codings(concept) {
                // A category of another system (a SNOMED code, a status by mistake) says nothing.
                let ours = system.and_then(Element::as_str).is_some_and(|s| {
                    let before = s.strip_suffix(rule.system);
                    before.is_some_and(|url| url.ends_with('/'))
                });
                if ours && rule.codes.iter().any(|c| code.is_str(c)) {
                    return Decision::Yes;
                }
                speaks |= ours;
            }
        }
        Decision::Undecidable(if speaks { OTHER_CATEGORY } else { NO_CATEGORY })
    }

    /// System and code of each coding of a concept that has a code.
    fn codings<'r>(
        &self,
        concept: Element<'r>,
    ) -> impl Iterator<Item = (Option<Element<'r>>, Element<'r>)> {
        let (system, code) = (self.system, self.code);
        let codings = concept.get(self.coding).into_iter();
        let codings = codings.flat_map(Element::items);
        codings.filter_map(move |c| Some((c.get(system), c.get(code)?)))
    }
}
