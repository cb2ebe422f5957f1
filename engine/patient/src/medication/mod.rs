//! Medications and allergies of a patient: which drug it is, whether it is taken, whether it is current.
//!
//! What cannot be told is an `Err` with its reason, which names elements and holds no patient data.

mod allergy;
mod candidates;
mod drug;
mod last_taken;
mod local;
mod standing;
mod taken;

#[cfg(test)]
mod meaning_tests;
#[cfg(test)]
mod tests;

pub use allergy::{allergen, is_current};
pub use candidates::candidates;
pub use drug::{Drug, drug, name};
pub use last_taken::taken_since;
pub use local::is_local;
pub use standing::Reason;
pub use taken::{is_taken, is_to_do, was_taken};
