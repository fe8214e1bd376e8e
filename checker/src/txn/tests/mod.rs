//! Cases with their twins, and the slow obvious check that the fast one is compared with.

mod cases;
mod differential;
mod exhaustive;
mod granted;
mod oracle;
mod orders;
mod random;
mod registers;
mod replay;
mod spec;
