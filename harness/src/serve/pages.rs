//! The page that browses, and what it is made of. Nothing of it comes from the store.

/// The list, the comparison and the live view: one page.
pub const INDEX: &str = include_str!("index.html");
/// How it looks: as the reports do.
pub const STYLE: &str =
    concat!(include_str!("../report/html/style.css"), include_str!("style.css"));
/// What it does.
pub const SCRIPT: &str = concat!(
    include_str!("tools.js"),
    include_str!("list.js"),
    include_str!("compare.js"),
    include_str!("live.js"),
    include_str!("main.js")
);
