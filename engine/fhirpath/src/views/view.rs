//! A view that has been checked.

use super::column::ColumnInfo;
use super::plan::Step;
use crate::Path;
use engine_patient::finding::Finding;

/// A ViewDefinition, checked and compiled.
#[derive(Debug)]
pub struct View {
    /// The name, fit for SQL; empty where the definition has none.
    pub name: String,
    /// The canonical url, if any.
    pub url: Option<String>,
    /// What it is, for people.
    pub description: Option<String>,
    /// The resource type that its rows come from.
    pub resource: &'static str,
    /// Its columns, in order.
    pub columns: Vec<ColumnInfo>,
    /// What is allowed but can hardly be meant.
    pub warnings: Vec<Finding>,
    pub(super) conditions: Vec<Path>,
    pub(super) steps: Vec<Step>,
}
