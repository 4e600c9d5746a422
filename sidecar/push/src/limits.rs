//! How large a message may be, in each direction.

use fkm_snapshot::MAX_PAYLOAD_BYTES;

/// The most bytes of one message to a sidecar: a payload that does not compress, its object list, and some room.
pub const MAX_SERVER_MESSAGE_BYTES: usize = MAX_PAYLOAD_BYTES + 1024 * 1024;

/// The most bytes of one message to the operator: [`MAX_PROBLEMS`] problems of full length, and some room.
pub const MAX_CLIENT_MESSAGE_BYTES: usize = 256 * 1024;

/// The most problems that a Nack carries; the rest is cut off.
pub const MAX_PROBLEMS: usize = 64;

/// The most characters of a problem's path and of its message; the rest is cut off.
pub const MAX_PROBLEM_CHARS: usize = 512;

/// The most characters of a name, a version or a feature that a sidecar sends; more is refused.
pub const MAX_NAME_CHARS: usize = 253;

/// The most features that a sidecar may name; more are refused.
pub const MAX_FEATURES: usize = 256;
