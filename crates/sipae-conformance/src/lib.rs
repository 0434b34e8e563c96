//! Conformance suite for [MS-SIPAE]: whom to test, what to test, and how to judge it.
//!
//! The golden vectors are put to a [`Codec`](sipae_vectors::Codec); [`codec::ReferenceCodec`] is the reference
//! implementation in that role.

pub mod codec;
