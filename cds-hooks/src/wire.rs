//! Cards as they go over the wire (CDS Hooks 2.0, "CDS Service Response").
//!
//! A field without a value is left out: nothing here is ever `null`, `""`, `[]` or `{}`, save for
//! `cards: []`.

use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// The body of an answer with status 200.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The cards; empty where there is nothing to say.
    pub cards: Vec<Card>,
    /// What the client is to do without being asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) system_actions: Vec<Action>,
    #[serde(skip_serializing_if = "AnswerExtension::is_empty")]
    pub(crate) extension: AnswerExtension,
}

/// What is said to the integrator of the answer as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub(crate) struct AnswerExtension {
    /// Rules that could not be evaluated, or not in full, and have no card that says so.
    #[serde(
        rename = "dev.tandem-cds.not-evaluated",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) not_evaluated: Vec<NotEvaluated>,
    /// Cards beyond the cap.
    #[serde(
        rename = "dev.tandem-cds.not-shown",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) not_shown: Option<NotShown>,
}

impl AnswerExtension {
    fn is_empty(&self) -> bool {
        *self == AnswerExtension::default()
    }
}

/// A rule that could not be evaluated. Names keys, elements and types, holds nothing of the patient.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct NotEvaluated {
    pub(crate) rule: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) version: String,
    /// `lacking`, `late` or `failed`.
    pub(crate) why: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) lacking: Vec<String>,
}

/// How many cards there are beyond the cap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct NotShown {
    pub(crate) cards: usize,
}

/// One card.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    pub(crate) uuid: String,
    /// Names the content within the call.
    #[serde(skip)]
    pub(crate) content: String,
    pub(crate) summary: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
    pub(crate) indicator: Indicator,
    pub(crate) source: Source,
    #[serde(flatten)]
    pub(crate) suggestions: Option<Suggestions>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) override_reasons: Vec<Coding>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) links: Vec<Link>,
    #[serde(skip_serializing_if = "Extension::is_empty")]
    pub(crate) extension: Extension,
}

/// What is said to the integrator, not to the clinician.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Extension {
    /// Why the card could only say that something could not be checked.
    #[serde(
        rename = "dev.tandem-cds.could-not-check",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) could_not_check: Option<CouldNotCheck>,
    /// The measure that a card is of.
    #[serde(
        rename = "dev.tandem-cds.measure",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) measure: Option<OfMeasure>,
    /// For how long the same card need not be shown again.
    #[serde(
        rename = "dev.tandem-cds.cooldown",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) cooldown: Option<Cooldown>,
    /// Suggestions that are not offered, since the call does not name what they would change.
    #[serde(
        rename = "dev.tandem-cds.not-offered",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) not_offered: Vec<String>,
}

impl Extension {
    fn is_empty(&self) -> bool {
        *self == Extension::default()
    }
}

/// How long a card need not be shown again to whoever saw it: the EHR's to keep, since calls are
/// answered each for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Cooldown {
    pub(crate) days: u32,
}

/// Which measure a card is of, as its package has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct OfMeasure {
    /// `url|version`.
    pub(crate) canonical: String,
    /// Of a measure with several: which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    /// Which way is better, and what says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) direction: Option<String>,
}

/// Why it could not be told. Names keys, elements and types, holds nothing of the patient.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct CouldNotCheck {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) lacking: Vec<String>,
}

/// How urgent a card is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Indicator {
    /// Good to know.
    Info,
    /// Should be looked at.
    Warning,
    /// Harm is near.
    Critical,
}

impl Indicator {
    /// As in a card.
    pub fn as_str(self) -> &'static str {
        match self {
            Indicator::Info => "info",
            Indicator::Warning => "warning",
            Indicator::Critical => "critical",
        }
    }
}

/// Who says so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Source {
    /// Name for people. Not empty.
    pub label: String,
    /// Absolute; sent only where it is http or https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What the card is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<Coding>,
}

/// A code.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Coding {
    /// Its system.
    pub system: String,
    /// The code.
    pub code: String,
    /// For people; required in override reasons.
    pub display: String,
}

/// A link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Link {
    /// For people.
    pub label: String,
    /// Absolute.
    pub url: String,
    /// A page, or an app.
    #[serde(flatten)]
    pub target: LinkTarget,
}

/// What a link opens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum LinkTarget {
    /// A page.
    Absolute,
    /// A SMART app.
    Smart {
        /// A string handed to the app.
        #[serde(rename = "appContext", skip_serializing_if = "Option::is_none")]
        app_context: Option<String>,
    },
}

/// Suggestions and how they may be taken: the specification requires both or neither.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Suggestions {
    /// How many may be taken.
    pub selection_behavior: SelectionBehavior,
    /// Not empty.
    pub suggestions: Vec<Suggestion>,
}

/// How many suggestions of a card may be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectionBehavior {
    /// None or one.
    AtMostOne,
    /// Any number.
    Any,
}

/// Something to do at a click.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    /// For people.
    pub label: String,
    /// Names it in feedback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The one to prefer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_recommended: Option<bool>,
    /// Done together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// How many of the actions may be taken; `None` for all of them. Sent only to clients that are known to
    /// support it (CDS Hooks 3.0); for others each action becomes a suggestion of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_selection_behavior: Option<ActionSelectionBehavior>,
    /// It becomes `systemActions`, where the service is configured so and the client is known to carry them
    /// out; otherwise it is offered.
    #[serde(skip)]
    pub is_automatic: bool,
}

/// How many actions of a suggestion may be taken (CDS Hooks 3.0).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionSelectionBehavior {
    /// All together.
    All,
    /// Any number.
    Any,
    /// None or one.
    AtMostOne,
}

/// A change of one resource.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Action {
    /// For people.
    pub description: String,
    /// What is done.
    #[serde(flatten)]
    pub change: Change,
}

/// What an action does.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Change {
    /// Creates this resource.
    Create {
        /// The whole resource.
        resource: Resource,
    },
    /// Replaces a resource by this.
    Update {
        /// The whole resource with its id.
        resource: Resource,
    },
    /// Deletes a resource.
    Delete {
        /// `Type/id`.
        #[serde(rename = "resourceId")]
        resource_id: String,
    },
}

/// A FHIR resource as JSON, its numbers with the digits that they have: `1.50` is not `1.5`.
#[derive(Clone, Debug)]
pub struct Resource(Box<RawValue>);

impl Resource {
    /// Of a text; `None` where it is no JSON object.
    pub fn parse(json: &str) -> Option<Self> {
        let raw: Box<RawValue> = serde_json::from_str(json).ok()?;
        raw.get().starts_with('{').then_some(Resource(raw))
    }

    /// The text.
    pub fn json(&self) -> &str {
        self.0.get()
    }
}

impl From<&Value> for Resource {
    fn from(value: &Value) -> Self {
        // A `Value` is JSON: there is nothing that could fail.
        let raw = RawValue::from_string(value.to_string());
        Resource(raw.unwrap_or_default())
    }
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
