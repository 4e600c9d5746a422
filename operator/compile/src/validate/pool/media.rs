//! What may be fetched for clients of a pool.

use fkm_crds::{ByteSize, Duration, MediaAddresses, MediaFetch as FetchSpec};
use fkm_snapshot::{Addresses, MAX_MEDIA_BYTES, MAX_MEDIA_TIMEOUT, MediaFetch, Millis};

use crate::Fault;

/// What a pool lets be fetched that does not say how much: below what providers take inline (Gemini's 20 MB is the least of
/// those that are published), and what an image or a PDF of a person is.
pub(crate) const MAX_BYTES: u64 = 10 * 1024 * 1024;
pub(crate) const MAX_TOTAL_BYTES: u64 = 20 * 1024 * 1024;
pub(crate) const MAX_ITEMS: u32 = 20;
pub(crate) const TIMEOUT: Millis = Millis(10_000);

const PATH: &str = "spec.media.fetch";

/// Whether nothing is wrong with it.
pub(crate) fn is_right(spec: &FetchSpec) -> bool {
    let mut faults = Vec::new();
    fetch(spec, &mut faults);
    faults.is_empty()
}

/// The rules for fetching; adds what is wrong.
pub(super) fn fetch(spec: &FetchSpec, faults: &mut Vec<Fault>) -> MediaFetch {
    let before = faults.len();
    let total = "maxTotalSize";
    let max_total_bytes = size(total, spec.max_total_size.as_ref(), MAX_TOTAL_BYTES, faults);
    if max_total_bytes > MAX_MEDIA_BYTES {
        let given = spec.max_total_size.as_ref().map_or("", |size| &size.0);
        let message = format!(
            "{given:?} is above 24Mi, which is what fits into a request once it is base64; write 24Mi or less"
        );
        faults.push(Fault::invalid(format!("{PATH}.{total}"), message));
    }
    let usual = MAX_BYTES.min(max_total_bytes);
    let max_bytes = size("maxSize", spec.max_size.as_ref(), usual, faults);
    if max_bytes > max_total_bytes {
        let given = spec.max_size.as_ref().map_or("", |size| &size.0);
        let message = format!(
            "{given:?} is above maxTotalSize, which ends it; lower maxSize or raise maxTotalSize"
        );
        faults.push(Fault::invalid(format!("{PATH}.maxSize"), message));
    }
    let max_items = spec
        .max_items
        .map_or(MAX_ITEMS, |items| u32::try_from(items).unwrap_or_default());
    let fetch = MediaFetch {
        hosts: spec.hosts.iter().map(|host| host.0.clone()).collect(),
        plain_http: spec.allow_http.unwrap_or_default(),
        addresses: spec.addresses.map_or(Addresses::Public, addresses),
        max_bytes,
        max_total_bytes,
        max_items,
        timeout: timeout(spec.timeout.as_ref(), faults),
    };
    if faults.len() == before {
        let problems = fetch.problems().into_iter();
        faults.extend(
            problems.map(|(field, message)| Fault::invalid(format!("{PATH}.{field}"), message)),
        );
    }
    fetch
}

fn size(field: &str, given: Option<&ByteSize>, usual: u64, faults: &mut Vec<Fault>) -> u64 {
    let Some(given) = given else { return usual };
    given.bytes().unwrap_or_else(|error| {
        let path = format!("{PATH}.{field}");
        faults.push(Fault::invalid(path, error.to_string()));
        usual
    })
}

fn timeout(given: Option<&Duration>, faults: &mut Vec<Fault>) -> Millis {
    let Some(given) = given else { return TIMEOUT };
    let message = match given.parse() {
        Ok(zero) if zero.is_zero() => {
            format!("{:?} leaves no time; write a duration above 0", given.0)
        }
        Ok(long) if long > MAX_MEDIA_TIMEOUT.into() => {
            format!("{:?} is longer than 2m; write 2m or less", given.0)
        }
        Ok(fits) => return Millis(u64::try_from(fits.as_millis()).unwrap_or(u64::MAX)),
        Err(error) => error.to_string(),
    };
    faults.push(Fault::invalid(format!("{PATH}.timeout"), message));
    TIMEOUT
}

fn addresses(given: MediaAddresses) -> Addresses {
    match given {
        MediaAddresses::Public => Addresses::Public,
        MediaAddresses::Private => Addresses::Private,
        MediaAddresses::Local => Addresses::Local,
    }
}
