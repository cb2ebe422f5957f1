//! The store against real databases: SQLite in files, and PostgreSQL of its own binaries, in a cluster
//! that is made for the tests and removed after them.
#![cfg(test)]
#![cfg(unix)]

mod audit;
mod faults;
mod feedback;
mod killed;
mod load;
mod log;
mod operated;
mod postgres;
mod records;
mod report;
mod support;
mod tampered;
