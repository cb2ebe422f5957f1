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
mod hostile;
mod kept;
mod open;
#[expect(dead_code, reason = "some of it is for the tests of the store only")]
#[path = "../../../store/tests/it/postgres.rs"]
mod postgres;
mod reload;
mod rules_of_test;
mod secured;
mod server;
mod tenants;
mod tls;
