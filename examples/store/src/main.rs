//! The bundled replicated key-value store.

fn main() {}
