//! Many patients: the lake and the evaluation of programs over it, on DataFusion.

pub mod lake;
