//! The hooks that can be replayed, and those of a rule.

use rules::Rule;

/// The moment in the work of a clinician at which a rule is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hook {
    /// A chart is opened.
    PatientView,
    /// An order is being selected.
    OrderSelect,
    /// Orders are about to be signed.
    OrderSign,
}

impl Hook {
    /// All of them.
    pub const ALL: [Hook; 3] = [Hook::PatientView, Hook::OrderSelect, Hook::OrderSign];

    /// As in a rule's file.
    pub fn as_str(self) -> &'static str {
        match self {
            Hook::PatientView => "patient-view",
            Hook::OrderSelect => "order-select",
            Hook::OrderSign => "order-sign",
        }
    }
}

/// When a rule is asked.
pub fn hooks_of(_rule: &Rule) -> Vec<Hook> {
    vec![Hook::PatientView]
}

/// Days within which a rule's card is not repeated, where it says so.
pub(crate) fn cooldown_of(_rule: &Rule) -> Option<u32> {
    None
}
