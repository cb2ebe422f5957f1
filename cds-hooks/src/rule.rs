//! The rules of Tandem as services, one for each of a rule's hooks.

use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::program::{EvaluationError, PatientProgram};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use rules::{Applicability, CardAction, CardChange, CardSuggestion, CardText, Rule};

use crate::hook::Hook;
use crate::service::{CardContent, CardService, Outcome, RuleName};
use crate::wire::{
    Action, Change, Coding, Cooldown, Indicator, Link, LinkTarget, Resource, SelectionBehavior,
    Source, Suggestion, Suggestions,
};

/// A rule at one of its hooks.
struct RuleService {
    rule: Arc<Rule>,
    hook: &'static Hook,
    id: String,
}

/// Rules as services, in their order: at its first hook a rule has its own id, at others
/// `<id>-<hook>`.
pub fn rule_services(rules: Vec<Arc<Rule>>) -> Vec<Arc<dyn CardService>> {
    let mut services: Vec<Arc<dyn CardService>> = vec![];
    for rule in rules {
        for (number, hook) in hooks(&rule).into_iter().enumerate() {
            let id = match number {
                0 => rule.artifact.id.to_string(),
                _ => format!("{}-{}", rule.artifact.id, hook.name),
            };
            let rule = Arc::clone(&rule);
            services.push(Arc::new(RuleService { rule, hook, id }));
        }
    }
    services
}

fn hooks(rule: &Rule) -> Vec<&'static Hook> {
    let each = rule.hooks.iter();
    each.filter_map(|hook| Hook::of(hook.as_str())).collect()
}

impl CardService for RuleService {
    fn id(&self) -> &str {
        &self.id
    }

    fn hook(&self) -> &'static Hook {
        self.hook
    }

    fn title(&self) -> &str {
        &self.rule.artifact.title
    }

    fn description(&self) -> &str {
        self.rule.description.trim()
    }

    fn requirements(&self) -> &[DataRequirement] {
        self.rule.data_requirements()
    }

    fn draft_types(&self) -> &[Name] {
        self.rule.draft_types()
    }

    fn rule(&self) -> RuleName {
        RuleName {
            id: self.rule.artifact.id.to_string(),
            version: self.rule.artifact.version.to_string(),
            hash: self.rule.content.clone(),
        }
    }

    fn as_rule(&self) -> Option<&Arc<Rule>> {
        Some(&self.rule)
    }

    fn late(&self) -> Option<CardContent> {
        let says = self.rule.on_unknown == rules::OnUnknown::Card;
        says.then(|| {
            let summary = &self.rule.unknown_summary;
            let said = "Could not be checked: it was not done in time.";
            CardContent::text(Indicator::Info, summary, said, source(&self.rule)).could_not_check()
        })
    }

    fn is_shadow(&self) -> bool {
        self.rule.status == rules::Status::Shadow
    }

    fn judges_code_systems(&self) -> bool {
        !self.rule.coded_elements().is_empty()
    }

    fn decide(&self, record: &PatientRecord, context: &EvaluationContext) -> Outcome {
        let decision = match self.rule.decide(record, context) {
            Ok(decision) => decision,
            Err(bug) => return Outcome::Failed(bug),
        };
        let has_unknown_card = decision.has_unknown_card;
        let texts = decision.cards.into_iter();
        let cards: Result<Vec<CardContent>, EvaluationError> =
            texts.map(|text| card(&self.rule, text)).collect();
        let mut cards = match cards {
            Ok(cards) => cards,
            Err(bug) => return Outcome::Failed(bug),
        };
        if has_unknown_card && let Some(last) = cards.pop() {
            cards.push(last.could_not_check());
        }
        match decision.applicability {
            Applicability::Unknown => Outcome::Unknown {
                reason: decision.unknown_reason,
                cards,
            },
            // Of some items it holds, of others it could not be told.
            Applicability::Applies if decision.unknown_reason.is_some() => Outcome::Unknown {
                reason: decision.unknown_reason,
                cards,
            },
            Applicability::Applies => Outcome::Cards(cards),
            Applicability::DoesNotApply => Outcome::Cards(vec![]),
        }
    }
}

fn card(rule: &Rule, text: CardText) -> Result<CardContent, EvaluationError> {
    let indicator = match text.indicator {
        rules::Indicator::Info => Indicator::Info,
        rules::Indicator::Warning => Indicator::Warning,
        rules::Indicator::Critical => Indicator::Critical,
    };
    let is_named = |own: &rules::CardSource| !rules::text::plain(&own.label).is_empty();
    let own = text.source.filter(is_named);
    let source = match own {
        Some(own) => Source {
            label: own.label,
            url: own.url,
            topic: None,
        },
        None => source(rule),
    };
    let mut content = CardContent::text(indicator, &text.summary, &text.detail, source);
    let link = |(label, url)| Link {
        label,
        url,
        target: LinkTarget::Absolute,
    };
    content.extension.cooldown = rule.cooldown_days.map(|days| Cooldown { days });
    content.links = text.links.into_iter().map(link).collect();
    let reasons = text.override_reasons.into_iter();
    content.override_reasons = reasons
        .map(|reason| Coding {
            system: reason.system,
            code: reason.code,
            display: reason.display,
        })
        .collect();
    let suggestions = text.suggestions.into_iter().map(suggestion);
    let suggestions = suggestions.collect::<Result<Vec<_>, _>>()?;
    content.suggestions = (!suggestions.is_empty()).then_some(Suggestions {
        selection_behavior: match text.any_suggestions {
            true => SelectionBehavior::Any,
            false => SelectionBehavior::AtMostOne,
        },
        suggestions,
    });
    Ok(content)
}

fn source(rule: &Rule) -> Source {
    let from = &rule.source;
    Source {
        label: format!("{}: {} ({})", from.publisher, from.title, from.year),
        url: Some(from.url.clone()),
        topic: None,
    }
}

fn suggestion(suggestion: CardSuggestion) -> Result<Suggestion, EvaluationError> {
    let actions = suggestion.actions.into_iter().map(action);
    Ok(Suggestion {
        label: suggestion.label,
        uuid: None,
        is_recommended: suggestion.is_recommended.then_some(true),
        actions: actions.collect::<Result<_, _>>()?,
        action_selection_behavior: None,
        is_automatic: suggestion.is_automatic,
    })
}

fn action(action: CardAction) -> Result<Action, EvaluationError> {
    // A rule makes its resources itself: one that is no JSON is our mistake.
    let resource = |json: String| {
        let bug = || EvaluationError::Bug("the resource of a suggestion is no JSON object".into());
        Resource::parse(&json).ok_or_else(bug)
    };
    let change = match action.change {
        CardChange::Create(json) => Change::Create {
            resource: resource(json)?,
        },
        CardChange::Update(json) => Change::Update {
            resource: resource(json)?,
        },
        CardChange::Delete(resource_id) => Change::Delete { resource_id },
    };
    Ok(Action {
        description: action.description,
        change,
    })
}
