//! Consents against resources. What each test expects is from FHIR R4, <https://hl7.org/fhir/R4/consent.html>,
//! or from the choices that the crate's documentation states.
#![cfg(test)]

mod criteria;
mod fixture;
mod hl7;
mod not_understood;
mod properties;
mod provisions;
mod several;
mod withheld;
