//! By what patients are attributed: an organization, a practitioner, locations.
//!
//! | | Where the Patient names one | else |
//! |---|---|---|
//! | organization | `managingOrganization`, else the first Organization of `generalPractitioner` | most visits: `Encounter.serviceProvider` |
//! | practitioner | the first Practitioner of `generalPractitioner` | most visits: `Encounter.participant` |
//! | location | | every `Encounter.location` of the visits: a patient may have several |
//!
//! *Visits* are Encounters that took place and overlap the period ([`visit`]). Of as many visits the
//! latest decides, by its start; of the same start the first reference by its characters.
//!
//! ```text
//! shared: Organization, … ─▶ Directory (names; one key for one place, however it is referred to)
//! Patient, Encounter ──────▶ Assigned (who is attributed to what, and by what)
//! result rows ─────────────▶ Attributed (totals a place)
//! ```

mod assigned;
mod by;
mod directory;
#[cfg(test)]
mod tests;
mod totals;
mod visit;

pub use by::Attribution;
pub use directory::Place;
pub use totals::{Attributed, UNATTRIBUTED};

pub(crate) use assigned::{Asked, Assigned};
pub(crate) use totals::attribute;
