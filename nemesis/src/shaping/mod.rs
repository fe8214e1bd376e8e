//! Links of bad quality: what they do to packets, and the two engines that make them.
//!
//! [`Quality`] says what a link is to do. Where the kernel has netem, it does it ([`netem`]);
//! where it does not, packets go through this process ([`shaper`]), which holds each as long as
//! [`line`](Line) says and drops, doubles or damages it. Both are driven by text that is rendered
//! here ([`rules`]) and carried out by the environment.

mod control;
mod line;
pub mod netem;
mod nfqueue;
mod packet;
mod quality;
pub mod rules;
pub mod shaper;

pub use control::{Arrival, Probe, ShapedLink, Shaping};
pub use line::{Line, Release};
pub use quality::{Distribution, Quality, Share};
