//! The lake's envelope without the lake, whose crate would bring DataFusion.
#![allow(dead_code, reason = "a part of it is used")]

#[path = "../../../../engine/population/src/lake/envelope.rs"]
pub mod envelope;
#[path = "../../../../engine/population/src/lake/paths.rs"]
pub mod paths;
