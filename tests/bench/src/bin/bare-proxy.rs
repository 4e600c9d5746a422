//! The least that a reverse proxy on hyper does: it reads a head, replaces the key, sends the request on over a pooled
//! connection and passes both bodies through as they come.
//!
//! No look at a body, no routing, no log, no metric, no retry, one thread. Its cost is what the sidecar's is measured
//! against, so nothing may be added here.

use std::net::SocketAddr;

use anyhow::Result;
use clap::Parser;
use fkm_bench::task;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONNECTION, HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::service::service_fn;
use hyper::{Request, Uri, server};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Parser)]
struct Args {
    /// Where it listens
    #[arg(long)]
    listen: SocketAddr,
    /// Where it sends everything
    #[arg(long)]
    upstream: SocketAddr,
    /// The key that it sends instead of the client's
    #[arg(long)]
    key: String,
}

/// What replaces parts of each request.
#[derive(Clone, Debug)]
struct Route {
    authority: Authority,
    authorization: HeaderValue,
}

type Upstreams = Client<HttpConnector, Incoming>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args = Args::parse();
    let route = Route {
        authority: args.upstream.to_string().parse()?,
        authorization: format!("Bearer {}", args.key).parse()?,
    };
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let upstreams = Client::builder(TokioExecutor::new()).build(connector);
    let listener = TcpListener::bind(args.listen).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        task::spawn(serve(socket, upstreams.clone(), route.clone()));
    }
}

async fn serve(socket: TcpStream, upstreams: Upstreams, route: Route) {
    let service = service_fn(|request| upstreams.request(route.outgoing(request)));
    let connection =
        server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    // A client that leaves in the middle is nothing to tell.
    let _ = connection.await;
}

impl Route {
    fn outgoing(&self, mut request: Request<Incoming>) -> Request<Incoming> {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(path.unwrap_or_else(|| PathAndQuery::from_static("/")))
            .build()
            .expect("scheme, authority and path are there");
        let headers = request.headers_mut();
        for name in [HOST, CONNECTION, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        headers.insert(AUTHORIZATION, self.authorization.clone());
        request
    }
}
