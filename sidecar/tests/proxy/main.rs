//! The sidecar as its clients and providers see it: in-process, over real sockets, with the fault upstream as provider.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it fails, and spawns what it waits for"
)]

mod addresses;
mod audio;
mod bad_requests;
mod cancel;
mod counts;
mod failover;
mod files;
mod formats;
mod front;
mod harness;
mod images;
mod kept;
mod media;
mod mid_stream;
mod pass_through;
mod pools;
mod proxies;
mod sign_in;
mod sockets;
mod surface;
mod surfaces;
mod token_server;
mod trust;
mod vectors;
