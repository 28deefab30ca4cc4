//! Connections that can be made to misbehave: cut at once, cut in the middle of an answer, or dripping.
//!
//! This is done where bytes are written, below HTTP, since an HTTP library takes care never to do such things.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

/// How a connection treats the bytes of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Conduct {
    #[default]
    Good,
    /// Lets so many bytes through, then breaks.
    CutAfter(usize),
    /// Lets so many bytes through, then pauses, and so on.
    Drip { bytes: usize, pause: Duration },
}

/// The connection a request came over, as its answerer sees it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<Mutex<Conduct>>);

impl Wire {
    pub(crate) fn conduct(&self, conduct: Conduct) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = conduct;
    }
}

/// A listener of such connections.
#[derive(Debug)]
pub(crate) struct WireListener(pub(crate) TcpListener);

impl Listener for WireListener {
    type Io = WireStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (WireStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // small answers must not wait for the client's acknowledgement; failing to say so only makes them slower
        drop(stream.set_nodelay(true));
        (WireStream { stream, wire: Wire::default(), pause: None }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, WireListener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, WireListener>) -> Self {
        stream.io().wire.clone()
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct WireStream {
    stream: TcpStream,
    wire: Wire,
    pause: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for WireStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for WireStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let conduct = *self.wire.0.lock().unwrap_or_else(PoisonError::into_inner);
        let most = match conduct {
            Conduct::Good => buf.len(),
            Conduct::CutAfter(0) => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Conduct::CutAfter(bytes) | Conduct::Drip { bytes, .. } => buf.len().min(bytes),
        };
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &buf[..most]))?;
        match conduct {
            Conduct::Good => {}
            Conduct::CutAfter(bytes) => self.wire.conduct(Conduct::CutAfter(bytes - written)),
            Conduct::Drip { pause, .. } => self.pause = Some(Box::pin(sleep(pause))),
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
