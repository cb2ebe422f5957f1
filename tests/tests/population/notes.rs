//! What evaluations note and use travels with the plan's metrics, not in the program: a pass on another
//! machine would tell it too.

use std::sync::Arc;

use datafusion::execution::context::SessionContext;
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionConfig;
use engine_patient::program::{
    Artifact, EvaluationError, EvaluationResult, NoteKind, PatientProgram, PopulationCode,
    ResultRow, RowOptions, Used, Wanted,
};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::truth::Truth;
use engine_population::evaluate::{EvaluateStatistics, EvaluateTable, GivenUp, Spent, store_url};

use crate::fixture::{PATIENTS, context, fixture, open};

/// Steps that it takes for each patient.
const STEPS: u64 = 7;

/// Two artifacts; the second uses up its budget for whomever it is asked about.
#[derive(Debug)]
struct Noting(Vec<Artifact>);

fn noting() -> Arc<dyn PatientProgram> {
    let artifact = |id: &str| Artifact {
        id: id.into(),
        url: format!("http://example.org/{id}").into(),
        version: "1".into(),
        title: id.into(),
    };
    Arc::new(Noting(vec![artifact("good"), artifact("bad")]))
}

impl PatientProgram for Noting {
    fn artifacts(&self) -> &[Artifact] {
        &self.0
    }

    fn data_requirements(&self) -> &[DataRequirement] {
        &[]
    }

    fn steps_of_a_patient(&self) -> Option<u64> {
        Some(STEPS)
    }

    fn absent(&self, artifact: usize, _: RowOptions, out: &mut Vec<ResultRow>) {
        out.push(ResultRow {
            artifact: artifact as u16,
            ..ResultRow::of_population(PopulationCode::InitialPopulation, 0, Truth::False)
        });
    }

    fn evaluate(
        &self,
        _: &PatientRecord,
        wanted: &Wanted<'_>,
        out: &mut EvaluationResult,
    ) -> Result<(), EvaluationError> {
        for (artifact, _) in wanted.artifacts.iter().enumerate().filter(|(_, w)| **w) {
            out.notes.add(NoteKind::Message, "a | b: c\nd", 2);
            out.used.push(Used {
                artifact,
                steps: STEPS,
                exhausted: artifact == 1,
            });
            out.rows.push(ResultRow {
                artifact: artifact as u16,
                ..ResultRow::of_population(PopulationCode::InitialPopulation, 0, Truth::True)
            });
        }
        Ok(())
    }
}

/// Rows of a pass, or that it ended early; and what it counted.
fn pass(given_up: GivenUp) -> (Option<usize>, EvaluateStatistics) {
    fixture();
    let lake = std::thread::spawn(open).join().unwrap();
    let config = SessionConfig::new().with_target_partitions(2);
    let session = SessionContext::new_with_config(config);
    session.register_object_store(store_url().unwrap().as_ref(), Arc::clone(&lake.store));
    let mut table = EvaluateTable::new(lake, vec![noting()], context());
    table.given_up = given_up;
    session.register_table("results", Arc::new(table)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let frame = session.table("results").await.unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        let rows = collect(Arc::clone(&plan), session.task_ctx()).await;
        let rows = rows.ok().map(|all| all.iter().map(|b| b.num_rows()).sum());
        (rows, EvaluateStatistics::of(plan.as_ref()))
    })
}

#[test]
fn notes_and_budgets_are_metrics_of_the_plan() {
    // The second artifact ends the pass, long before all patients were seen.
    let (rows, counted) = pass(GivenUp::default());
    assert_eq!(rows, None);
    let [good, bad] = counted.spent.as_slice() else {
        panic!("two artifacts: {:?}", counted.spent)
    };
    assert!(bad.exhausted >= 3 && bad.exhausted < PATIENTS && good.exhausted == 0);

    // Without it the next goes through, and all that was noted is summed over the partitions.
    let mut given_up = GivenUp::default();
    assert!(given_up.give_up(&[noting()], PATIENTS, &counted.spent));
    assert!(given_up.why(0).is_none() && given_up.why(1).is_some());
    let (rows, counted) = pass(given_up);
    let patients = counted.patients;
    assert_eq!(
        rows,
        Some(2 * patients as usize),
        "a row each, given up or not"
    );
    let notes: Vec<_> = counted.notes.iter().collect();
    assert_eq!(notes, [(NoteKind::Message, "a | b: c\nd", 2 * patients)]);
    let good = Spent {
        steps: STEPS * patients,
        exhausted: 0,
    };
    assert_eq!(counted.spent, [good, Spent::default()]);
    // For people they are no metrics beside times and bytes.
    let shown = |word: &str| counted.shown.iter().any(|(name, _)| name.contains(word));
    assert!(shown("patients") && !shown("note") && !shown("artifact"));
}
