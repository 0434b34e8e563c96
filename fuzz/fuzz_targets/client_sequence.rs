#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sipae_testsuite::oracles::client_sequence(data));
