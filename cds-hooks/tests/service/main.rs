//! The service as an EHR sees it: HTTP in, HTTP out.
#![cfg(test)]

mod alerts;
mod along;
mod browsers;
mod built_in;
mod calls;
mod conformance;
mod crowd;
mod discovery;
mod expectation;
mod fetched;
mod fixture;
mod hooks;
mod http;
mod interactions;
mod limits;
mod markdown;
mod orders;
mod packages;
mod parts;
mod prefetch;
mod recorded;
mod refusals;
mod schema;
mod seams;
mod secure;
mod server;
mod sets;
mod socket;
mod whose;
