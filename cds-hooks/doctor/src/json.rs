//! JSON as it was written: the order of members, and those that occur twice.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Where members occur twice that are told.
const TOLD: usize = 4;

/// A JSON value with its members in order.
enum Node {
    Leaf(Value),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = vec![];
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut object = vec![];
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Node::Object(object))
    }
}

/// A document, read.
pub(crate) struct Document {
    pub(crate) value: Value,
    /// Names of members that occur twice in one object.
    pub(crate) twice: Vec<String>,
    /// The keys of each service's `prefetch`, as they are written.
    pub(crate) prefetch: Vec<Vec<String>>,
}

/// Reads a document; at most as deep as `serde_json` goes (128 levels).
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, String> {
    let node: Node = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    let prefetch = keys_of_prefetch(&node);
    let mut twice = vec![];
    let value = value(node, &mut twice);
    Ok(Document {
        value,
        twice,
        prefetch,
    })
}

fn member<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Node::Object(members) = node else {
        return None;
    };
    members.iter().find(|(n, _)| n == name).map(|(_, v)| v)
}

fn keys_of_prefetch(node: &Node) -> Vec<Vec<String>> {
    let Some(Node::List(services)) = member(node, "services") else {
        return vec![];
    };
    let keys = |service: &Node| match member(service, "prefetch") {
        Some(Node::Object(members)) => members.iter().map(|(name, _)| name.clone()).collect(),
        _ => vec![],
    };
    services.iter().map(keys).collect()
}

fn value(node: Node, twice: &mut Vec<String>) -> Value {
    match node {
        Node::Leaf(value) => value,
        Node::List(items) => items.into_iter().map(|item| value(item, twice)).collect(),
        Node::Object(members) => {
            let mut seen = HashSet::new();
            for (name, _) in &members {
                if !seen.insert(name.clone()) && twice.len() < TOLD {
                    twice.push(name.clone());
                }
            }
            let of = |(name, node)| (name, value(node, twice));
            Value::Object(members.into_iter().map(of).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_occurs_twice_and_the_order() {
        let text = br#"{"services":[{"prefetch":{"z":"1","a":"2"},"id":1,"id":2}]}"#;
        let read = read(text).unwrap();
        assert_eq!(read.twice, ["id"]);
        assert_eq!(read.prefetch, [["z", "a"]]);
        assert_eq!(read.value["services"][0]["id"], 2);
        for bad in [&b"{\"a\":1,}"[..], b"// x\n{}", b"", b"{} x"] {
            assert!(super::read(bad).is_err());
        }
    }
}
