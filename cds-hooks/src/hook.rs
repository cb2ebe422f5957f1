//! The hooks that services answer: one table, by which requests are checked (CDS Hooks 2.0, "Hooks").

/// A hook.
#[derive(PartialEq, Eq, Debug)]
pub struct Hook {
    /// As in a request.
    pub name: &'static str,
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
    /// References to those of the drafts that the call is about.
    Selections,
}

const PATIENT: ContextField = ContextField {
    name: "patientId",
    is_required: true,
    form: Form::Patient,
    is_token: true,
};

const USER: ContextField = ContextField {
    name: "userId",
    is_required: true,
    form: Form::User,
    is_token: true,
};

const ENCOUNTER: ContextField = ContextField {
    name: "encounterId",
    is_required: false,
    form: Form::Encounter,
    is_token: true,
};

const DRAFT_ORDERS: ContextField = ContextField {
    name: "draftOrders",
    is_required: true,
    form: Form::Drafts,
    is_token: false,
};

const SELECTIONS: ContextField = ContextField {
    name: "selections",
    is_required: true,
    form: Form::Selections,
    is_token: false,
};

/// A patient's chart is opened.
pub static PATIENT_VIEW: Hook = Hook {
    name: "patient-view",
    context: &[PATIENT, USER, ENCOUNTER],
};

/// Orders are chosen: their details may be missing.
pub static ORDER_SELECT: Hook = Hook {
    name: "order-select",
    context: &[PATIENT, USER, ENCOUNTER, SELECTIONS, DRAFT_ORDERS],
};

/// Orders are about to be signed, perhaps again.
pub static ORDER_SIGN: Hook = Hook {
    name: "order-sign",
    context: &[PATIENT, USER, ENCOUNTER, DRAFT_ORDERS],
};

impl Hook {
    /// All of them.
    pub const ALL: [&'static Hook; 3] = [&PATIENT_VIEW, &ORDER_SELECT, &ORDER_SIGN];

    /// The hook of this name.
    pub fn of(name: &str) -> Option<&'static Hook> {
        Hook::ALL.into_iter().find(|hook| hook.name == name)
    }

    /// The member of its context that holds drafts, where it has one.
    pub fn drafts(&self) -> Option<&'static ContextField> {
        self.context.iter().find(|f| f.form == Form::Drafts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every template names the patient, and every hook is found by its name, once.
    #[test]
    fn the_table_is_sound() {
        for hook in Hook::ALL {
            assert!(std::ptr::eq(Hook::of(hook.name).unwrap(), hook));
            let patient = hook.context.iter().find(|f| f.form == Form::Patient);
            let patient = patient.unwrap();
            assert!(patient.is_token && patient.is_required, "{}", hook.name);
            assert_eq!(patient.name, "patientId");
            let mut names: Vec<_> = hook.context.iter().map(|f| f.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), hook.context.len(), "{}", hook.name);
        }
        assert_eq!(Hook::of("order-dispatch"), None);
    }
}
