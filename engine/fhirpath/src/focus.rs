//! What a path is run on.

use super::item::Item;
use engine_patient::record::Element;

/// What a path is run on.
#[derive(Clone, Debug)]
pub struct Focus<'a> {
    /// The resource the row comes from.
    pub resource: Element<'a>,
    /// Where the path starts; nothing in the row of a `forEachOrNull` that found nothing.
    pub this: Option<Item<'a>>,
    /// `%rowIndex`
    pub row_index: i64,
}
