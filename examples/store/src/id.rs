//! The name of a node.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The longest name of a node, in bytes.
const LONGEST: usize = 24;

/// The name of a node, such as `n1`: 1 to 24 of `A-Z a-z 0-9 . _ -`.
///
/// It is stored in place because openraft wants ids that are `Copy`. Ids are ordered by their bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NodeId([u8; LONGEST]);

impl NodeId {
    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(LONGEST);
        std::str::from_utf8(&self.0[..end]).expect("an id is made of ASCII")
    }
}

impl FromStr for NodeId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(allowed) {
            return Err(format!("a node id is 1 to {LONGEST} of A-Z a-z 0-9 . _ -, not {text:?}"));
        }
        let mut bytes = [0; LONGEST];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self(bytes))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        // The name of nobody stands in default values only, and must survive a journey too.
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_text_and_order() {
        let id = |text: &str| text.parse::<NodeId>().unwrap();
        assert_eq!(id("n1").to_string(), "n1");
        assert!(id("n1") < id("n10") && id("n10") < id("n2"));
        let json = serde_json::to_string(&id("node-7.example_x")).unwrap();
        assert_eq!(serde_json::from_str::<NodeId>(&json).unwrap(), id("node-7.example_x"));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "a b", "n1=", "é", "0123456789012345678901234"] {
            assert!(text.parse::<NodeId>().is_err(), "{text:?}");
        }
    }
}
