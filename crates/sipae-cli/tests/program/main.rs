//! Tests of the program as a process.

#[cfg(test)]
mod commands;
