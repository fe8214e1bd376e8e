//! What can break in a cluster, how it is undone, and what a fault needs of a node.
