//! Many patients: what the lake and the operator give must be what one patient's JSON gives.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod agreement;
mod damage;
mod delta;
mod fixture;
mod medications;
mod pitfalls;
mod recording;
mod streaming;
mod subject;
mod systems;
