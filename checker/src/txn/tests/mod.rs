//! Cases with their twins, and the slow obvious check that the fast one is compared with.

mod cases;
mod differential;
mod oracle;
mod random;
mod replay;
mod spec;
