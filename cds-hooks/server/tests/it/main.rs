//! The composed server, over real sockets, with a real store, real tokens and real certificates.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod away;
mod client;
mod documented;
mod hostile;
mod kept;
#[cfg(unix)]
mod killed;
mod open;
#[cfg(unix)]
#[path = "../../../store/tests/it/postgres.rs"]
#[allow(dead_code, reason = "the tests of the store have more use for it")]
mod postgres;
mod reload;
mod rules_of_test;
mod secured;
mod server;
mod tenants;
mod tls;
mod traces;
