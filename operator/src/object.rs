//! Names of objects.

pub use fkm_compile::ObjectName;
use kube::ResourceExt;

/// What the object itself says.
pub(crate) fn name_of(object: &impl ResourceExt) -> ObjectName {
    ObjectName::new(object.namespace().unwrap_or_default(), object.name_any())
}
