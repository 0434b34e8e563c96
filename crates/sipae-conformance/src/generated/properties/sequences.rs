//! Sequences of actions over several users, endpoints and connections.

use crate::case::Case;

/// Every row by which the model foresees something.
const ROWS: [&str; 31] = [
    "SIPAE-3.1-01",
    "SIPAE-3.1.1-03",
    "SIPAE-3.1.1-04",
    "SIPAE-3.1.1-05",
    "SIPAE-3.1.1-07",
    "SIPAE-3.1.1-08",
    "SIPAE-3.1.1-09",
    "SIPAE-3.1.1-12",
    "SIPAE-3.3.1-01",
    "SIPAE-3.3.1-03",
    "SIPAE-3.3.1-04",
    "SIPAE-3.3.2-01",
    "SIPAE-3.3.2-03",
    "SIPAE-3.3.5.1-01",
    "SIPAE-3.3.5.2-24",
    "SIPAE-3.3.5.2-25",
    "SIPAE-3.3.5.2-28",
    "SIPAE-3.3.5.3-01",
    "SIPAE-3.3.5.3-02",
    "SIPAE-3.3.5.3-03",
    "SIPAE-3.3.5.3-04",
    "SIPAE-3.3.5.3-06",
    "SIPAE-3.3.5.3-07",
    "SIPAE-3.3.5.3-08",
    "SIPAE-3.3.5.3-10",
    "SIPAE-3.3.5.3-14",
    "SIPAE-3.3.5.3-16",
    "SIPAE-3.3.5.3-17",
    "SIPAE-3.3.6-01",
    "SIPAE-3.3.6-02",
    "SIPAE-3.3.6-03",
];

pub(super) fn cases() -> Vec<Case> {
    let title = "whatever users and strangers do in whatever order, each association is kept as foreseen";
    vec![Case::new("3.3.1/any-sequence", title, &ROWS).with_peer().of_sequences()]
}
