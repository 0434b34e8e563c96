//! Tests of the decoder, one binary.

#[cfg(test)]
mod captures;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod conversation;
#[cfg(test)]
mod explained;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod vectors;
