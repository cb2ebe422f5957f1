//! What gives advice: the joint between this crate and the rules.

use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::program::EvaluationError;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;

use crate::hook::{Hook, PATIENT_VIEW};
use crate::wire::{Action, Coding, Extension, Indicator, Link, Source, Suggestions};

/// One CDS service: something with an id that looks at one patient and may have a card to show.
pub trait CardService: Send + Sync {
    /// The last segment of its URL: `[A-Za-z0-9._-]+`.
    fn id(&self) -> &str;

    /// The hook that calls it.
    fn hook(&self) -> &'static Hook {
        &PATIENT_VIEW
    }

    /// For people, short.
    fn title(&self) -> &str;

    /// For people, what it looks for. Not empty.
    fn description(&self) -> &str;

    /// Everything it may read. The prefetch templates are made of it.
    fn requirements(&self) -> &[DataRequirement];

    /// The types of drafts that it looks at. Where a hook's context only names its orders, those of these types
    /// are asked for, too.
    fn draft_types(&self) -> &[Name] {
        &[]
    }

    /// Whether it looks at the code systems that the patient's resources are coded in, so that what is
    /// searched by code needs a sample of its type, too.
    fn judges_code_systems(&self) -> bool {
        false
    }

    /// Whether it is on trial: it is called and logged, and nobody sees its cards.
    fn is_shadow(&self) -> bool {
        false
    }

    /// What names it in records and metrics.
    fn rule(&self) -> RuleName {
        RuleName {
            id: self.id().to_owned(),
            ..RuleName::default()
        }
    }

    /// The rule it is, where it is one: to explain what it did.
    fn as_rule(&self) -> Option<&Arc<rules::Rule>> {
        None
    }

    /// The card that says that it was not done in time, where its author wants to be told what could not
    /// be checked.
    fn late(&self) -> Option<CardContent> {
        None
    }

    /// Looks at one patient; [`EvaluationContext::call`] has what the hook's context holds. Types in the record that are not available must lead to
    /// [`Outcome::Unknown`] wherever they could have changed the answer.
    fn decide(&self, record: &PatientRecord, context: &EvaluationContext) -> Outcome;
}

/// An id at a hook: one entry of discovery. What gives advice there are its parts: usually rules.
#[derive(Clone)]
pub struct Service {
    /// The last segment of its URL. The same at several hooks says that each call makes the cards of an
    /// earlier one obsolete (CDS Hooks 2.0, "Update stale guidance"); the hook of the request then tells
    /// which is meant.
    pub id: String,
    /// The hook that calls it.
    pub hook: &'static Hook,
    /// For people, short.
    pub title: String,
    /// For people, what it looks for. Not empty.
    pub description: String,
    /// What looks at the patient, in the author's order.
    pub parts: Vec<Arc<dyn CardService>>,
}

impl Service {
    /// A service with one part, under the part's own id.
    pub fn of(part: Arc<dyn CardService>) -> Self {
        Service {
            id: part.id().to_owned(),
            hook: part.hook(),
            title: part.title().to_owned(),
            description: part.description().to_owned(),
            parts: vec![part],
        }
    }

    /// Whether nobody sees its cards: all of its parts are on trial.
    pub fn is_shadow(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| part.is_shadow())
    }
}

/// What names a rule or measure, here and in every record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuleName {
    /// Its id, the same at every hook.
    pub id: String,
    /// Its version; empty where it has none.
    pub version: String,
    /// What names its content: another text has another.
    pub hash: String,
}

/// What a service has to say.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// These cards, in this order; none where there is nothing to say.
    Cards(Vec<CardContent>),
    /// It could not tell, or not all of it.
    Unknown {
        /// Why. Names elements and types, never holds patient data.
        reason: Option<String>,
        /// What holds whatever the rest may be, and a card that says what could not be told
        /// ([`CardContent::could_not_check`]), where the author wants one. Without any the service stays
        /// silent, or answers 412 where the client held data back.
        cards: Vec<CardContent>,
    },
    /// A bug of ours: answered with an error and its id, never with "nothing to do".
    Failed(EvaluationError),
}

/// A card before it has a uuid and fits the limits of the specification.
#[derive(Clone, Debug)]
pub struct CardContent {
    /// How urgent.
    pub indicator: Indicator,
    /// One sentence; what exceeds 139 characters moves to the detail.
    pub summary: String,
    /// GitHub-flavoured Markdown; empty for none. Texts of the data in it went through
    /// [`rules::text::markdown`].
    pub detail: String,
    /// Who says so.
    pub source: Source,
    /// Where to read on, or what to launch.
    pub links: Vec<Link>,
    /// What could be done at a click.
    pub suggestions: Option<Suggestions>,
    /// Reasons offered to whoever declines.
    pub override_reasons: Vec<Coding>,
    /// What the client is to do without being asked (`systemActions`). Sent only where the service is
    /// configured to, and the client is known to carry it out; otherwise left out.
    pub system_actions: Vec<Action>,
    /// It says that something could not be checked: what is lacking is added to it.
    pub(crate) says_unknown: bool,
    /// For whoever built the call.
    pub(crate) extension: Extension,
}

impl CardContent {
    /// A card with a text and nothing to click.
    pub fn text(indicator: Indicator, summary: &str, detail: &str, source: Source) -> Self {
        CardContent {
            indicator,
            summary: summary.to_owned(),
            detail: detail.to_owned(),
            source,
            links: vec![],
            suggestions: None,
            override_reasons: vec![],
            system_actions: vec![],
            says_unknown: false,
            extension: Extension::default(),
        }
    }

    /// A card that says that something could not be checked. What was lacking is added where it is
    /// answered.
    pub fn could_not_check(mut self) -> Self {
        self.says_unknown = true;
        self
    }
}
