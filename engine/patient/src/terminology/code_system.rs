//! A code system with its hierarchy.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

/// How much of a code system is in the resource (`CodeSystem.content`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeSystemContent {
    /// All concepts.
    Complete,
    /// Some concepts: `fragment` or `example`.
    Fragment,
    /// None: `not-present`.
    NotPresent,
}

/// One concept of a code system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concept {
    /// The code.
    pub code: Arc<str>,
    /// Display text.
    pub display: Option<Arc<str>>,
    /// Codes of its direct parents.
    pub parents: Vec<Arc<str>>,
    /// True if marked inactive or retired.
    pub inactive: bool,
}

/// A loaded code system, used to expand value sets.
#[derive(Debug, Clone)]
pub struct CodeSystem {
    /// Canonical url, after [`super::canonical_system`].
    pub url: Arc<str>,
    /// Business version.
    pub version: Option<Arc<str>>,
    /// Computer-friendly name.
    pub name: Option<Arc<str>>,
    /// Title for people.
    pub title: Option<Arc<str>>,
    /// Name of the source it came from.
    pub source: Arc<str>,
    /// How much of it is here.
    pub content: CodeSystemContent,
    concepts: Vec<Concept>,
    index: FxHashMap<Arc<str>, usize>,
    children: FxHashMap<Arc<str>, Vec<usize>>,
}

impl CodeSystem {
    /// A code system of these concepts. A code given twice keeps its first display and all parents.
    #[must_use]
    pub fn new(
        url: Arc<str>,
        version: Option<Arc<str>>,
        content: CodeSystemContent,
        given: Vec<Concept>,
        source: Arc<str>,
    ) -> Self {
        let mut concepts: Vec<Concept> = Vec::with_capacity(given.len());
        let mut index: FxHashMap<Arc<str>, usize> = FxHashMap::default();
        for concept in given {
            let known = index
                .get(&concept.code)
                .and_then(|at| concepts.get_mut(*at));
            if let Some(known) = known {
                known.parents.extend(concept.parents);
                known.inactive |= concept.inactive;
            } else {
                index.insert(Arc::clone(&concept.code), concepts.len());
                concepts.push(concept);
            }
        }
        let mut children: FxHashMap<Arc<str>, Vec<usize>> = FxHashMap::default();
        for (at, concept) in concepts.iter_mut().enumerate() {
            concept.parents.sort_unstable();
            concept.parents.dedup();
            for parent in &concept.parents {
                children.entry(Arc::clone(parent)).or_default().push(at);
            }
        }
        Self {
            url,
            version,
            name: None,
            title: None,
            source,
            content,
            concepts,
            index,
            children,
        }
    }

    /// All concepts, in the order of the source.
    #[must_use]
    pub fn concepts(&self) -> &[Concept] {
        &self.concepts
    }

    /// The concept with this code.
    #[must_use]
    pub fn concept(&self, code: &str) -> Option<&Concept> {
        self.concepts.get(*self.index.get(code)?)
    }

    /// The concepts below `code`, at any depth, without itself; each once, also in a cyclic hierarchy.
    #[must_use]
    pub fn descendants(&self, code: &str) -> Vec<&Concept> {
        let mut seen: FxHashSet<usize> = FxHashSet::default();
        seen.extend(self.index.get(code));
        let mut found = Vec::new();
        let mut open = vec![code];
        while let Some(parent) = open.pop() {
            for at in self.children.get(parent).into_iter().flatten() {
                if let Some(concept) = self.concepts.get(*at)
                    && seen.insert(*at)
                {
                    found.push(concept);
                    open.push(&concept.code);
                }
            }
        }
        found
    }

    /// True if both have the same concepts, parents and content.
    pub(super) fn same_content(&self, other: &Self) -> bool {
        self.content == other.content && self.concepts == other.concepts
    }
}
