//! One connection: requests one after the other, each with an eye on the client's going away.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;
use tokio::time::{Instant, timeout};

use crate::completion::Asked;
use crate::kept::Reply;
use crate::request::{self, Request, RequestError};
use crate::respond::{Then, respond};
use crate::state::State;
use crate::{Format, Received, openai, scene, writer};

/// Above this, what a client sends ahead waits in the kernel.
const READ_AHEAD_BYTES: usize = 1 << 20;

/// Serves the connection to its end; one that is idle for longer than `idle_close` is closed.
pub(crate) async fn serve(
    mut socket: TcpStream,
    connection: usize,
    state: Arc<State>,
    idle_close: Option<Duration>,
) {
    // Each write is a segment of its own: that is what the cuts are about.
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let mut buffer = BytesMut::new();
    loop {
        if buffer.is_empty()
            && let Some(limit) = idle_close
            && timeout(limit, socket.readable()).await.is_err()
        {
            return;
        }
        let request = match request::read(&mut socket, &mut buffer).await {
            Ok(Some(request)) => request,
            Ok(None) => return,
            Err(error) => return refuse(&mut socket, &error).await,
        };
        let keep_alive = request.keep_alive;
        match exchange(&mut socket, &mut buffer, request, connection, &state).await {
            Then::Reuse if keep_alive => {}
            Then::Reuse | Then::Close => return,
            Then::Reset => {
                // Where it fails, the client has gone already.
                let _ = socket.set_zero_linger();
                return;
            }
        }
    }
}

async fn refuse(socket: &mut TcpStream, error: &RequestError) {
    let status = match error {
        RequestError::Io(_) | RequestError::Truncated => return,
        RequestError::Malformed(_) => 400,
        RequestError::TooLarge => 413,
    };
    // It may not be listening any more.
    let _ = writer::whole(socket, status, &[], error.to_string().as_bytes()).await;
}

/// Takes the request down and answers it.
async fn exchange(
    socket: &mut TcpStream,
    buffer: &mut BytesMut,
    request: Request,
    connection: usize,
    state: &State,
) -> Then {
    let received = Received {
        method: request.method.clone(),
        path: request.target.clone(),
        headers: request.headers.clone(),
        body: request.body.clone(),
        connection,
        at: Instant::now(),
        cancelled_at: None,
        answered_at: None,
    };
    let (mut read, mut write) = socket.split();
    if let Some(director) = &state.director {
        return tokio::select! {
            biased;
            done = scene::play(&mut write, director.scene(&received)) => done.unwrap_or(Then::Close),
            () = client_gone(&mut read, buffer) => Then::Close,
        };
    }
    let number = state.record(received);
    let answer = async {
        match Asked::of(&request, number) {
            Some(asked) if request.method == "POST" => {
                if asked.format == Format::OpenAiResponses
                    && let Some(reply) =
                        state.with_shelf(|shelf| shelf.keep_response(&asked, &request))
                {
                    return write_reply(&mut write, &reply).await;
                }
                respond(&mut write, state.next_step(), &request, &asked).await
            }
            None if request.method == "POST"
                && let Some(bytes) = state.next_raw() =>
            {
                write.write_all(&bytes).await?;
                Ok(Then::Close)
            }
            _ => {
                let kept = state.with_shelf(|shelf| shelf.answer(&request, number));
                write_reply(&mut write, &kept.unwrap_or_else(|| aside(&request))).await
            }
        }
    };
    let done = tokio::select! {
        biased;
        done = answer => done.ok(),
        () = client_gone(&mut read, buffer) => None,
    };
    if done.is_some() {
        state.mark_answered(number);
    } else {
        state.mark_cancelled(number);
    }
    done.unwrap_or(Then::Close)
}

/// The answers that take no step.
fn aside(request: &Request) -> Reply {
    if request.method == "GET" && request.path().ends_with("/models") {
        return Reply {
            status: 200,
            content_type: "application/json",
            body: openai::models().to_string().into_bytes(),
        };
    }
    let message = format!(
        "{} {} is nothing that this upstream answers",
        request.method,
        request.path()
    );
    Reply::error(404, &message)
}

async fn write_reply(out: &mut (impl AsyncWrite + Unpin), reply: &Reply) -> io::Result<Then> {
    let headers = [("content-type".to_owned(), reply.content_type.to_owned())];
    writer::whole(out, reply.status, &headers, &reply.body).await?;
    Ok(Then::Reuse)
}

/// Ends when the client closes or resets the connection; what it sends meanwhile is kept for later.
async fn client_gone(read: &mut ReadHalf<'_>, buffer: &mut BytesMut) {
    while buffer.len() < READ_AHEAD_BYTES {
        match read.read_buf(buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    pending::<()>().await;
}
