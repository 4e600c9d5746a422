//! What is kept behind ids, in the shape of `OpenAI`'s responses, files and batches. It takes no steps: what was made is there
//! until it is deleted.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::completion::Asked;
use crate::openai;
use crate::request::Request;
use crate::responses;
use crate::script::{Answer, Streamed};

/// Any fixed time will do.
const CREATED: u64 = 1_750_000_000;

/// What was made and not deleted, by id.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    responses: BTreeMap<String, (Asked, Value)>,
    files: BTreeMap<String, (Value, Bytes)>,
    batches: BTreeMap<String, Value>,
}

/// An answer that takes no step.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}

// === impl Reply ===

impl Reply {
    fn json(value: &Value) -> Self {
        Self {
            status: 200,
            content_type: "application/json",
            body: value.to_string().into_bytes(),
        }
    }

    fn deleted(id: &str, object: &str) -> Self {
        Self::json(&json!({"id": id, "object": object, "deleted": true}))
    }

    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self {
            status,
            ..Self::json(&openai::error(status, message))
        }
    }
}

// === impl Shelf ===

impl Shelf {
    /// Keeps the answer that this request will get; refuses one that goes on from what is not kept.
    pub(crate) fn keep_response(&mut self, asked: &Asked, request: &Request) -> Option<Reply> {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if let Some(previous) = body["previous_response_id"].as_str()
            && !self.responses.contains_key(previous)
        {
            let message = format!("Previous response with id '{previous}' not found.");
            return Some(Reply::error(400, &message));
        }
        let mut response = responses::body(asked, &Answer::default());
        response["previous_response_id"] = body["previous_response_id"].clone();
        let id = response["id"].as_str().unwrap_or_default().to_owned();
        if body["background"] == true {
            response["status"] = json!("queued");
            response["background"] = json!(true);
            response["output"] = json!([]);
            response["usage"] = Value::Null;
        }
        let reply = (body["background"] == true).then(|| Reply::json(&response));
        self.responses.insert(id, (asked.clone(), response));
        reply
    }

    /// Answers a request about what is kept; `None` where the path is of nothing such. `number` makes ids unique.
    pub(crate) fn answer(&mut self, request: &Request, number: usize) -> Option<Reply> {
        let path = request.path().strip_prefix("/v1/")?;
        let mut parts = path.splitn(3, '/');
        let (kind, id, rest) = (parts.next()?, parts.next(), parts.next());
        let found = match kind {
            "responses" => self.response(request, id?, rest),
            "files" => self.file(request, number, id, rest),
            "batches" => self.batch(request, number, id, rest),
            _ => return None,
        };
        let missing = || Reply::error(404, &format!("No such object: {}", id.unwrap_or_default()));
        Some(found.unwrap_or_else(missing))
    }

    fn response(&mut self, request: &Request, id: &str, rest: Option<&str>) -> Option<Reply> {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match (request.method.as_str(), id, rest) {
            ("POST", "input_tokens", None) => {
                let count = json!({"object": "response.input_tokens", "input_tokens": 42});
                return Some(Reply::json(&count));
            }
            ("POST", "compact", None) => {
                return Some(Reply::json(&json!({
                    "id": "resp_compacted", "object": "response.compaction", "created_at": CREATED, "output": body["input"],
                    "usage": {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 1,
                        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 2}, "model": body["model"],
                })));
            }
            _ => {}
        }
        let (asked, response) = self.responses.get_mut(id)?;
        match (request.method.as_str(), rest) {
            ("GET", None) if request.target.contains("stream=true") => {
                let frames = responses::frames(asked, &Streamed::of(&Answer::default()));
                Some(Reply {
                    status: 200,
                    content_type: "text/event-stream; charset=utf-8",
                    body: frames.concat(),
                })
            }
            ("GET", None) => Some(Reply::json(response)),
            ("DELETE", None) => {
                self.responses.remove(id);
                Some(Reply::deleted(id, "response"))
            }
            ("POST", Some("cancel")) => {
                response["status"] = json!("cancelled");
                Some(Reply::json(response))
            }
            ("GET", Some("input_items")) => {
                let content = json!([{"type": "input_text", "text": "Hi"}]);
                let item = json!({"id": "msg_in", "type": "message", "role": "user", "status": "completed",
                    "content": content});
                Some(Reply::json(&list(&[item])))
            }
            _ => None,
        }
    }

    fn file(
        &mut self,
        request: &Request,
        number: usize,
        id: Option<&str>,
        rest: Option<&str>,
    ) -> Option<Reply> {
        match (request.method.as_str(), id, rest) {
            ("POST", None, None) => {
                let (name, content) = uploaded(&request.body)?;
                let id = format!("file-upstream{number}");
                let file = json!({"id": id, "object": "file", "bytes": content.len(), "created_at": CREATED,
                    "expires_at": null, "filename": name, "purpose": "batch", "status": "processed"});
                let reply = Reply::json(&file);
                self.files.insert(id, (file, content));
                Some(reply)
            }
            ("GET", None, None) => {
                let files: Vec<Value> = self.files.values().map(|(file, _)| file.clone()).collect();
                Some(Reply::json(&list(&files)))
            }
            ("GET", Some(id), None) => Some(Reply::json(&self.files.get(id)?.0)),
            ("GET", Some(id), Some("content")) => Some(Reply {
                status: 200,
                content_type: "application/octet-stream",
                body: self.files.get(id)?.1.to_vec(),
            }),
            ("DELETE", Some(id), None) => {
                self.files.remove(id)?;
                Some(Reply::deleted(id, "file"))
            }
            _ => None,
        }
    }

    fn batch(
        &mut self,
        request: &Request,
        number: usize,
        id: Option<&str>,
        rest: Option<&str>,
    ) -> Option<Reply> {
        match (request.method.as_str(), id, rest) {
            ("POST", None, None) => {
                let body: Value = serde_json::from_slice(&request.body).ok()?;
                self.files.get(body["input_file_id"].as_str()?)?;
                let id = format!("batch_upstream{number}");
                let batch = json!({
                    "id": id, "object": "batch", "endpoint": body["endpoint"], "errors": null,
                    "input_file_id": body["input_file_id"], "completion_window": body["completion_window"],
                    "status": "validating", "output_file_id": body["input_file_id"], "error_file_id": null,
                    "created_at": CREATED, "request_counts": {"total": 0, "completed": 0, "failed": 0},
                    "metadata": body["metadata"],
                });
                self.batches.insert(id, batch.clone());
                Some(Reply::json(&batch))
            }
            ("GET", None, None) => {
                let batches: Vec<Value> = self.batches.values().cloned().collect();
                Some(Reply::json(&list(&batches)))
            }
            ("GET", Some(id), None) => Some(Reply::json(self.batches.get(id)?)),
            ("POST", Some(id), Some("cancel")) => {
                let batch = self.batches.get_mut(id)?;
                batch["status"] = json!("cancelling");
                Some(Reply::json(batch))
            }
            _ => None,
        }
    }
}

fn list(entries: &[Value]) -> Value {
    let id = |entry: Option<&Value>| entry.map_or(Value::Null, |entry| entry["id"].clone());
    json!({"object": "list", "data": entries, "first_id": id(entries.first()), "last_id": id(entries.last()),
        "has_more": false})
}

/// The name and the content of the part of a form that is a file; the boundary is the first line.
fn uploaded(form: &Bytes) -> Option<(String, Bytes)> {
    let find = |needle: &[u8], from: usize| {
        let mut windows = form[from..].windows(needle.len());
        windows
            .position(|window| window == needle)
            .map(|at| at + from)
    };
    let boundary = [b"\r\n", &form[..find(b"\r\n", 0)?]].concat();
    let name = find(b"filename=\"", 0)? + b"filename=\"".len();
    let name_end = find(b"\"", name)?;
    let content = find(b"\r\n\r\n", name_end)? + 4;
    let end = find(&boundary, content)?;
    let name = String::from_utf8_lossy(&form[name..name_end]).into_owned();
    Some((name, form.slice(content..end)))
}
