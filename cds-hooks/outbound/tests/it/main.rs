//! Outbound calls over real sockets on 127.0.0.1; only the look-up of names is played.

#![cfg(test)]

mod addresses;
mod calls;
mod faults;
mod fhir;
mod names;
mod server;
mod tls;
