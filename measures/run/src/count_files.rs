//! `counts.parquet` and `scores.parquet`: the numbers of a run as tables print and reports report them,
//! for programs and SQL. They are written from the results themselves. A sum over result rows is not the
//! same: members, strata, units of observations and measures in SQL are each their own matter.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, Float64Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use engine_patient::program::PopulationIndex;
use measures::package::{AggregateMethod, GroupDefinition, PopulationCode, StratifierDefinition};
use measures::result::{Counts, MeasureResult, Score};
use parquet::arrow::ArrowWriter;

use crate::error::RunError;
use crate::evaluate::rows_properties;

/// A row a population of a measure's group, and of each of its strata.
pub const COUNTS: &str = "counts.parquet";
/// A row a group of a measure, and each of its strata.
pub const SCORES: &str = "scores.parquet";

/// The columns that say what a row is of.
fn place() -> Vec<Field> {
    vec![
        Field::new("measure", DataType::Utf8, false),
        Field::new("version", DataType::Utf8, false),
        Field::new("url", DataType::Utf8, false),
        Field::new("title", DataType::Utf8, false),
        Field::new("group", DataType::Int32, false),
        Field::new("group_name", DataType::Utf8, false),
        // Null in the whole.
        Field::new("stratifier", DataType::Int32, true),
        Field::new("stratified_by", DataType::Utf8, true),
        Field::new("stratum", DataType::Utf8, true),
    ]
}

/// The columns of [`COUNTS`].
pub fn counts_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let mut fields = place();
        fields.extend([
            Field::new("population", DataType::Utf8, false),
            Field::new("index", DataType::Int32, false),
            Field::new("count", DataType::Int64, false),
            Field::new("counted", DataType::Utf8, false),
            Field::new("not_evaluable", DataType::Int64, false),
            // Of a measure-observation.
            Field::new("aggregate_method", DataType::Utf8, true),
            Field::new("aggregate", DataType::Float64, true),
            Field::new("unit", DataType::Utf8, true),
        ]);
        Arc::new(Schema::new(fields))
    });
    Arc::clone(&SCHEMA)
}

/// The columns of [`SCORES`].
pub fn scores_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let mut fields = place();
        fields.extend([
            Field::new("scoring", DataType::Utf8, false),
            Field::new("score", DataType::Float64, true),
            Field::new("unit", DataType::Utf8, true),
            Field::new("better", DataType::Utf8, true),
            Field::new("better_source", DataType::Utf8, true),
            Field::new("not_evaluable", DataType::Int64, false),
            Field::new("score_low", DataType::Float64, true),
            Field::new("score_high", DataType::Float64, true),
        ]);
        Arc::new(Schema::new(fields))
    });
    Arc::clone(&SCHEMA)
}

/// Writes both files, in the order of the results.
pub(crate) fn write_counts(results: &[MeasureResult], folder: &Path) -> Result<(), RunError> {
    let (mut counts, mut scores) = (CountRows::default(), ScoreRows::default());
    for result in results {
        let groups = result.structure.groups.iter().zip(&result.groups);
        for (index, (definition, own)) in groups.enumerate() {
            let spot = |stratum| Spot {
                result,
                group: (index, definition),
                stratum,
            };
            let whole = spot(None);
            counts.push(&whole, &own.counts);
            scores.push(&whole, &own.counts);
            let stratifiers = definition.stratifiers.iter().zip(&own.strata).enumerate();
            for (at, (stratifier, strata)) in stratifiers {
                for (name, own) in strata {
                    let spot = spot(Some((at, stratifier, name.as_ref())));
                    counts.push(&spot, own);
                    scores.push(&spot, own);
                }
            }
        }
    }
    write(&folder.join(COUNTS), counts.finish()?)?;
    write(&folder.join(SCORES), scores.finish()?)
}

fn write(path: &Path, rows: RecordBatch) -> Result<(), RunError> {
    #[allow(clippy::disallowed_types, reason = "counts are a file")]
    let file = std::fs::File::create(path)?;
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(rows_properties()))?;
    writer.write(&rows)?;
    writer.close()?;
    Ok(())
}

/// What a row is of.
struct Spot<'r> {
    result: &'r MeasureResult,
    group: (usize, &'r GroupDefinition),
    /// Number, stratifier and stratum; nothing for the whole.
    stratum: Option<(usize, &'r StratifierDefinition, &'r str)>,
}

impl Spot<'_> {
    fn within(&self) -> Option<&StratifierDefinition> {
        self.stratum.map(|(_, stratifier, _)| stratifier)
    }
}

fn number(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[derive(Default)]
struct Places {
    texts: [StringBuilder; 4],
    group: Int32Builder,
    group_name: StringBuilder,
    stratifier: Int32Builder,
    stratified_by: StringBuilder,
    stratum: StringBuilder,
}

impl Places {
    fn push(&mut self, spot: &Spot) {
        let artifact = &spot.result.structure.artifact;
        let words = [
            &artifact.id,
            &artifact.version,
            &artifact.url,
            &artifact.title,
        ];
        for (builder, word) in self.texts.iter_mut().zip(words) {
            builder.append_value(word.as_ref());
        }
        let (index, definition) = spot.group;
        self.group.append_value(number(index));
        self.group_name.append_value(definition.name(index));
        let stratum = spot.stratum;
        self.stratifier
            .append_option(stratum.map(|(at, ..)| number(at)));
        let by = spot.within().and_then(StratifierDefinition::name);
        self.stratified_by.append_option(by);
        self.stratum.append_option(stratum.map(|(.., name)| name));
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = vec![];
        for builder in &mut self.texts {
            columns.push(Arc::new(builder.finish()));
        }
        columns.extend([
            Arc::new(self.group.finish()) as ArrayRef,
            Arc::new(self.group_name.finish()),
            Arc::new(self.stratifier.finish()),
            Arc::new(self.stratified_by.finish()),
            Arc::new(self.stratum.finish()),
        ]);
        columns
    }
}

#[derive(Default)]
struct CountRows {
    places: Places,
    population: StringBuilder,
    index: Int32Builder,
    count: Int64Builder,
    counted: StringBuilder,
    not_evaluable: Int64Builder,
    method: StringBuilder,
    aggregate: Float64Builder,
    unit: StringBuilder,
}

impl CountRows {
    fn push(&mut self, spot: &Spot, counts: &Counts) {
        let (_, definition) = spot.group;
        for (at, population) in PopulationIndex::each(&definition.populations) {
            let Some(own) = at.get(&counts.populations) else {
                continue;
            };
            if !definition.is_divided(population, spot.within()) {
                continue;
            }
            self.places.push(spot);
            self.population.append_value(population.code.as_str());
            self.index.append_value(number(at.position()));
            self.count.append_value(count(own.count));
            let observed = population.code == PopulationCode::MeasureObservation;
            self.counted.append_value(match observed {
                true => "observations",
                false => definition.unit(),
            });
            self.not_evaluable.append_value(count(own.unknown));
            let method = population.aggregate_method.unwrap_or(AggregateMethod::Sum);
            let method = observed.then(|| method.as_str());
            self.method.append_option(method);
            let aggregate = counts.aggregate(population, at).filter(|_| observed);
            let unit = aggregate.and_then(|_| counts.unit(population, at));
            self.aggregate
                .append_option(aggregate.map(|n| Score::Number(n).as_f64()));
            self.unit.append_option(unit);
        }
    }

    fn finish(mut self) -> Result<RecordBatch, RunError> {
        let mut columns = self.places.finish();
        columns.extend([
            Arc::new(self.population.finish()) as ArrayRef,
            Arc::new(self.index.finish()),
            Arc::new(self.count.finish()),
            Arc::new(self.counted.finish()),
            Arc::new(self.not_evaluable.finish()),
            Arc::new(self.method.finish()),
            Arc::new(self.aggregate.finish()),
            Arc::new(self.unit.finish()),
        ]);
        batch(counts_schema(), columns)
    }
}

#[derive(Default)]
struct ScoreRows {
    places: Places,
    scoring: StringBuilder,
    score: Float64Builder,
    unit: StringBuilder,
    better: [StringBuilder; 2],
    not_evaluable: Int64Builder,
    low: Float64Builder,
    high: Float64Builder,
}

impl ScoreRows {
    fn push(&mut self, spot: &Spot, counts: &Counts) {
        let (index, definition) = spot.group;
        self.places.push(spot);
        self.scoring.append_value(definition.scoring.as_str());
        let measured = counts.measured(definition);
        let measured = measured.filter(|_| definition.is_scored(spot.within()));
        let (score, unit) = measured.unzip();
        self.score.append_option(score.map(Score::as_f64));
        self.unit.append_option(unit.flatten());
        let mut directions = spot.result.structure.told_directions();
        let direction = directions.find(|(group, _)| *group == index);
        let better = direction.map(|(_, direction)| direction.cells());
        let [way, source] = &mut self.better;
        way.append_option(better.map(|[way, _]| way));
        source.append_option(better.map(|[_, source]| source));
        self.not_evaluable.append_value(count(counts.unknown));
        let bounds = counts.rate_bounds();
        let bounds = bounds.filter(|_| definition.is_scored(spot.within()));
        let (low, high) = bounds.unzip();
        self.low.append_option(low);
        self.high.append_option(high);
    }

    fn finish(mut self) -> Result<RecordBatch, RunError> {
        let mut columns = self.places.finish();
        let [way, source] = &mut self.better;
        columns.extend([
            Arc::new(self.scoring.finish()) as ArrayRef,
            Arc::new(self.score.finish()),
            Arc::new(self.unit.finish()),
            Arc::new(way.finish()),
            Arc::new(source.finish()),
            Arc::new(self.not_evaluable.finish()),
            Arc::new(self.low.finish()),
            Arc::new(self.high.finish()),
        ]);
        batch(scores_schema(), columns)
    }
}

fn batch(schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch, RunError> {
    RecordBatch::try_new(schema, columns)
        .map_err(|e| RunError::Internal(format!("counts of a run: {e}")))
}
