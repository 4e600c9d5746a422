//! A port that can refuse connections and accept them again, and stays ours meanwhile.
//!
//! A socket that is bound but does not listen keeps the number (connecting to it is refused); the listener is a second
//! socket on the same number, which `SO_REUSEPORT` allows.

use std::io;
use std::net::SocketAddr;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::task;

const BACKLOG: u32 = 1024;

/// A port on loopback. Dropping it ends its connections.
#[derive(Debug)]
pub(crate) struct Port {
    address: SocketAddr,
    _reserved: TcpSocket,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

// === impl Port ===

impl Port {
    /// Takes the address, which refuses connections until it is opened. Port 0: a free one.
    pub(crate) fn reserve(address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let message = format!("{address} is not on loopback: give 127.0.0.1 or [::1]");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let reserved = bind(address)?;
        Ok(Self {
            address: reserved.local_addr()?,
            _reserved: reserved,
            running: Mutex::new(None),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts connections; each is served by its own future. No change where it is open.
    pub(crate) fn open<S, F>(&self, serve: S) -> io::Result<()>
    where
        S: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut running = self.running.lock();
        if running.is_some() {
            return Ok(());
        }
        let listener = bind(self.address)?.listen(BACKLOG)?;
        let (stop, stopped) = oneshot::channel();
        let task = task::spawn(accept(listener, stopped, serve));
        *running = Some(Running { stop, task });
        Ok(())
    }

    /// Refuses connections and ends those that there are; when it returns, both is so.
    pub(crate) async fn close(&self) {
        let running = self.running.lock().take();
        if let Some(Running { stop, task }) = running {
            // Fails only where the task has ended already.
            let _ = stop.send(());
            let _ = task.await;
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Some(running) = self.running.lock().take() {
            running.task.abort();
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept<S, F>(listener: TcpListener, mut stopped: oneshot::Receiver<()>, serve: S)
where
    S: Fn(TcpStream) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                // An error here is a connection that was gone again before it was accepted.
                if let Ok((socket, _)) = accepted {
                    connections.spawn(serve(socket));
                }
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}
