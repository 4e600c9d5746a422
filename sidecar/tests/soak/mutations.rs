//! That the checks see what they are for: right answers of every surface pass, and each change of one is told.

use fastrand::Rng;
use fkm_llm::Format;
use serde_json::json;

use crate::client::{Ended, Reply};
use crate::judge::{Outcome, judge};
use crate::provider::{conversation, vectors};
use crate::surface::{Question, Surface};
use crate::token::Token;

const CONVERSING: [(Surface, Format); 7] = [
    (Surface::Chat, Format::OpenAiChat),
    (Surface::Responses, Format::OpenAiResponses),
    (Surface::Completions, Format::OpenAiCompletions),
    (Surface::Messages, Format::AnthropicMessages),
    (Surface::Gemini, Format::GeminiGenerateContent),
    (Surface::Cohere, Format::CohereChat),
    (Surface::Bedrock, Format::BedrockConverse),
];

fn token(number: usize) -> Token {
    Token::new(&mut Rng::with_seed(7), 1, number)
}

fn question(surface: Surface, stream: bool) -> Question {
    Question {
        surface,
        token: token(0),
        stream,
        model: "m",
    }
}

fn reply(body: Vec<u8>, ended: Ended) -> Reply {
    let header = |name: &str| (name.to_owned(), "1".to_owned());
    Reply {
        status: 200,
        headers: vec![header("x-fkm-request-id"), header("x-fkm-attempts")],
        body,
        ended,
    }
}

/// The frames of a stream, the position of the first that has content, and one that says that it failed.
fn stream(format: Format, number: usize) -> (Vec<Vec<u8>>, usize, Vec<u8>) {
    let answer = conversation(format, &token(number), true, &mut Rng::with_seed(3));
    (answer.frames, answer.content, answer.error_frame)
}

fn whole(surface: Surface, number: usize) -> Vec<u8> {
    let token = token(number);
    let of = |home| vectors(home, &token).unwrap();
    match surface {
        Surface::Embeddings => of("openai.embeddings"),
        Surface::CohereEmbed => of("cohere.embed"),
        Surface::Rerank => of("cohere.rerank"),
        Surface::CountTokens => json!({"input_tokens": token.count()})
            .to_string()
            .into_bytes(),
        _ => {
            let mut formats = CONVERSING.iter();
            let (_, format) = formats.find(|(one, _)| *one == surface).unwrap();
            conversation(*format, &token, false, &mut Rng::with_seed(3))
                .frames
                .concat()
        }
    }
}

fn judged(surface: Surface, stream: bool, body: Vec<u8>) -> Result<Outcome, String> {
    judge(&question(surface, stream), &reply(body, Ended::Whole))
}

#[test]
fn whole_answers() {
    for surface in Surface::ALL {
        let own = whole(surface, 0);
        let fails = |what: &str, body: Vec<u8>| {
            let judged = judged(surface, false, body);
            assert!(judged.is_err(), "{surface:?} {what}: {judged:?}");
        };
        let right = judged(surface, false, own.clone());
        assert_eq!(right, Ok(Outcome::Complete), "{surface:?}");
        fails("of another", whole(surface, 1));
        for cut in 0..own.len() {
            fails("in part", own[..cut].to_vec());
        }
        let broken = judge(
            &question(surface, false),
            &reply(own.clone(), Ended::Broken),
        );
        assert!(broken.is_err(), "{surface:?} broken off");
        if surface.converses() {
            let text = String::from_utf8(own).unwrap();
            let (first, second) = (":0] ", ":1] ");
            let swapped = text.replace(first, "?").replace(second, first);
            fails("swapped", swapped.replace('?', second).into_bytes());
            let count = token(0).count().to_string();
            let other = token(1).count().to_string();
            fails(
                "the count of another",
                text.replace(&count, &other).into_bytes(),
            );
        }
    }
}

#[test]
fn pieces_of_streams() {
    for (surface, format) in CONVERSING {
        let (frames, at, _) = stream(format, 0);
        let right = judged(surface, true, frames.concat());
        assert_eq!(right, Ok(Outcome::Complete), "{surface:?}");
        let (others, _, _) = stream(format, 1);
        let fails = |what: &str, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let mut changed = frames.clone();
            change(&mut changed);
            let judged = judged(surface, true, changed.concat());
            assert!(judged.is_err(), "{surface:?} {what}: {judged:?}");
        };
        fails("of another", &|frames| frames.clone_from(&others));
        fails("a piece of another", &|frames| {
            frames[at + 1].clone_from(&others[at + 1]);
        });
        fails("two swapped", &|frames| frames.swap(at + 1, at + 2));
        fails("one lost", &|frames| drop(frames.remove(at + 1)));
        fails("one twice", &|frames| {
            frames.insert(at + 1, frames[at + 1].clone());
        });
        let (own, other) = (token(0).count(), token(1).count());
        let counts = |frame: &[u8]| String::from_utf8_lossy(frame).contains(&own.to_string());
        let told = frames.iter().any(|frame| counts(frame));
        assert!(told, "{surface:?} tells its tokens");
        // The frames of Bedrock have sums, which a changed one no longer fits.
        if surface != Surface::Bedrock {
            fails("the count of another", &|frames| {
                let text = String::from_utf8(frames.concat()).unwrap();
                let text = text.replace(&own.to_string(), &other.to_string());
                *frames = vec![text.into_bytes()];
            });
        }
        fails("one after the end", &|frames| {
            frames.push(frames[at].clone());
        });
    }
}

#[test]
fn ends_of_streams() {
    for (surface, format) in CONVERSING {
        let (frames, at, error) = stream(format, 0);
        let bytes = frames.concat();
        // What may be missing: a second end, and the tokens after the end.
        let last = match surface {
            Surface::Cohere => b"data: [DONE]\n\n".len(),
            Surface::Bedrock => frames.last().unwrap().len(),
            _ => 0,
        };
        let optional = bytes.len() - last;
        for cut in (0..bytes.len()).filter(|cut| *cut != optional) {
            let judged = judged(surface, true, bytes[..cut].to_vec());
            assert!(judged.is_err(), "{surface:?} cut at {cut}: {judged:?}");
        }
        let broken = judge(&question(surface, true), &reply(bytes, Ended::Broken));
        assert!(broken.is_err(), "{surface:?} broken off");

        let some = [frames[..=at].concat(), error.clone()].concat();
        assert_eq!(
            judged(surface, true, some),
            Ok(Outcome::FailedInside),
            "{surface:?}"
        );
        let others = [stream(format, 1).0[..=at].concat(), error].concat();
        assert!(
            judged(surface, true, others).is_err(),
            "{surface:?}: an error after another's text"
        );
    }
}

#[test]
fn whoever_gives_up_has_nothing_of_another() {
    for surface in Surface::ALL.into_iter().filter(|one| one.converses()) {
        let judge = |number| {
            let reply = reply(whole(surface, number), Ended::GivenUp);
            judge(&question(surface, false), &reply)
        };
        assert_eq!(judge(0), Ok(Outcome::GivenUp), "{surface:?}");
        assert!(judge(1).is_err(), "{surface:?}");
    }
}

#[test]
fn errors_of_another_format() {
    for surface in Surface::ALL {
        let mut reply = reply(b"<h1>no</h1>".to_vec(), Ended::Whole);
        reply.status = 502;
        let page = judge(&question(surface, false), &reply);
        assert!(page.is_err(), "{surface:?}: {page:?}");
    }
}
