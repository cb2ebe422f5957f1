//! What a measure is made of, whatever language it is written in: all that totals, reports and gaps
//! need to know of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_patient::program::{Artifact, PopulationIndex};

use crate::improvement_direction::{Direction, Origin};
use crate::package::{
    Basis, GroupDefinition, ImprovementNotation as Improvement, NotationTexts, PopulationCode,
    PopulationDefinition, Scoring, StratifierDefinition, SupplementalDefinition,
};

/// A measure's name and parts.
#[derive(Clone, Debug)]
pub struct MeasureStructure {
    /// Its name.
    pub artifact: Artifact,
    /// What it is called in this run: its id, unless another measure of the run has that, see
    /// [`distinguish`].
    pub name: Arc<str>,
    /// Which way is better, as its groups.
    pub directions: Vec<Direction>,
    /// Its groups.
    pub groups: Vec<GroupDefinition>,
    /// Its supplemental data and risk variables.
    pub supplemental: Vec<SupplementalDefinition>,
}

/// The populations of a care gap written in CEL, and of an SQL measure, in the order of their rows.
const SIMPLE: [PopulationCode; 4] = [
    PopulationCode::InitialPopulation,
    PopulationCode::Denominator,
    PopulationCode::DenominatorExclusion,
    PopulationCode::Numerator,
];

impl MeasureStructure {
    /// A proportion with one group: `initial-population`, `denominator`, `denominator-exclusion`,
    /// `numerator`.
    pub fn simple(artifact: Artifact, improvement: Improvement, basis: Basis) -> Self {
        let population = |code: PopulationCode| PopulationDefinition {
            id: None,
            code,
            expression: String::new(),
            reference: None,
            aggregate_method: None,
            criteria_reference: None,
            display: None,
            description: None,
            path: String::new(),
        };
        let group = GroupDefinition {
            id: None,
            scoring: Scoring::Proportion,
            basis,
            improvement_notation: Some(improvement),
            notation: NotationTexts::default(),
            code: None,
            description: None,
            rate_aggregation: None,
            populations: SIMPLE.into_iter().map(population).collect(),
            stratifiers: vec![],
            path: String::new(),
        };
        MeasureStructure {
            name: Arc::clone(&artifact.id),
            artifact,
            directions: vec![Direction::stated(improvement)],
            groups: vec![group],
            supplemental: vec![],
        }
    }

    /// With one stratifier in its only group.
    pub fn stratified(mut self, by: &str) -> Self {
        for group in &mut self.groups {
            group.stratifiers.push(StratifierDefinition {
                id: None,
                code: Some(by.to_owned()),
                expression: None,
                description: None,
                components: vec![],
                applies_to: vec![],
                path: String::new(),
            });
        }
        self
    }

    /// Which way is better, where all groups say the same.
    pub fn improvement(&self) -> Option<Improvement> {
        let first = self.groups.first()?.improvement_notation?;
        let same = self
            .groups
            .iter()
            .all(|g| g.improvement_notation == Some(first));
        same.then_some(first)
    }

    /// `url|version`
    pub fn canonical(&self) -> String {
        format!("{}|{}", self.artifact.url, self.artifact.version)
    }

    /// Which way is better, of the groups that have it: those with a score, and where nobody says,
    /// proportions, since gaps turn on it.
    pub fn told_directions(&self) -> impl Iterator<Item = (usize, &Direction)> {
        let groups = self.groups.iter().zip(&self.directions).enumerate();
        let told = groups.filter(|(_, (group, direction))| match group.scoring {
            Scoring::Proportion => true,
            Scoring::Cohort => false,
            _ => direction.origin != Origin::Assumed || !direction.against.is_empty(),
        });
        told.map(|(index, (_, direction))| (index, direction))
    }

    /// Whether gaps and cards may rest on which way is better.
    pub fn is_settled(&self) -> bool {
        self.directions.iter().all(Direction::is_settled)
    }
}

/// A name as part of a file name or URL: letters, digits, `.`, `_` and `-`; a long one is cut, and ends
/// in a hash of the whole.
pub fn plain_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let plain: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    if plain.len() <= LONGEST {
        return plain;
    }
    let start = plain.get(..LONGEST - 33).unwrap_or_default();
    format!("{start}-{}", crate::manifest::hash(name.as_bytes()))
}

/// Longest name within a file name or URL, in bytes: file systems take 255 with what stands around it.
const LONGEST: usize = 120;

/// A name of a file: `before`, the plain name cut to what file systems take, and `after`.
pub fn file_name(before: &str, name: &str, after: &str) -> String {
    format!("{before}{}{after}", plain_name(name))
}

/// What two names must not have in common: as file names, and file systems may not mind upper and lower
/// case.
fn as_file(name: &str) -> String {
    plain_name(name).to_lowercase()
}

/// What tells a measure from all others: its canonical, or without a url its id and version.
fn key(artifact: &Artifact) -> (&str, &str) {
    match artifact.url.is_empty() {
        true => (&artifact.id, &artifact.version),
        false => (&artifact.url, &artifact.version),
    }
}

/// Gives the measures of a run names that are theirs alone: the id; where several have that the id and
/// the version; where that does not do either, and a hash of the canonical. Names are compared as names of
/// files: `1.0.0+a` and `1.0.0-a` are the same there.
///
/// # Errors
/// Measures that have url and version in common, by their ids: nothing tells their results apart.
pub fn distinguish(structures: &mut [&mut Arc<MeasureStructure>]) -> Result<(), Vec<String>> {
    let mut keys: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut by_id, mut by_version) = (BTreeMap::new(), BTreeMap::new());
    for structure in structures.iter() {
        let artifact = &structure.artifact;
        let (url, version) = key(artifact);
        *keys
            .entry((url.to_owned(), version.to_owned()))
            .or_default() += 1;
        *by_version
            .entry(as_file(&format!("{}-{}", artifact.id, artifact.version)))
            .or_insert(0) += 1;
        *by_id.entry(as_file(&artifact.id)).or_insert(0) += 1;
    }
    let twice = keys.into_iter().filter(|(_, n)| *n > 1);
    let twice: Vec<String> = twice
        .map(|((url, version), _)| format!("{url}|{version}"))
        .collect();
    if !twice.is_empty() {
        return Err(twice);
    }
    let ids = by_id.clone();
    for structure in structures.iter_mut() {
        let artifact = &structure.artifact;
        let plain = as_file(&artifact.id);
        if by_id.get(&plain).is_none_or(|n: &usize| *n == 1) {
            continue;
        }
        let versioned = format!("{}-{}", artifact.id, artifact.version);
        let lower = as_file(&versioned);
        let free =
            by_version.get(&lower).is_none_or(|n: &usize| *n == 1) && !ids.contains_key(&lower);
        let name = match free {
            true => versioned,
            false => {
                // Of the version, too: `1.0.0+a` and `1.0.0-a` are one as file names.
                let canonical = format!("{}|{}", artifact.url, artifact.version);
                let hash = crate::manifest::hash(canonical.as_bytes()).to_string();
                let hash: String = hash.chars().rev().take(8).collect();
                format!("{versioned}-{hash}")
            }
        };
        Arc::make_mut(structure).name = name.into();
    }
    // A name that was made may be another measure's id: then the whole hash, which nobody's id is.
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for structure in structures.iter() {
        *taken.entry(as_file(&structure.name)).or_default() += 1;
    }
    for structure in structures.iter_mut() {
        let twice = taken.get(&as_file(&structure.name)).is_some_and(|n| *n > 1);
        if twice {
            let canonical = structure.canonical();
            let hash = crate::manifest::hash(canonical.as_bytes());
            let name = format!("{}-{hash}", structure.artifact.id);
            Arc::make_mut(structure).name = name.into();
        }
    }
    Ok(())
}

impl GroupDefinition {
    /// The first population of a code.
    pub fn position(&self, code: PopulationCode) -> Option<PopulationIndex> {
        let position = self.populations.iter().position(|p| p.code == code)?;
        Some(PopulationIndex::new(position))
    }

    /// What is counted, for people.
    pub fn unit(&self) -> &str {
        match &self.basis {
            Basis::Boolean => "patients",
            Basis::Resource(name) => name,
        }
    }

    /// Whether a population is counted in the strata of a stratifier; in the whole each is.
    pub fn is_divided(
        &self,
        population: &PopulationDefinition,
        by: Option<&StratifierDefinition>,
    ) -> bool {
        // An observation is counted where the population that it is of is.
        let of = population.reference.and_then(|i| i.get(&self.populations));
        let observed = of.filter(|_| population.code == PopulationCode::MeasureObservation);
        applies(by, observed.map_or(population.code, |p| p.code))
    }

    /// Whether the strata of a stratifier have a score: one that leaves out a side has none.
    pub fn is_scored(&self, by: Option<&StratifierDefinition>) -> bool {
        let scored = [
            PopulationCode::Numerator,
            PopulationCode::Denominator,
            PopulationCode::MeasurePopulation,
        ];
        let mut present = scored.iter().filter(|c| self.position(**c).is_some());
        present.all(|code| applies(by, *code))
    }

    /// Its name within a measure of several: its id, or its number.
    pub fn name(&self, index: usize) -> String {
        self.id
            .clone()
            .unwrap_or_else(|| format!("group {}", index + 1))
    }
}

impl StratifierDefinition {
    /// What it is called: its code, or else its id.
    pub fn name(&self) -> Option<&str> {
        self.code.as_deref().or(self.id.as_deref())
    }
}

fn applies(by: Option<&StratifierDefinition>, code: PopulationCode) -> bool {
    let listed = by.map_or(&[] as &[_], |s| s.applies_to.as_slice());
    listed.is_empty() || listed.contains(&code)
}

#[cfg(test)]
mod tests {

    use super::*;

    fn names(all: &[(&str, &str, &str)]) -> Result<Vec<String>, Vec<String>> {
        let mut structures: Vec<Arc<MeasureStructure>> = all
            .iter()
            .map(|(id, url, version)| {
                let artifact = Artifact {
                    id: (*id).into(),
                    url: (*url).into(),
                    version: (*version).into(),
                    title: "".into(),
                };
                let structure =
                    MeasureStructure::simple(artifact, Improvement::Increase, Basis::Boolean);
                Arc::new(structure)
            })
            .collect();
        let mut all: Vec<&mut Arc<MeasureStructure>> = structures.iter_mut().collect();
        distinguish(&mut all)?;
        Ok(structures.iter().map(|s| s.name.to_string()).collect())
    }

    /// FHIR R4 Measure.url: the canonical, with the version, is what identifies a measure.
    #[test]
    fn measures_are_told_apart_by_their_canonicals() {
        let plain = names(&[("a", "http://x/a", "1"), ("b", "http://x/b", "1")]);
        assert_eq!(plain.unwrap(), ["a", "b"]);
        let versions = names(&[("a", "http://x/a", "1"), ("a", "http://x/a", "2")]);
        assert_eq!(versions.unwrap(), ["a-1", "a-2"]);
        let urls = names(&[
            ("a", "http://x/a", "1"),
            ("a", "http://y/a", "1"),
            ("b", "", "1"),
        ]);
        let urls = urls.unwrap();
        assert!(
            urls.iter().take(2).all(|n| n.starts_with("a-1-")),
            "{urls:?}"
        );
        assert!(urls.first() != urls.get(1) && urls.last().unwrap() == "b");
        // A name that is another's id is taken.
        let taken = names(&[
            ("a", "http://x/a", "1"),
            ("a", "http://x/a", "2"),
            ("a-1", "u", "1"),
        ]);
        let taken = taken.unwrap();
        assert!(taken.first().unwrap().starts_with("a-1-") && taken.last().unwrap() == "a-1");
        // As names of files these are the same: `a-1.0.0-a`, and `x-y`.
        for pair in [
            [("a", "u", "1.0.0+a"), ("a", "u", "1.0.0-a")],
            [("x y", "u", "1"), ("x+Y", "v", "1")],
        ] {
            let pair = names(&pair).unwrap();
            let files: Vec<String> = pair.iter().map(|n| as_file(n)).collect();
            assert_ne!(files.first(), files.last(), "{pair:?}");
        }
        let twice = names(&[("a", "http://x/a", "1"), ("b", "http://x/a", "1")]);
        assert_eq!(twice.unwrap_err(), ["http://x/a|1"]);
        assert_eq!(
            names(&[("a", "", "1"), ("a", "", "1")]).unwrap_err(),
            ["a|1"]
        );
    }
}
