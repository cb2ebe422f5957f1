//! The rules of Tandem as services, one each.

use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::program::PatientProgram;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use rules::{Applicability, CardText, Rule};

use crate::service::{CardContent, CardService, Outcome};
use crate::wire::{Indicator, Source};

/// Rules as services, in their order.
pub fn rule_services(rules: Vec<Arc<Rule>>) -> Vec<Arc<dyn CardService>> {
    rules
        .into_iter()
        .map(|rule| rule as Arc<dyn CardService>)
        .collect()
}

impl CardService for Rule {
    fn id(&self) -> &str {
        &self.artifact.id
    }

    fn title(&self) -> &str {
        &self.artifact.title
    }

    fn description(&self) -> &str {
        self.description.trim()
    }

    fn requirements(&self) -> &[DataRequirement] {
        self.data_requirements()
    }

    fn judges_code_systems(&self) -> bool {
        !self.coded_elements().is_empty()
    }

    fn decide(&self, record: &PatientRecord, context: &EvaluationContext) -> Outcome {
        let decision = match Rule::decide(self, record, context) {
            Ok(decision) => decision,
            Err(bug) => return Outcome::Failed(bug),
        };
        let mut cards = decision.cards.into_iter().map(|text| content(self, text));
        match decision.applicability {
            Applicability::Unknown => Outcome::Unknown {
                reason: decision.unknown_reason,
                card: cards.next(),
            },
            Applicability::Applies => cards.next().map_or(Outcome::NoCard, Outcome::Card),
            Applicability::DoesNotApply => Outcome::NoCard,
        }
    }
}

fn content(rule: &Rule, text: CardText) -> CardContent {
    let indicator = match text.indicator {
        rules::Indicator::Info => Indicator::Info,
        rules::Indicator::Warning => Indicator::Warning,
        rules::Indicator::Critical => Indicator::Critical,
    };
    let from = &rule.source;
    let label = format!("{}: {} ({})", from.publisher, from.title, from.year);
    let source = Source {
        label,
        url: Some(from.url.clone()),
        topic: None,
    };
    CardContent::text(indicator, &text.summary, &text.detail, source)
}
