//! Many patients: what the lake and the operator give must be what one patient's JSON gives.
#![cfg(test)]

mod agreement;
mod damage;
mod delta;
mod fixture;
mod medications;
mod notes;
mod pitfalls;
mod recording;
mod rehearsal;
mod streaming;
mod subject;
mod systems;
