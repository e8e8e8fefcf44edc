#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stormglass_fuzz::read_and_judge(bytes, checkers::formats::Input::Auto));
