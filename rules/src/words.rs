//! The words of a rule's file for what it chooses between.

use std::sync::{Mutex, PoisonError};

/// What a rule is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Who should get what: a card while it is open, and a measure.
    CareGap,
    /// A card for each of what `for_each` lists, or for the patient, while `when` holds.
    Alert,
    /// The same for each row of a table.
    Family,
}

/// How far a rule is trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Status {
    /// Not finished: neither served nor measured unless it is asked for.
    Draft,
    /// Evaluated and logged; no card is shown.
    Shadow,
    /// In use.
    #[default]
    Active,
    /// No longer in use: never evaluated.
    Retired,
}

/// The moment in the work of a clinician at which a rule is asked (a hook of CDS Hooks).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hook {
    /// A chart is opened.
    PatientView,
    /// An order is being selected: not written out yet.
    OrderSelect,
    /// Orders are about to be signed.
    OrderSign,
    /// Orders that are signed are given to somebody to carry out.
    OrderDispatch,
    /// An encounter begins.
    EncounterStart,
    /// A patient is about to be discharged.
    EncounterDischarge,
    /// Appointments are about to be booked.
    AppointmentBook,
    /// A refill is asked for.
    MedicationRefill,
    /// A problem was added to the list.
    ProblemListItemCreate,
    /// An allergy is about to be saved.
    AllergyIntoleranceCreate,
    /// A medication is verified, as by a pharmacist.
    MedicationVerify,
    /// What order-sign was for medications, before CDS Hooks 1.1; old clients still send it.
    MedicationPrescribe,
    /// What order-sign was, before CDS Hooks 1.1; old clients still send it.
    OrderReview,
    /// An organization's own hook, by its name.
    Own(OwnHook),
}

/// The name of an organization's own hook: `org.example.name`. A process knows 256 of them at most: those
/// that its rules name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnHook(&'static str);

static OWN_HOOKS: Mutex<Vec<&'static str>> = Mutex::new(vec![]);

impl OwnHook {
    const MOST: usize = 256;

    /// The one of this name, in the form `org.example.name`; `None` for other names, and beyond the bound.
    pub fn of(name: &str) -> Option<Self> {
        let part = |part: &str| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            !part.is_empty() && part.bytes().all(fits)
        };
        let fits = name.len() <= 100 && name.split('.').count() >= 3 && name.split('.').all(part);
        let mut known = OWN_HOOKS.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|known| **known == name).copied();
        if found.is_some() || !fits || known.len() >= Self::MOST {
            return found.map(OwnHook);
        }
        // For as long as the process lives: rules come and go, and name few.
        let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
        known.push(name);
        Some(OwnHook(name))
    }
}

/// Which direction of a rate is better (FHIR `improvementNotation`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Improvement {
    /// A higher rate is better.
    Increase,
    /// A lower rate is better.
    Decrease,
}

/// What an unknown outcome does on a live card.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnUnknown {
    /// A card says that it could not be checked, and why.
    Card,
    /// Nothing is shown, unless the rule took too much work: that is told whatever the file says.
    Silent,
}

/// Urgency of a card (CDS Hooks `indicator`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Indicator {
    /// For information.
    Info,
    /// Needs attention.
    Warning,
    /// Needs attention now.
    Critical,
}

/// The words of a file for the values of an enum; one table serves reading and writing.
pub(crate) trait Word: Copy + PartialEq + 'static {
    /// Each word with its value.
    const WORDS: &'static [(&'static str, Self)];

    /// The word of a value.
    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, value)| *value == self);
        found.map_or("", |(word, _)| word)
    }

    /// The value of a word.
    fn of_word(word: &str) -> Option<Self> {
        let found = Self::WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, value)| *value)
    }
}

/// The words of an enum.
pub(crate) fn words_of<W: Word>() -> Vec<&'static str> {
    W::WORDS.iter().map(|(word, _)| *word).collect()
}

impl Word for Kind {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("care-gap", Kind::CareGap),
        ("alert", Kind::Alert),
        ("family", Kind::Family),
    ];
}

impl Word for Status {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("draft", Status::Draft),
        ("shadow", Status::Shadow),
        ("active", Status::Active),
        ("retired", Status::Retired),
    ];
}

impl Word for Hook {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("patient-view", Hook::PatientView),
        ("order-select", Hook::OrderSelect),
        ("order-sign", Hook::OrderSign),
        ("order-dispatch", Hook::OrderDispatch),
        ("encounter-start", Hook::EncounterStart),
        ("encounter-discharge", Hook::EncounterDischarge),
        ("appointment-book", Hook::AppointmentBook),
        ("medication-refill", Hook::MedicationRefill),
        ("problem-list-item-create", Hook::ProblemListItemCreate),
        ("allergyintolerance-create", Hook::AllergyIntoleranceCreate),
        ("medication-verify", Hook::MedicationVerify),
        ("medication-prescribe", Hook::MedicationPrescribe),
        ("order-review", Hook::OrderReview),
    ];
}

impl Word for Improvement {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("increase", Improvement::Increase),
        ("decrease", Improvement::Decrease),
    ];
}

impl Word for OnUnknown {
    const WORDS: &'static [(&'static str, Self)] =
        &[("card", OnUnknown::Card), ("silent", OnUnknown::Silent)];
}

impl Word for Indicator {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("info", Indicator::Info),
        ("warning", Indicator::Warning),
        ("critical", Indicator::Critical),
    ];
}

impl Kind {
    /// As in the file.
    pub fn as_str(self) -> &'static str {
        self.word()
    }

    /// What it is called in a sentence: `an alert`.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Kind::CareGap => "a care gap",
            Kind::Alert => "an alert",
            Kind::Family => "a family",
        }
    }
}

impl Status {
    /// As in the file.
    pub fn as_str(self) -> &'static str {
        self.word()
    }

    /// The one of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::of_word(word)
    }
}

impl Hook {
    /// The name of the hook in CDS Hooks.
    pub fn as_str(self) -> &'static str {
        match self {
            Hook::Own(OwnHook(name)) => name,
            published => published.word(),
        }
    }

    /// The one of this name: a published one, or an organization's own (`org.example.name`).
    pub fn of(name: &str) -> Option<Self> {
        Self::of_word(name).or_else(|| OwnHook::of(name).map(Hook::Own))
    }

    /// Whether its context has something that is not stored yet: orders, appointments, problems. An
    /// organization's own hook may.
    pub fn has_drafts(self) -> bool {
        !matches!(
            self,
            Hook::PatientView | Hook::EncounterStart | Hook::EncounterDischarge
        )
    }
}

impl Improvement {
    /// The FHIR code.
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

impl OnUnknown {
    /// As in the file.
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

impl Indicator {
    /// The CDS Hooks code.
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}
