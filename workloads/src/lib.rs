//! What clients do: generators, the client contract, and for each object its operations.
