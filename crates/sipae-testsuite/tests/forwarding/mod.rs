//! The reference server between its users: what it forwards, to whom, signed with which key.

mod bounds;
mod calls;
mod defects;
mod identities;
mod requests;
mod responses;
