//! What the tests of this crate share: definitions, rows as Arrow, a generator.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Builder, Int64Builder, RecordBatch, StringBuilder, StringDictionaryBuilder,
};
use arrow::datatypes::Int32Type;
use engine_patient::program::{Artifact, ResultRow};
use engine_patient::value::Value;

use crate::direction::Direction;
use crate::package::{
    AggregateMethod, Basis, GroupDefinition, NotationTexts, PopulationCode, PopulationDefinition,
    Scoring, StratifierComponent, StratifierDefinition,
};
use crate::result::Improvement;
use crate::shape::MeasureShape;

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
        reference: Some(of),
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

pub fn shape(id: &str, groups: Vec<GroupDefinition>) -> Arc<MeasureShape> {
    Arc::new(MeasureShape {
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

/// Rows as `EvaluateExec` gives them, sorted.
pub fn batch(rows: &[(&str, &MeasureShape, ResultRow)]) -> RecordBatch {
    type Words = StringDictionaryBuilder<Int32Type>;
    let value = |row: &ResultRow| match &row.value {
        Value::Null => None,
        Value::Decimal(d) => Some(d.to_string()),
        Value::String(s) => Some(s.to_string()),
        Value::Quantity { value, .. } => Some(value.to_string()),
        other => panic!("{other:?}"),
    };
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_key(|(patient, shape, row)| {
        let about = (row.stratifier, row.stratum.clone(), row.basis_id.clone());
        let at = (row.group, row.population, row.index);
        (
            &shape.artifact.id,
            &shape.artifact.version,
            &shape.artifact.url,
            *patient,
            at,
            about,
            value(row),
        )
    });
    let mut texts: [StringBuilder; 3] = Default::default();
    let mut words: [Words; 9] = Default::default();
    let mut numbers: [Int32Builder; 3] = Default::default();
    let mut counts = Int64Builder::new();
    let number = |n: u32| i32::try_from(n).unwrap();
    for (patient, shape, row) in rows {
        texts[0].append_value(patient);
        texts[1].append_option(row.basis_id.as_deref());
        texts[2].append_option(value(row));
        words[0].append_value(&shape.artifact.id);
        words[1].append_value(&shape.artifact.version);
        words[2].append_value(row.population);
        words[3].append_option(row.stratum.as_deref());
        words[4].append_value(row.outcome.as_str());
        words[5].append_option(row.unknown_reason.as_deref());
        words[6].append_value(&shape.artifact.url);
        words[7].append_option(match &row.value {
            Value::Quantity { unit, .. } => Some(unit.as_ref()),
            _ => None,
        });
        words[8].append_option(row.coding.as_deref());
        numbers[0].append_value(number(row.group));
        numbers[1].append_value(number(row.index));
        numbers[2].append_option(row.stratifier.map(number));
        counts.append_option(row.count);
    }
    let [mut patient, mut basis, mut value] = texts;
    let [
        mut measure,
        mut version,
        mut population,
        mut stratum,
        mut outcome,
        mut reason,
        mut url,
        mut unit,
        mut coding,
    ] = words;
    let [mut group, mut index, mut stratifier] = numbers;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(patient.finish()),
        Arc::new(measure.finish()),
        Arc::new(version.finish()),
        Arc::new(url.finish()),
        Arc::new(group.finish()),
        Arc::new(population.finish()),
        Arc::new(index.finish()),
        Arc::new(stratifier.finish()),
        Arc::new(stratum.finish()),
        Arc::new(basis.finish()),
        Arc::new(outcome.finish()),
        Arc::new(counts.finish()),
        Arc::new(value.finish()),
        Arc::new(unit.finish()),
        Arc::new(coding.finish()),
        Arc::new(reason.finish()),
    ];
    RecordBatch::try_new(engine_population::evaluate::result_schema(), columns).unwrap()
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
