//! What users prove themselves with, besides passwords: tickets and certificates.

mod certificates;

pub use certificates::Certificates;
