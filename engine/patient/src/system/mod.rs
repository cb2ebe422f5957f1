//! The system types that CEL, ELM and FHIRPath share: dates and times, numbers, quantities, codes,
//! truth. One implementation each; a language adapts its own values to it.

pub mod codes;
pub mod compare;
pub mod date_arithmetic;
pub mod date_time;
pub mod day_rule;
pub mod decimal;
pub mod duration;
pub mod exponentials;
pub mod quantity;
pub mod time_of_day;
pub mod truth;
pub mod units;
pub mod zone;
