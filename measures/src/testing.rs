//! What the tests of this crate share: definitions, totals of rows, a generator.

use std::sync::Arc;

use engine_patient::program::{Artifact, PopulationIndex, ResultRow};

use crate::improvement_direction::Direction;
use crate::package::{
    AggregateMethod, Basis, GroupDefinition, NotationTexts, PopulationCode, PopulationDefinition,
    Scoring, StratifierComponent, StratifierDefinition,
};
use crate::result::{Improvement, MeasureResult};
use crate::structure::MeasureStructure;
use crate::subject::{Foreign, Gatherer, Subject};
use crate::totals::Totals;

pub use PopulationCode::{
    Denominator as D, DenominatorException as E, DenominatorExclusion as X,
    InitialPopulation as IP, MeasureObservation as O, MeasurePopulation as M,
    MeasurePopulationExclusion as MX, Numerator as N, NumeratorExclusion as NX,
};

pub fn population(code: PopulationCode) -> PopulationDefinition {
    PopulationDefinition {
        id: None,
        code,
        expression: String::new(),
        reference: None,
        criteria_reference: None,
        display: None,
        aggregate_method: None,
        description: None,
        path: String::new(),
    }
}

/// With ids `numerator-1` and so on.
pub fn group(scoring: Scoring, basis: &str, codes: &[PopulationCode]) -> GroupDefinition {
    let mut populations: Vec<_> = codes.iter().map(|c| population(*c)).collect();
    for (i, p) in populations.iter_mut().enumerate() {
        p.id = Some(format!("{}-{i}", p.code.as_str()));
    }
    GroupDefinition {
        id: Some("g".into()),
        scoring,
        basis: match basis {
            "boolean" => Basis::Boolean,
            other => Basis::Resource(other.into()),
        },
        improvement_notation: Some(Improvement::Increase),
        notation: NotationTexts::default(),
        code: None,
        description: None,
        rate_aggregation: None,
        populations,
        stratifiers: vec![],
        path: String::new(),
    }
}

pub fn observation(of: usize, method: AggregateMethod) -> PopulationDefinition {
    PopulationDefinition {
        reference: Some(PopulationIndex::new(of)),
        aggregate_method: Some(method),
        id: Some(format!("observation-of-{of}")),
        ..population(O)
    }
}

pub fn stratifier(components: &[&str], applies_to: &[PopulationCode]) -> StratifierDefinition {
    let component = |code: &&str| StratifierComponent {
        code: Some((*code).into()),
        id: None,
        description: None,
        path: String::new(),
        expression: String::new(),
    };
    StratifierDefinition {
        id: Some("s".into()),
        code: Some("age".into()),
        expression: None,
        description: None,
        components: components.iter().map(component).collect(),
        applies_to: applies_to.to_vec(),
        path: String::new(),
    }
}

pub fn structure(id: &str, groups: Vec<GroupDefinition>) -> Arc<MeasureStructure> {
    Arc::new(MeasureStructure {
        name: id.into(),
        directions: groups
            .iter()
            .filter_map(|g| g.improvement_notation)
            .map(Direction::stated)
            .collect(),
        artifact: Artifact {
            id: id.into(),
            url: format!("http://example.org/Measure/{id}").into(),
            version: "1.0.0".into(),
            title: format!("Title of {id}").into(),
        },
        groups,
        supplemental: vec![],
    })
}

/// Visits the subjects of rows, in the order in which a run gives them; each row of one of the measures.
pub fn gather(
    structures: &[Arc<MeasureStructure>],
    rows: &[(&str, &MeasureStructure, ResultRow)],
    visit: &mut dyn FnMut(&Subject),
) -> Result<(), Foreign> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_key(|(patient, structure, row)| {
        let about = (row.stratifier, row.stratum.clone(), row.basis_id.clone());
        let at = (row.group, row.kind.as_str(), row.kind.index());
        let artifact = &structure.artifact;
        let measure = (&artifact.id, &artifact.version, &artifact.url);
        let value = row.value.text().map(|t| t.into_owned());
        (measure, *patient, at, about, value)
    });
    let mut gatherer = Gatherer::new(structures);
    for (patient, structure, row) in rows {
        let measure = structures
            .iter()
            .position(|s| s.artifact == structure.artifact);
        let measure = measure.expect("a measure of the run");
        gatherer.push(measure, patient, row, visit)?;
    }
    gatherer.finish(visit);
    Ok(())
}

/// The results of such rows.
pub fn totals(
    structures: &[Arc<MeasureStructure>],
    rows: &[(&str, &MeasureStructure, ResultRow)],
) -> Result<Vec<MeasureResult>, Foreign> {
    let mut totals = Totals::new(structures);
    gather(structures, rows, &mut |subject| totals.add(subject))?;
    Ok(totals.finish())
}

/// splitmix64
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}
