//! JSON objects taken apart one level at a time, so that unknown members stay as they were written; and put together.

mod object;
mod path;
mod report;
mod shape;
mod writer;

pub(crate) use object::{Object, array, is_string, kind_of, string};
pub(crate) use path::Path;
pub(crate) use report::Report;
pub(crate) use shape::Shape;
pub(crate) use writer::{ObjectWriter, write_array, write_json};
