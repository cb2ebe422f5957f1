//! Why a patient is in a population of a care gap or is not: the criteria of the rule, as those of a package
//! are explained.

use std::collections::{HashMap, HashSet};

use engine_cel::explain::NONE;
use engine_cel::{Clause, Tried, deciding};
use engine_patient::context::EvaluationContext;
use engine_patient::describe::described;
use engine_patient::program::{
    EvaluationError, PatientProgram, PopulationCode, PopulationIndex, RowKind,
};
use engine_patient::record::{Element, PatientRecord};
use engine_patient::system::truth::Truth;
use measures::explain::verdict::{Cause, dependent, of_group, of_population};
use measures::explain::{
    Branch, ClauseResult, Explanation, Fact, GroupExplanation, Outcome, PopulationExplanation,
    StatementResult, Times, Token, period, subject,
};
use measures::structure::MeasureStructure;
use rules::Rule;

/// The criterion of each population.
const CRITERIA: [(PopulationCode, &str); 4] = [
    (PopulationCode::InitialPopulation, "eligible"),
    (PopulationCode::Denominator, "eligible"),
    (PopulationCode::DenominatorExclusion, "excluded"),
    (PopulationCode::Numerator, "satisfied"),
];

/// Explains a care gap for one patient. `depth` is how deep trees go.
pub(crate) fn explain_rule(
    rule: &Rule,
    structure: &MeasureStructure,
    record: &PatientRecord,
    context: &EvaluationContext,
    depth: usize,
) -> Result<Explanation, EvaluationError> {
    // What counts comes from the evaluation that a run does.
    let rows = rule.rows(record, context)?;
    let criteria = rule.explain(record, context)?;
    let mut trees = Trees::of(record);
    let mut populations = vec![];
    for (index, (code, name)) in CRITERIA.into_iter().enumerate() {
        let row = rows
            .iter()
            .find(|row| row.kind == RowKind::Population(code, PopulationIndex::new(index)));
        let (outcome, reason) = match row {
            Some(row) => (
                row.outcome,
                row.unknown_reason.as_deref().map(str::to_owned),
            ),
            None => (Truth::False, None),
        };
        let clause = criteria.iter().find(|(of, _)| *of == name);
        let clause = clause.map(|(_, clause)| clause);
        let mut made = PopulationExplanation {
            code: code.as_str(),
            verdict: Default::default(),
            expression: name.to_owned(),
            count: match outcome {
                Truth::True => Some(1),
                Truth::False => Some(0),
                Truth::Unknown => None,
            },
            held_back: None,
            outcome: outcome_of(Some(outcome)),
            reason,
            members: vec![],
            observations: vec![],
            criterion: clause.map(|clause| Branch {
                label: name.to_owned(),
                library: Some(rule.artifact.id.to_string()),
                ..trees.whole(clause, depth)
            }),
        };
        let causes: Vec<Cause> = clause.map(|c| trees.cause(c, name)).into_iter().collect();
        // The reason of what is unknown stands in the words of what decided.
        made.verdict = of_population(&made, causes, true);
        populations.push(made);
    }
    let scoring = structure.groups.first().map(|group| group.scoring);
    if let Some(scoring) = scoring {
        dependent(&mut populations, scoring);
    }
    let mut logic = Logic {
        library: rule.artifact.id.to_string(),
        ..Logic::default()
    };
    for (name, clause) in &criteria {
        logic.statement(name, clause, &trees);
    }
    Ok(Explanation {
        measure: structure.name.to_string(),
        canonical: structure.canonical(),
        title: structure.artifact.title.to_string(),
        subject: subject(record),
        period: period(context),
        notice: None,
        groups: vec![GroupExplanation {
            name: structure
                .groups
                .first()
                .map_or_else(String::new, |group| group.name(0)),
            verdict: of_group(&populations, vec![]),
            populations,
        }],
        definitions: logic.statements,
        clauses: logic.clauses,
    })
}

fn outcome_of(truth: Option<Truth>) -> Outcome {
    match truth {
        Some(Truth::True) => Outcome::True,
        Some(Truth::False) => Outcome::False,
        Some(Truth::Unknown) => Outcome::Unknown,
        None => Outcome::NotEvaluated,
    }
}

/// Of a part that is no yes or no: whether it has something.
fn outcome(clause: &Clause) -> Outcome {
    match (clause.truth, &clause.value) {
        (None, Some(value)) if value == NONE => Outcome::False,
        (None, Some(_)) => Outcome::True,
        (truth, _) => outcome_of(truth),
    }
}

fn once(outcome: Outcome) -> Times {
    let is = |wanted| u32::from(outcome == wanted);
    Times {
        times: u32::from(outcome != Outcome::NotEvaluated),
        holds: is(Outcome::True),
        fails: is(Outcome::False),
        null: is(Outcome::Unknown),
    }
}

/// Makes the trees of the criteria. A definition is taken apart where it comes first.
struct Trees<'r> {
    /// The resources by `Type/id`; of several the first.
    resources: HashMap<String, Element<'r>>,
    shown: HashSet<String>,
}

impl<'r> Trees<'r> {
    fn of(record: &'r PatientRecord) -> Self {
        let mut resources = HashMap::new();
        for resource in record.resources() {
            if let (Some(ty), Some(id)) = (resource.resource_type(), resource.get_str("id")) {
                let name = format!("{}/{id}", ty.as_str());
                resources.entry(name).or_insert(resource);
            }
        }
        Trees {
            resources,
            shown: HashSet::new(),
        }
    }

    /// A criterion, and on the way to what decided it.
    fn whole(&mut self, clause: &Clause, depth: usize) -> Branch {
        let inner = self.branch(clause, depth, true);
        Branch {
            outcome: inner.outcome,
            decides: true,
            times: inner.times,
            seen: inner.seen,
            parts: vec![inner],
            ..Branch::default()
        }
    }

    fn branch(&mut self, clause: &Clause, depth: usize, decides: bool) -> Branch {
        let outcome = outcome(clause);
        let values = clause.value.iter().chain(&clause.reason).cloned();
        let mut branch = Branch {
            label: clause.text.clone(),
            outcome,
            decides,
            times: once(outcome),
            values: values.collect(),
            facts: clause.items.iter().map(|item| self.fact(item)).collect(),
            ..Branch::default()
        };
        let has_parts = !clause.clauses.is_empty() || !clause.tried.is_empty();
        if clause.is_definition && has_parts && !self.shown.insert(clause.text.clone()) {
            branch.seen = true;
            branch.facts.clear();
            return branch;
        }
        // What decided has the same outcome, as in `engine_cel::deciding`; of `!x` the other one.
        let same = |part: &&Clause| part.truth.is_some() && part.truth == clause.truth;
        let has_same = clause.clauses.iter().any(|part| same(&part));
        let negates = clause.text.starts_with('!') && clause.clauses.len() == 1;
        for part in &clause.clauses {
            let own = decides && (same(&part) || (!has_same && negates));
            // The way to what decided is no matter of depth.
            match depth == 0 && !own {
                true => branch.cut += 1,
                false => {
                    let made = self.branch(part, depth.saturating_sub(1), own);
                    branch.parts.push(made);
                }
            }
        }
        branch
            .parts
            .extend(clause.tried.iter().map(|one| self.tried(one)));
        if clause.more > 0 {
            branch.parts.push(Branch {
                label: format!("and {} more, which are not shown", clause.more),
                ..Branch::default()
            });
        }
        branch
    }

    fn tried(&self, one: &Tried) -> Branch {
        let outcome = outcome_of(Some(one.truth));
        Branch {
            label: one.because.clone(),
            outcome,
            times: once(outcome),
            facts: vec![self.fact(&one.item)],
            ..Branch::default()
        }
    }

    /// What decided, with the resources that it was told by.
    fn cause(&self, clause: &Clause, criterion: &str) -> Cause {
        let mut facts = vec![];
        self.deciding_facts(clause, &mut facts);
        let mut cause = Cause::default();
        cause.text = deciding(clause);
        cause.definition = Some(criterion.to_owned());
        cause.facts = facts;
        cause
    }

    /// The resources of the parts that decided: those lists that stand nearest.
    fn deciding_facts(&self, clause: &Clause, facts: &mut Vec<Fact>) {
        let add = |facts: &mut Vec<Fact>, item: &String| {
            let fact = self.fact(item);
            if fact.resource.is_some() && !facts.contains(&fact) {
                facts.push(fact);
            }
        };
        let is_same = |part: &Clause| part.truth == clause.truth;
        let same = clause.clauses.iter().filter(|part| is_same(part));
        let before = facts.len();
        same.for_each(|part| self.deciding_facts(part, facts));
        if facts.len() > before {
            return;
        }
        let tried = clause
            .tried
            .iter()
            .filter(|one| Some(one.truth) == clause.truth);
        tried.for_each(|one| add(facts, &one.item));
        clause.items.iter().for_each(|item| add(facts, item));
        if facts.len() == before {
            clause.clauses.iter().for_each(|part| {
                let values = part.value.iter().filter(|value| value.contains('/'));
                values.chain(&part.items).for_each(|item| add(facts, item));
                // Those of the same outcome have told what they have.
                if !is_same(part) {
                    self.deciding_facts(part, facts);
                }
            });
        }
    }

    /// A resource of the record, by its line in an explanation; another value as it is.
    fn fact(&self, item: &str) -> Fact {
        let name = item.split(", ").next().unwrap_or_default();
        match self.resources.get(name).copied().and_then(described) {
            Some(described) => Fact::from(described),
            None => Fact {
                value: Some(item.to_owned()),
                ..Fact::default()
            },
        }
    }
}

/// The criteria and definitions as they are written, with their clauses.
#[derive(Default)]
struct Logic {
    library: String,
    statements: Vec<StatementResult>,
    clauses: Vec<ClauseResult>,
}

impl Logic {
    /// A criterion or definition and, behind it, the definitions that it names.
    fn statement(&mut self, name: &str, clause: &Clause, trees: &Trees<'_>) {
        if self.statements.iter().any(|known| known.name == name) {
            return;
        }
        let mut tokens = vec![];
        let place = self.statements.len();
        self.statements.push(StatementResult {
            library: self.library.clone(),
            name: name.to_owned(),
            function: false,
            outcome: outcome(clause),
            items: None,
            facts: clause.items.iter().map(|item| trees.fact(item)).collect(),
            annotated: true,
            text: clause.text.clone(),
            tokens: vec![],
        });
        self.tokens(name, clause, &mut tokens);
        if let Some(statement) = self.statements.get_mut(place) {
            statement.tokens = tokens;
        }
        self.definitions(clause, trees);
    }

    fn definitions(&mut self, clause: &Clause, trees: &Trees<'_>) {
        match (clause.is_definition, &*clause.clauses) {
            (true, [body]) => self.statement(&clause.text, body, trees),
            (_, parts) => parts.iter().for_each(|part| self.definitions(part, trees)),
        }
    }

    /// The text with its clauses, as far as they are found in it one after the other.
    fn tokens(&mut self, definition: &str, clause: &Clause, out: &mut Vec<Token>) {
        let outcome = outcome(clause);
        out.push(Token::Open(Some(self.clauses.len())));
        self.clauses.push(ClauseResult {
            library: self.library.clone(),
            definition: definition.to_owned(),
            local_id: None,
            locator: None,
            node: "",
            outcome,
            times: once(outcome),
            criterion: clause.truth.is_some(),
        });
        let mut rest = clause.text.as_str();
        let parts = clause.clauses.iter().filter(|_| !clause.is_definition);
        for part in parts {
            let Some((before, behind)) = rest.split_once(part.text.as_str()) else {
                continue;
            };
            out.push(Token::Text(before.to_owned()));
            self.tokens(definition, part, out);
            rest = behind;
        }
        out.push(Token::Text(rest.to_owned()));
        out.push(Token::Close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> PatientRecord {
        let mut record = PatientRecord::new();
        for (ty, id) in [
            ("Condition", "a"),
            ("Observation", "a"),
            ("Observation", "b"),
        ] {
            let json =
                format!(r#"{{"resourceType":"{ty}","id":"{id}","code":{{"text":"{ty} {id}"}}}}"#);
            record.push(&json).unwrap();
        }
        record.seal();
        record
    }

    fn told(clause: &Clause) -> Vec<String> {
        let record = record();
        let mut facts = vec![];
        Trees::of(&record).deciding_facts(clause, &mut facts);
        let code = |fact: Fact| fact.code.unwrap_or_default();
        facts.into_iter().map(code).collect()
    }

    /// Twice a part would be 2^200 visits of what lies deepest.
    #[test]
    fn every_part_is_visited_once() {
        let mut clause = Clause {
            truth: Some(Truth::True),
            ..Clause::default()
        };
        for _ in 0..200 {
            clause = Clause {
                truth: Some(Truth::True),
                clauses: vec![clause],
                ..Clause::default()
            };
        }
        assert!(told(&clause).is_empty());
    }

    #[test]
    fn facts_are_found_by_type_and_id() {
        let list = |item: &str| Clause {
            items: vec![item.to_owned()],
            ..Clause::default()
        };
        let clause = Clause {
            truth: Some(Truth::True),
            clauses: vec![
                list("Observation/a, X"),
                list("Condition/a"),
                list("Observation/b"),
                list("Observation/a"),
                list("Observation/c"),
            ],
            ..Clause::default()
        };
        assert_eq!(
            told(&clause),
            ["Observation a", "Condition a", "Observation b"]
        );
    }
}
