//! The hooks that services answer: one table, by which requests are checked (CDS Hooks 2.0, "Hooks", and
//! the hook library).

use std::sync::{Mutex, PoisonError};

/// A hook.
#[derive(PartialEq, Eq, Debug)]
pub struct Hook {
    /// As in a request.
    pub name: &'static str,
    /// The version of its published definition; empty for an organization's own.
    pub version: &'static str,
    /// What its context holds; members that are not here are passed over.
    pub context: &'static [ContextField],
}

/// A member of a context.
#[derive(PartialEq, Eq, Debug)]
pub struct ContextField {
    /// As in a request.
    pub name: &'static str,
    /// Whether each call has it.
    pub is_required: bool,
    /// What it holds.
    pub form: Form,
    /// Whether prefetch templates may name it.
    pub is_token: bool,
}

/// What a member of a context holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// The id of the patient that the call is about.
    Patient,
    /// Who calls: `Practitioner/1`.
    User,
    /// The id of an encounter.
    Encounter,
    /// A Bundle of what is not stored yet.
    Drafts,
    /// One resource that is not stored yet.
    Draft,
    /// A list of resources that are not stored yet.
    DraftList,
    /// References to those of the drafts that the call is about.
    Selections,
    /// References to what is stored.
    References,
    /// A reference to what is stored.
    Reference,
}

impl Form {
    /// Whether it holds drafts, in whatever form.
    pub fn has_drafts(self) -> bool {
        matches!(self, Form::Drafts | Form::Draft | Form::DraftList)
    }
}

const fn required(name: &'static str, form: Form) -> ContextField {
    ContextField {
        name,
        is_required: true,
        form,
        is_token: false,
    }
}

const fn optional(name: &'static str, form: Form) -> ContextField {
    ContextField {
        is_required: false,
        ..required(name, form)
    }
}

impl ContextField {
    const fn token(self) -> Self {
        ContextField {
            is_token: true,
            ..self
        }
    }
}

const PATIENT: ContextField = required("patientId", Form::Patient).token();
const USER: ContextField = required("userId", Form::User).token();
/// A patient, or nobody, may be at work.
const USER_OR_NONE: ContextField = optional("userId", Form::User).token();
const ENCOUNTER: ContextField = optional("encounterId", Form::Encounter).token();
const IN_ENCOUNTER: ContextField = required("encounterId", Form::Encounter).token();
const DRAFT_ORDERS: ContextField = required("draftOrders", Form::Drafts);

/// A patient's chart is opened.
pub static PATIENT_VIEW: Hook = Hook {
    name: "patient-view",
    version: "1.0",
    context: &[PATIENT, USER, ENCOUNTER],
};

/// Orders are chosen: their details may be missing.
pub static ORDER_SELECT: Hook = Hook {
    name: "order-select",
    version: "1.0",
    context: &[
        PATIENT,
        USER,
        ENCOUNTER,
        required("selections", Form::Selections),
        DRAFT_ORDERS,
    ],
};

/// Orders are about to be signed, perhaps again.
pub static ORDER_SIGN: Hook = Hook {
    name: "order-sign",
    version: "1.0",
    context: &[PATIENT, USER, ENCOUNTER, DRAFT_ORDERS],
};

/// Orders that are signed are given to somebody to carry out. The tasks, one for each order, are the drafts.
static ORDER_DISPATCH: Hook = Hook {
    name: "order-dispatch",
    version: "1.1",
    context: &[
        PATIENT,
        // Not in the definition; some clients send it.
        USER_OR_NONE,
        required("dispatchedOrders", Form::References).token(),
        required("performer", Form::Reference).token(),
        optional("fulfillmentTasks", Form::DraftList),
    ],
};

/// An encounter begins; may come several times.
static ENCOUNTER_START: Hook = Hook {
    name: "encounter-start",
    version: "1.0",
    context: &[PATIENT, USER, IN_ENCOUNTER],
};

/// A patient is about to be discharged.
static ENCOUNTER_DISCHARGE: Hook = Hook {
    name: "encounter-discharge",
    version: "1.0",
    context: &[PATIENT, USER, IN_ENCOUNTER],
};

/// Appointments are about to be booked.
static APPOINTMENT_BOOK: Hook = Hook {
    name: "appointment-book",
    version: "1.0",
    context: &[
        PATIENT,
        USER,
        ENCOUNTER,
        required("appointments", Form::Drafts),
    ],
};

/// A refill is asked for, perhaps by a machine.
static MEDICATION_REFILL: Hook = Hook {
    name: "medication-refill",
    version: "0.1.0",
    context: &[
        PATIENT,
        USER_OR_NONE,
        ENCOUNTER,
        required("medications", Form::Drafts),
    ],
};

/// A problem was added to the list.
static PROBLEM_LIST_ITEM_CREATE: Hook = Hook {
    name: "problem-list-item-create",
    version: "0.1.0",
    context: &[
        PATIENT,
        USER,
        ENCOUNTER,
        required("conditions", Form::Drafts),
    ],
};

/// An allergy is about to be saved.
static ALLERGYINTOLERANCE_CREATE: Hook = Hook {
    name: "allergyintolerance-create",
    version: "0.1.0",
    context: &[
        PATIENT,
        USER,
        ENCOUNTER,
        required("allergyIntolerance", Form::Draft),
    ],
};

/// A medication is verified, as by a pharmacist.
static MEDICATION_VERIFY: Hook = Hook {
    name: "medication-verify",
    version: "0.1.0",
    context: &[
        PATIENT,
        USER,
        ENCOUNTER,
        required("medication", Form::Draft),
    ],
};

/// The name of order-select and order-sign before 2.0; old clients still send it.
static MEDICATION_PRESCRIBE: Hook = Hook {
    name: "medication-prescribe",
    version: "1.0",
    context: &[
        PATIENT,
        USER,
        ENCOUNTER,
        required("medications", Form::Drafts),
    ],
};

/// The same, of all orders.
static ORDER_REVIEW: Hook = Hook {
    name: "order-review",
    version: "1.0",
    context: &[PATIENT, USER, ENCOUNTER, required("orders", Form::Drafts)],
};

/// What an organization's own hook may hold: a patient, and whatever of the others is there. The first
/// Bundle under one of these names has its drafts.
static OWN: [ContextField; 11] = [
    PATIENT,
    USER_OR_NONE,
    ENCOUNTER,
    optional("selections", Form::Selections),
    optional("draftOrders", Form::Drafts),
    optional("orders", Form::Drafts),
    optional("medications", Form::Drafts),
    optional("appointments", Form::Drafts),
    optional("conditions", Form::Drafts),
    optional("allergyIntolerance", Form::Draft),
    optional("medication", Form::Draft),
];

/// Names of organizations' own hooks that a process can know: rules name them, never requests.
const MOST_OWN: usize = 256;

static OWN_HOOKS: Mutex<Vec<&'static Hook>> = Mutex::new(vec![]);

impl Hook {
    /// All that are published.
    pub const ALL: [&'static Hook; 13] = [
        &PATIENT_VIEW,
        &ORDER_SELECT,
        &ORDER_SIGN,
        &ORDER_DISPATCH,
        &ENCOUNTER_START,
        &ENCOUNTER_DISCHARGE,
        &APPOINTMENT_BOOK,
        &MEDICATION_REFILL,
        &PROBLEM_LIST_ITEM_CREATE,
        &ALLERGYINTOLERANCE_CREATE,
        &MEDICATION_VERIFY,
        &MEDICATION_PRESCRIBE,
        &ORDER_REVIEW,
    ];

    /// The hook of this name: a published one, or an organization's own by a name in the form
    /// `org.example.name`. Of those a process takes 256 at most; what it does not take is `None`.
    pub fn of(name: &str) -> Option<&'static Hook> {
        let published = Hook::ALL.into_iter().find(|hook| hook.name == name);
        if published.is_some() || !is_own_name(name) {
            return published;
        }
        let mut known = OWN_HOOKS.lock().unwrap_or_else(PoisonError::into_inner);
        own(&mut known, name)
    }

    /// Whether it is an organization's own.
    pub fn is_own(&self) -> bool {
        self.name.contains('.')
    }

    /// Whether its drafts are orders, so that what is none is worth a word.
    pub(crate) fn has_orders(&self) -> bool {
        const OF_OTHERS: [&str; 4] = [
            "order-dispatch",
            "appointment-book",
            "problem-list-item-create",
            "allergyintolerance-create",
        ];
        !self.is_own() && !OF_OTHERS.contains(&self.name)
    }

    /// Whether its context only names the orders that it is about: they are stored already.
    pub(crate) fn names_orders(&self) -> bool {
        self.context.iter().any(|f| f.form == Form::References)
    }

    /// The first member of its context that holds drafts, where it has one.
    pub fn drafts(&self) -> Option<&'static ContextField> {
        self.context.iter().find(|f| f.form.has_drafts())
    }
}

/// An organization's own hook, made at the first time. It is there for as long as the process lives: there
/// are few, and services come and go with reloads.
fn own(known: &mut Vec<&'static Hook>, name: &str) -> Option<&'static Hook> {
    if let Some(hook) = known.iter().find(|hook| hook.name == name) {
        return Some(hook);
    }
    if known.len() >= MOST_OWN {
        return None;
    }
    let hook: &'static Hook = Box::leak(Box::new(Hook {
        name: Box::leak(name.to_owned().into_boxed_str()),
        version: "",
        context: &OWN,
    }));
    known.push(hook);
    Some(hook)
}

/// `org.example.name`: at least three parts of letters, digits and `-`.
fn is_own_name(name: &str) -> bool {
    let part = |part: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        !part.is_empty() && part.bytes().all(fits)
    };
    name.len() <= 100 && name.split('.').count() >= 3 && name.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every template names the patient, and every hook is found by its name, once.
    #[test]
    fn the_table_is_sound() {
        let own = Hook::of("org.example.patient-transmogrify").unwrap();
        for hook in Hook::ALL.into_iter().chain([own]) {
            assert!(std::ptr::eq(Hook::of(hook.name).unwrap(), hook));
            let patient = hook.context.iter().find(|f| f.form == Form::Patient);
            let patient = patient.unwrap();
            assert!(patient.is_token && patient.is_required, "{}", hook.name);
            assert_eq!(patient.name, "patientId");
            let mut names: Vec<_> = hook.context.iter().map(|f| f.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), hook.context.len(), "{}", hook.name);
            assert_eq!(hook.is_own(), hook.version.is_empty());
        }
    }

    #[test]
    fn names_of_organizations() {
        assert!(Hook::of("org.example.x").unwrap().is_own());
        for name in [
            "",
            "order-cancel",
            "example.x",
            "org..x",
            ".org.example.x",
            "org.example.x y",
            "org.example.",
        ] {
            assert_eq!(Hook::of(name), None, "{name}");
        }
        let mut known = vec![];
        for number in 0..MOST_OWN {
            assert!(own(&mut known, &format!("org.example.h{number}")).is_some());
        }
        assert_eq!(own(&mut known, "org.example.one-too-many"), None);
        assert!(own(&mut known, "org.example.h7").is_some());
    }
}
