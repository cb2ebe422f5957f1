//! The last evidence of a care gap: the latest resource that `satisfied` looks for and that is done, whether
//! it is enough or too old. Who calls a patient wants to know what was done last. Medicines are none: they are
//! looked for by drug, not by the codes of a value set.

use engine_cel::functions::is_done;
use engine_patient::context::EvaluationContext;
use engine_patient::describe::described;
use engine_patient::fhir::clinical_time::clinical_time;
use engine_patient::program::{ResultRow, RowKind};
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::Match;
use engine_patient::system::truth::Truth;
use engine_patient::value::Value;

use crate::program::Gap;
use crate::rule::Rule;

impl Rule {
    /// The data requirements with codes that `satisfied` reads, through definitions. What is looked for
    /// without a code is not what the gap is about.
    fn evidence_requirements(&self, gap: &Gap) -> Vec<usize> {
        let defines = &self.program.expressions.defines;
        let mut found: Vec<usize> = vec![];
        let mut seen = vec![false; defines.len()];
        let mut stack = vec![&gap.satisfied];
        while let Some(expression) = stack.pop() {
            found.extend(expression.retrieves().into_iter().map(|(index, _)| index));
            for index in expression.definitions() {
                if let (Some(seen), Some(definition)) = (seen.get_mut(index), defines.get(index))
                    && !std::mem::replace(seen, true)
                {
                    stack.push(definition);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        let coded = |index: &usize| {
            let requirement = self.requirements.get(*index);
            requirement.is_some_and(|r| r.codes.is_some())
        };
        found.retain(coded);
        found
    }

    /// The row of it, as JSON; none where nothing is recorded up to the moment of evaluation.
    pub(super) fn evidence_row(
        &self,
        gap: &Gap,
        record: &PatientRecord,
        context: &EvaluationContext,
    ) -> Option<ResultRow> {
        let now = context.at.latest(&context.zone);
        // When it began; a day counts from its first moment on. What does not say when goes behind what does.
        let at = |resource: Element<'_>| {
            let ty = resource.resource_type()?.as_str();
            let start = clinical_time(ty, resource).start;
            Some(start.map(|start| start.earliest(&context.zone)))
        };
        let is_past = |at: &Option<i64>| at.is_none_or(|at| at <= now);
        let requirements = self.evidence_requirements(gap).into_iter();
        let requirements = requirements.filter_map(|index| self.requirements.get(index));
        let all = requirements.flat_map(|requirement| requirement.found_in(record));
        let certain = all.filter(|(_, found)| *found == Match::Yes);
        let done = certain.filter(|(resource, _)| is_done(*resource));
        let dated = done.filter_map(|(resource, _)| Some((at(resource)?, resource)));
        let past = dated.filter(|(at, _)| is_past(at));
        // Of one moment the first by its id, so that every run says the same.
        let last = past.min_by_key(|(at, resource)| {
            (
                std::cmp::Reverse(*at),
                resource.get_str("id").map(|id| id.into_owned()),
            )
        });
        let told = described(last?.1)?;
        let json = serde_json::json!({
            "resource": told.resource,
            "code": told.code,
            "date": told.date,
            "value": told.value,
            "negated": told.negated,
        });
        Some(ResultRow {
            count: None,
            value: Value::String(json.to_string().into()),
            ..ResultRow::of_patient(RowKind::Evidence, Truth::True)
        })
    }
}
