//! Images, sound and files.

use fkm_llm::ir::{Audio, File, FileSource, Image, ImageSource, Opaque};
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};

use super::{Home, cache, extra, origin, word};

pub(super) fn image(home: &Home) -> BoxedStrategy<Image> {
    let elsewhere = if home.images_here { 1 } else { 9 };
    let source = prop_oneof![
        elsewhere => "https://[a-z]{1,8}/[a-z]{0,4}(\\.png)?".prop_map(ImageSource::Url),
        9 => ("image/(png|jpeg|svg\\+xml)", "[A-Za-z0-9+/=]{0,16}")
            .prop_map(|(media_type, data)| ImageSource::Base64 { media_type, data }),
        9 => Just(ImageSource::Url("data:image/png;base64,AAAA".to_owned())),
    ];
    let detail = if home.image_detail {
        of(word()).boxed()
    } else {
        Just(None).boxed()
    };
    (source, detail, cache(home), extra(home.format))
        .prop_map(|(source, detail, cache, extra)| Image {
            source,
            detail,
            cache,
            extra,
        })
        .boxed()
}

pub(super) fn audio(home: &Home) -> BoxedStrategy<Audio> {
    let media_type = proptest::sample::select(vec!["audio/wav", "audio/mp3", "video/x"]);
    (
        media_type,
        "[A-Za-z0-9+/=]{0,16}",
        cache(home),
        extra(home.format),
    )
        .prop_map(|(media_type, data, cache, extra)| Audio {
            media_type: media_type.to_owned(),
            data,
            cache,
            extra,
        })
        .boxed()
}

pub(super) fn file(home: &Home) -> BoxedStrategy<File> {
    let here = "[A-Za-z0-9+/=]{0,16}".prop_map(|data| FileSource::Base64 {
        media_type: "application/pdf".to_owned(),
        data,
    });
    let kept = (origin(home.format), word())
        .prop_map(|(origin, id)| FileSource::Id(Opaque::new(origin, id)));
    let linked = prop_oneof![
        "https://[a-z]{1,8}/[a-z]{0,4}(\\.pdf)?".prop_map(FileSource::Url),
        "[a-z]{1,8}".prop_map(FileSource::Text),
    ];
    let source = if home.linked_files {
        prop_oneof![here, kept, linked].boxed()
    } else {
        prop_oneof![5 => here, 5 => kept, 1 => linked].boxed()
    };
    let name = if home.named_files {
        word().prop_map(Some).boxed()
    } else {
        of(word()).boxed()
    };
    (source, name, cache(home), extra(home.format))
        .prop_map(|(source, name, cache, extra)| File {
            source,
            name,
            cache,
            extra,
        })
        .boxed()
}
