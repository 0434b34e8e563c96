//! The `sipae` command.
fn main() {}
