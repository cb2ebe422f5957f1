//! The doctor against a service that does everything right, against the same broken on purpose, and
//! against Tandem's own.
#![cfg(test)]

mod broken;
mod first;
mod hostile;
mod model;
mod ours;
mod security;
