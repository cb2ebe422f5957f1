//! The clauses of a care gap's criteria, and what each comes to for a patient: a letter a clause, `t`, `f`,
//! or `u` for unknown.

use engine_cel::{Compiled, Evaluation, Term};
use engine_patient::program::{EvaluationError, PopulationIndex, ResultRow, RowKind};
use engine_patient::system::truth::Truth;
use engine_patient::value::Value;

use crate::program::{Gap, Question};
use crate::rule::Rule;

/// The clauses of a population of a care gap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clauses {
    /// Among the rows of the rule.
    pub population: PopulationIndex,
    /// `eligible`, `excluded` or `satisfied`.
    pub criterion: &'static str,
    /// As they are written.
    pub clauses: Vec<String>,
    /// One of them is enough.
    pub any: bool,
}

/// A population by its place among the rows, its criterion, its parts, and whether one of them is enough.
type Criterion<'r> = (usize, &'static str, Vec<Term<'r>>, bool);

impl Rule {
    /// The clauses of each criterion; none of an alert.
    pub fn clauses(&self) -> Vec<Clauses> {
        let Question::Gap(gap) = &self.program.expressions.question else {
            return vec![];
        };
        let all = self.criteria(gap).into_iter();
        all.map(|(population, criterion, terms, any)| Clauses {
            population: PopulationIndex::new(population),
            criterion,
            clauses: terms.iter().map(Term::text).collect(),
            any,
        })
        .collect()
    }

    fn criteria<'r>(&'r self, gap: &'r Gap) -> [Criterion<'r>; 3] {
        let defines = &self.program.expressions.defines;
        let of = |compiled: &'r Compiled| compiled.top_terms(defines);
        let (mut eligible, mut any) = of(&gap.eligible);
        if let Some(alive) = &self.program.expressions.alive {
            // Who is eligible is alive as well.
            if any {
                let whole = gap.eligible.whole();
                (eligible, any) = (vec![whole], false);
            }
            let (alive, _) = of(alive);
            eligible.splice(0..0, alive);
        }
        let (excluded, any_excluded) = of(&gap.excluded);
        let (satisfied, any_satisfied) = of(&gap.satisfied);
        [
            (0, "eligible", eligible, any),
            (2, "excluded", excluded, any_excluded),
            (3, "satisfied", satisfied, any_satisfied),
        ]
    }

    /// The rows of a patient.
    pub(super) fn clause_rows<'r>(
        &'r self,
        gap: &'r Gap,
        evaluation: &Evaluation<'r>,
    ) -> Result<Vec<ResultRow>, EvaluationError> {
        let mut rows = vec![];
        for (population, _, terms, _) in self.criteria(gap) {
            let mut letters = String::with_capacity(terms.len());
            for term in terms {
                letters.push(match evaluation.term(term)? {
                    Truth::True => 't',
                    Truth::False => 'f',
                    Truth::Unknown => 'u',
                });
            }
            let kind = RowKind::Clauses(PopulationIndex::new(population));
            rows.push(ResultRow {
                count: None,
                value: Value::String(letters.into()),
                ..ResultRow::of_patient(kind, Truth::True)
            });
        }
        Ok(rows)
    }
}
