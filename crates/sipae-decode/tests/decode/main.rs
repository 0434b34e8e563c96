//! Tests of the decoder, one binary.

mod captures;
mod changes;
mod conversation;
mod explained;
mod hostile;
mod vectors;
