//! The tests of the workspace, in one binary: `cargo test -p sipae-testsuite`.
