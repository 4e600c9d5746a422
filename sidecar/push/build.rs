//! Makes the messages and the gRPC service from `proto/`, without `protoc`.

use std::error::Error;

const PROTO: &str = "fluxkontext/snapshot/v1/push.proto";
const SECRET: &str = ".fluxkontext.snapshot.v1.Secret";
const PAYLOAD: &str = ".fluxkontext.snapshot.v1.Snapshot.payload";

fn main() -> Result<(), Box<dyn Error>> {
    let descriptors = protox::compile([PROTO], ["proto"])?;
    tonic_prost_build::configure()
        // Its constructor would have the name of the call.
        .build_transport(false)
        .skip_debug([SECRET])
        .bytes(PAYLOAD)
        .compile_fds(descriptors)?;
    Ok(())
}
