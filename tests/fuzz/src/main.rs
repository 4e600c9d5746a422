//! One entry point under libFuzzer: `FKM_FUZZ_TARGET` names it.
#![no_main]
#![expect(
    clippy::disallowed_methods,
    reason = "libFuzzer takes all arguments for itself"
)]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<fkm_fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("FKM_FUZZ_TARGET").expect("FKM_FUZZ_TARGET names an entry point");
    let mut targets = fkm_fuzz::targets().into_iter();
    targets
        .find(|target| target.name == name)
        .expect("FKM_FUZZ_TARGET is one of the list")
});

fuzz_target!(|data: &[u8]| TARGET.run(data));
