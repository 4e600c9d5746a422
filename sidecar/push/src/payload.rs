//! Payloads on their way: compression, the bound on decompression, the check of the hash, the check for keys.

use fkm_snapshot::{
    Connection, MAX_PAYLOAD_BYTES, Problem, ProblemCode, Secrets, SnapshotHash, ValidSnapshot,
};

use crate::SnapshotMessage;

/// zstd's own default: 64 KiB of JSON in well under a millisecond, once per group of pods.
const COMPRESSION_LEVEL: i32 = 3;

/// A snapshot that arrived whole.
#[derive(Clone, Debug)]
pub struct OpenSnapshot {
    /// The payload bytes, as hashed; what last-known-good stores.
    pub payload: Vec<u8>,
    /// What they say.
    pub snapshot: ValidSnapshot,
}

/// One zstd frame of these payload bytes.
pub fn compress(payload: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(payload, COMPRESSION_LEVEL)
        .expect("compression into a buffer of the bound's size cannot run out of room")
}

/// A problem for each key that the snapshot needs and the secrets lack: such a snapshot must not be applied.
pub fn missing_secrets(snapshot: &ValidSnapshot, secrets: &Secrets) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (pool_name, pool) in &snapshot.get().pools {
        for (p, provider) in pool.providers.iter().enumerate() {
            let Connection::Http(http) = &provider.connection else {
                continue;
            };
            for (c, credential) in http.credentials.iter().enumerate() {
                let path = format!(
                    "pools[{pool_name}].providers[{p}].connection.http.credentials[{c}].secret"
                );
                let named = credential.sign_in.secrets().into_iter();
                let missing = named.filter(|secret| !secrets.entries.contains_key(secret));
                problems.extend(missing.map(|secret| {
                    let message = format!("{secret} did not come with the snapshot");
                    Problem::new(&path, ProblemCode::SecretMissing, message)
                }));
            }
        }
    }
    problems
}

// === impl SnapshotMessage ===

impl SnapshotMessage {
    /// Decompresses, checks the hash and validates. Never makes more than [`MAX_PAYLOAD_BYTES`] of what it was sent.
    pub fn open(&self) -> Result<OpenSnapshot, Vec<Problem>> {
        let payload = self.decompress().map_err(|problem| vec![problem])?;
        let actual = SnapshotHash::of(&payload);
        if actual != self.hash {
            let message = format!(
                "the payload's hash is {actual} and not {} as announced; it was changed on its way",
                self.hash
            );
            return Err(vec![Problem::new("", ProblemCode::Malformed, message)]);
        }
        let snapshot = ValidSnapshot::from_payload(&payload)?;
        Ok(OpenSnapshot { payload, snapshot })
    }

    fn decompress(&self) -> Result<Vec<u8>, Problem> {
        let size = self.uncompressed_size;
        if size > MAX_PAYLOAD_BYTES {
            let message =
                format!("{size} bytes without compression; the most is {MAX_PAYLOAD_BYTES}");
            return Err(Problem::new("", ProblemCode::TooLarge, message));
        }
        let payload = zstd::bulk::decompress(&self.payload, size).map_err(|error| {
            let message = format!("not a zstd frame of {size} bytes: {error}");
            Problem::new("", ProblemCode::Malformed, message)
        })?;
        if payload.len() != size {
            let message = format!("{} bytes and not {size} as announced", payload.len());
            return Err(Problem::new("", ProblemCode::Malformed, message));
        }
        Ok(payload)
    }
}

#[cfg(test)]
mod tests;
