//! Images that a model drew: `images` of a message or of a delta, as routers to such models have them
//! (<https://openrouter.ai/docs/features/multimodal/image-generation>); the format itself has no word for them.

use crate::ir::{Image, InputPart};
use crate::json::{Object, ObjectWriter, Path, Report, array};
use crate::openai_chat::FORMAT;

use super::media;

/// The member that holds them.
pub(in crate::openai_chat) const IMAGES: &str = "images";

const MEMBERS: [&str; 3] = ["type", "image_url", "index"];

/// Takes them out of a message; of another shape they stay.
pub(in crate::openai_chat) fn take(message: &mut Object<'_, '_>) -> Vec<Image> {
    let known = |message: &Object<'_, '_>| -> Option<Vec<Image>> {
        let raws = array(message.peek(IMAGES)?, &Path::Root).ok()?;
        let images = raws.into_iter().map(|raw| {
            let mut object = Object::from_raw(raw, &Path::Root).ok()?;
            // Clients put the pieces of a stream together by it.
            object.raw("index");
            if object.kind() != "image_url" {
                return None;
            }
            match media::decode_image(object, raw).ok()? {
                InputPart::Image(image) => Some(image),
                _ => None,
            }
        });
        images.collect()
    };
    let Some(images) = known(message) else {
        return Vec::new();
    };
    message.raw(IMAGES);
    images
}

/// Writes one; in a stream it has a number.
pub(in crate::openai_chat) fn write(
    out: &mut Vec<u8>,
    image: &Image,
    number: Option<usize>,
    report: &mut Report,
) {
    if image.cache.is_some() {
        report.note("cache_control");
    }
    let mut object = ObjectWriter::new(out);
    object.optional("index", number.as_ref());
    object.value("type", "image_url");
    let mut inner = ObjectWriter::new(object.key("image_url"));
    inner.value("url", &image.source.to_url());
    inner.optional("detail", image.detail.as_ref());
    inner.end();
    object.extra(&image.extra, FORMAT, &MEMBERS, "image", report);
    object.end();
}
