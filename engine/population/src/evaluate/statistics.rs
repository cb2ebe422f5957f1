//! What a run counted, as numbers. DataFusion shows its metrics as texts for people (`1.00 K`): those
//! are for people only.

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricValue;

use engine_patient::program::{NoteKind, Notes};

use super::budget::Spent;
use super::metrics::{BESIDE, EXHAUSTED, HITS, NOTE, STEPS};

/// The counts of an [`super::EvaluateExec`] that has run, summed over its partitions.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct EvaluateStatistics {
    /// Patients of the lake that were looked at.
    pub patients: u64,
    /// Resources that went into records.
    pub resources: u64,
    /// Patients and artifacts that were spared the evaluation: a necessary requirement has no match.
    pub skipped: u64,
    /// Evaluations that failed.
    pub failed: u64,
    /// Per data requirement: resources that match, of whatever patient or of none. Sorted.
    pub hits: Vec<(String, u64)>,
    /// What evaluations noted.
    pub notes: Notes,
    /// What artifacts used, in the order of the programs; of those whose steps are counted.
    pub spent: Vec<Spent>,
    /// All metrics, times too, as texts for people.
    pub shown: Vec<(String, String)>,
}

impl EvaluateStatistics {
    /// Of the operator wherever it stands in a plan; nothing before the plan has run.
    pub fn of(plan: &dyn ExecutionPlan) -> EvaluateStatistics {
        let mut out = EvaluateStatistics::default();
        out.gather(plan);
        out.hits.sort();
        out
    }

    fn gather(&mut self, plan: &dyn ExecutionPlan) {
        if plan.name() != "EvaluateExec" {
            return plan
                .children()
                .into_iter()
                .for_each(|c| self.gather(c.as_ref()));
        }
        let Some(metrics) = plan.metrics() else {
            return;
        };
        for metric in metrics.aggregate_by_name().iter() {
            let value = metric.value();
            if let MetricValue::Count { name, count } = value {
                self.count(name, count.value() as u64);
            }
            let own = [HITS, NOTE, STEPS, EXHAUSTED];
            if !own.iter().any(|prefix| value.name().starts_with(prefix)) {
                self.shown
                    .push((value.name().to_owned(), value.to_string()));
            }
        }
    }

    fn count(&mut self, name: &str, count: u64) {
        if let Some(requirement) = name.strip_prefix(HITS) {
            self.hits.push((requirement.to_owned(), count));
            return;
        }
        if let Some(note) = name.strip_prefix(NOTE) {
            let both = note.split_once(BESIDE);
            if let Some((kind, detail)) = both.and_then(|(k, d)| Some((NoteKind::of(k)?, d))) {
                self.notes.add(kind, detail, count);
            }
            return;
        }
        if let Some(artifact) = name.strip_prefix(STEPS) {
            return self.spend(artifact, |spent| spent.steps += count);
        }
        if let Some(artifact) = name.strip_prefix(EXHAUSTED) {
            return self.spend(artifact, |spent| spent.exhausted += count);
        }
        let slot = match name {
            "patients" => &mut self.patients,
            "resources_fetched" => &mut self.resources,
            "program_patients_skipped" => &mut self.skipped,
            "evaluations_failed" => &mut self.failed,
            _ => return,
        };
        *slot += count;
    }

    /// `artifact`: its number, as metrics of ours have it.
    fn spend(&mut self, artifact: &str, add: impl FnOnce(&mut Spent)) {
        let Ok(artifact) = artifact.parse::<usize>() else {
            return;
        };
        if self.spent.len() <= artifact {
            self.spent.resize(artifact + 1, Spent::default());
        }
        self.spent.get_mut(artifact).map(add);
    }

    /// Data requirements that nothing in the lake matches.
    pub fn unmatched(&self) -> Vec<String> {
        let none = self.hits.iter().filter(|(_, n)| *n == 0);
        none.map(|(requirement, _)| requirement.clone()).collect()
    }
}
