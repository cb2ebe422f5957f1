//! By what patients are attributed: an organization, a practitioner, locations.
//!
//! | | Where the Patient names one | else |
//! |---|---|---|
//! | organization | `managingOrganization`, else the first Organization of `generalPractitioner` | most visits: `Encounter.serviceProvider` |
//! | practitioner | the first Practitioner of `generalPractitioner` | most visits: `Encounter.participant` |
//! | location | | every `Encounter.location` of the visits that was not only planned or reserved: a patient may have several |
//!
//! *Visits* are Encounters that took place and overlap the period (`visit.rs`). Of as many visits the
//! latest decides, by its start; of the same start the first reference by its characters.
//! `generalPractitioner` and `participant` may be of several types: there a reference counts if it says
//! its type, or the lake has the identifier it gives; others are counted ([`Unused`]).
//!
//! ```text
//! shared: Organization, … ─▶ Directory (names; one key for one place, however it is referred to)
//! Patient, Encounter ──────▶ Said (where each leads), many at once
//! Said ────────────────────▶ Assigned (who is attributed to what, and by what)
//! result rows ─────────────▶ Attributed (totals a place)
//! ```

mod asked;
mod assigned;
mod by;
mod directory;
mod places;
mod said;
mod stored;
#[cfg(test)]
mod tests;
mod totals;
mod visit;

pub use by::Attribution;
pub use places::Place;
pub use said::Unused;
pub use totals::{Attributed, UNATTRIBUTED};

pub(crate) use asked::{Asked, OfPatient};
pub(crate) use assigned::{Assigned, Persons};
pub(crate) use totals::{attribute, listed};
