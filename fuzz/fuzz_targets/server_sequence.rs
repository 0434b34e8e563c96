#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sipae_testsuite::oracles::server_sequence(data));
