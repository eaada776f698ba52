//! The one command. (under construction)
fn main() {}
