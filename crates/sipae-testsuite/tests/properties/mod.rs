//! What holds for all inputs, conforming or not.

mod auth;
mod message;
mod mutate;
mod ntlm;

use std::hint::black_box;
use std::ops::Range;

/// Whether `part` is octets of `whole`, not only octets like it.
fn is_part(whole: &[u8], part: &[u8]) -> bool {
    let Range { start, end } = whole.as_ptr_range();
    let inner = part.as_ptr_range();
    part.is_empty() || (start <= inner.start && inner.end <= end)
}

/// Takes the result of a call that is made only to see that it returns.
fn returns<T>(result: T) {
    drop(black_box(result));
}
