//! A view that has been checked.

use super::column::ColumnInfo;
use super::error::{ViewNote, ViewRunError};
use super::plan::Step;
use super::run;
use super::value::ViewValue;
use crate::Path;
use engine_patient::finding::Finding;
use engine_patient::record::Element;

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

impl View {
    /// Hands every row of a resource to `out`: as many values as there are columns. A resource of
    /// another type gives none. Rows that came before an error have been handed out.
    ///
    /// `noted` hears of each value that cannot be used: of another JSON type than the column, or
    /// several where R4 has one at most. The cell is null then, and the rest of the row stands.
    pub fn rows(
        &self,
        resource: Element<'_>,
        out: &mut dyn FnMut(&[ViewValue<'_>]),
        noted: &mut dyn FnMut(ViewNote),
    ) -> Result<(), ViewRunError> {
        run::rows(self, resource, out, noted)
    }
}
