//! Who is let in, and who is not: real keys, real certificates, real sockets.
#![cfg(test)]

mod certificates;
mod clients;
mod fixture;
mod fuzz;
mod hostile;
mod key_sets;
mod published;
mod tls;
mod tokens;
