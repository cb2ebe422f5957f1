//! A small YAML tree that knows where everything stands, so that a problem inside an expression can
//! be shown in the file.
//!
//! Only what a rule needs: scalars, mappings and sequences. Anchors, aliases, tags and several
//! documents are refused: what is written is what is meant.

mod align;
mod found;
mod limits;
mod node;
mod read;
mod slips;
mod text;

pub use found::Found;
pub use limits::{MAX_DEPTH, MAX_SIZE};
pub use node::{Entry, Node, Scalar, Style, Value};
pub use read::read;
pub use text::Text;
