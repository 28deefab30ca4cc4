//! A network between a process and a server that can be cut, or carry nothing.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

/// What becomes of what is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Network {
    /// It arrives.
    Up,
    /// Connections break, and no new one lasts.
    Cut,
    /// Connections stay, and nothing arrives on them.
    Stalled,
}

/// Stands before a server; up until it is told otherwise. Connections end with it.
#[derive(Debug)]
pub struct Forwarder {
    url: Url,
    network: watch::Sender<Network>,
    attempts: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Forwarder {
    /// Stands before the server of this URL.
    ///
    /// # Panics
    /// When the URL names no host and port, or no port is free.
    pub async fn before(server: &str) -> Self {
        let mut url = Url::parse(server).expect("a URL");
        let target = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let SocketAddr::V4(address) = listener.local_addr().expect("an address") else {
            unreachable!("bound to IPv4")
        };
        url.set_host(Some(&address.ip().to_string())).expect("a host that URLs have");
        url.set_port(Some(address.port())).expect("a URL with a port");
        let (network, state) = watch::channel(Network::Up);
        let attempts = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&attempts);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(carry(stream, target.clone(), state.clone()));
            }
        });
        Self { url, network, attempts, accepting }
    }

    /// The URL by which the server is reached through this.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// How often somebody has tried to connect.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::SeqCst)
    }

    /// Changes the network, for every connection.
    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut client: TcpStream, target: String, mut network: watch::Receiver<Network>) {
    if *network.borrow() == Network::Cut {
        return;
    }
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let mut copying = std::pin::pin!(copy_bidirectional(&mut client, &mut server));
    loop {
        let is_up = match *network.borrow_and_update() {
            Network::Up => true,
            Network::Stalled => false,
            Network::Cut => return,
        };
        tokio::select! {
            _ = &mut copying, if is_up => return,
            changed = network.changed() => if changed.is_err() { return },
        }
    }
}
