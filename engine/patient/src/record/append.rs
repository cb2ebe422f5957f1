//! Taking over what another tree has parsed.

use super::json::{Node, Parsed, Tree, UnknownName, short};
use crate::fhir::names::Name;

impl Tree {
    /// Copies a value of another tree whose text now stands at `from` in the text of this one. Returns
    /// its root, which stands under no name here.
    pub(crate) fn append(&mut self, other: &Tree, index: u32, from: usize) -> Parsed<u32> {
        let root = short(self.nodes.len())?;
        let Some(value) = other.nodes.get(index as usize).copied() else {
            return Err("there is no such value to take over");
        };
        let nodes = other.nodes.get(index as usize..value.end as usize);
        let nodes = nodes.unwrap_or_default();
        // Where the last has a number, all before it have.
        short(self.nodes.len() + nodes.len())?;
        short(from + value.len as usize)?;
        let from = short(from)?;
        self.nodes.extend(nodes.iter().map(|node| Node {
            end: node.end - index + root,
            start: node.start - value.start + from,
            ..*node
        }));
        if let Some(node) = self.nodes.get_mut(root as usize) {
            node.name = Name::NONE;
        }
        // The name of the root does not stand within its text.
        let first = other.unknown.partition_point(|u| u.node <= index);
        let rest = other.unknown.get(first..).unwrap_or_default();
        let within = rest.iter().take_while(|u| u.node < value.end);
        self.unknown.extend(within.map(|u| UnknownName {
            node: u.node - index + root,
            start: u.start - value.start + from,
            len: u.len,
        }));
        Ok(root)
    }
}
