//! FHIR R4 Consent: what of a patient's data a caller may see.
//!
//! ```text
//! Consent resources ── Policy::of ──▶ Policy ── judge(request, resource) ──▶ Permit | Deny | Unclear
//!                                        └───── filter(request, record) ───▶ Filtered
//! ```
//!
//! # How a Consent is read
//!
//! From <https://hl7.org/fhir/R4/consent.html>, its definitions and its notes.
//!
//! - **Which count.** `status` `active` only. `scope` `patient-privacy`; `research` where the purpose is
//!   research; `treatment` and `adr` say nothing about data. Those of another patient never.
//! - **The base** is `policyRule` (`OPTIN`, `OPTOUT` and their kin of v3 ActCode); `provision` is "an
//!   exception to the base policy", `provision.provision` are "exceptions to the base rule or subrules". So a
//!   nested provision is asked only where the one above it applies, and takes its place. Beside each other
//!   a denial overrides a permission.
//! - **A root without `type`** (R4: "not permitted in root rule", yet guides and servers have one there) may
//!   be the scope of the base policy or an exception to it; HL7's own examples have both. It is the scope where
//!   it has nothing but a period, else *unclear*.
//! - **A permission below a permission** can only be meant to narrow it: what it does not name is unclear,
//!   unless it is for a purpose that the one above is not about.
//! - **Criteria** of a provision hold all together, the values of one criterion one by one: `period` (now),
//!   `actor`, `action`, `purpose` (with what v3 ActReason has below it), `securityLabel`, `class`, `code`,
//!   `dataPeriod`, `data`. `code` by the letter: "if this code is found in an instance, then the rule
//!   applies", also in the Medication that an order refers to. Data that is coded in another system is not
//!   found by it.
//! - **Confidentiality** is "a high water mark": a permission for `R` is for `R` and less. A denial of `R`
//!   is of `R` and more. Data without such a label is `N`. Codes of sensitivity hold with what v3 ActCode has
//!   below them.
//! - **Several Consents.** R4 leaves it to the policy of the place. Here the most recent by `dateTime` that
//!   says anything of a resource decides, of the same time a denial ([`Precedence`]); imprecise times that
//!   overlap are the same time, a Consent without `dateTime` may be of any.
//! - **Nothing said**, also where there is no Consent: R4, "all settings need a policy for when no consent
//!   has been captured. Often this allows treatment only." That is [`Settings::permitted_without`].
//! - **Not looked up** is who belongs to a CareTeam, Group or Organization, and which PractitionerRole somebody
//!   has: what is for one of these is unclear, but for the organizations that are said to be the caller's. What
//!   the user has on the screen, the drafts of a call, is no part of the record: no Consent is asked of it.
//! - **What is not understood** (an element that R4 does not have, a modifier extension, a period that is
//!   none, a code of an unknown system) may be anything. If it could change the answer the answer is
//!   [`Verdict::Unclear`], which withholds unless [`Settings::unclear_permits`]. It is told by
//!   [`Policy::flaws`], without anything of the patient but the Consent's id.
//!
//! *Invariants:* adding a denial never reveals more; what is withheld is not in the record that comes out;
//! no type of which something is withheld is known in full; no clock, no IO.
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]
#![deny(missing_docs)]

mod actor;
mod codes;
mod content;
mod criteria;
mod directive;
mod filter;
mod flaw;
mod label;
mod moment;
mod policy;
mod possible;
mod provision;
mod read;
mod request;
mod seen;

pub use codes::{Purpose, UnknownPurpose};
pub use filter::{Filtered, copy};
pub use flaw::{Flaw, PassedOver};
pub use policy::{MOST_CONSENTS, Policy, Precedence, Settings, Verdict};
pub use request::{Action, Request};
