//! Values with stamps, where every node takes writes: the greater stamp wins, in whatever order nodes
//! hear of them.

mod clock;
mod everywhere;
mod store;
mod table;

#[cfg(test)]
pub use clock::Stamp;
pub use everywhere::{Everywhere, Links};
pub use store::Store;
pub use table::{Digest, Entry, Stamps, Table};
