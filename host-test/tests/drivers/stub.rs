//! Real backends: HTTP/1.1 servers on loopback that answer as told, record what they got, and fail in the ways backends fail.
//! A stub keeps its port for its whole life: a second socket, bound to it and never listening, holds the port while nobody
//! listens, so that `refuse` is a refused connection and not somebody else's server.

use std::io::{BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

use super::case::{Backend, Fault};
use super::http1::{Message, chunk, last_chunk, read_request};

/// The longest that a stub which hangs holds a connection.
const HANG: Duration = Duration::from_secs(15);

/// One backend.
pub struct Stub {
    address: SocketAddr,
    _reservation: Socket,
    shared: Arc<Shared>,
    listening: Option<Listening>,
}

struct Listening {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    behaviour: Mutex<Backend>,
    seen: Mutex<Vec<(Instant, Message)>>,
}

// === impl Stub ===

impl Stub {
    /// Starts a backend that answers 200.
    pub fn start() -> Self {
        let reservation = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = reservation.local_addr().expect("it is bound").as_socket().expect("it is an IP socket");
        let mut stub = Self { address, _reservation: reservation, shared: Arc::new(Shared::default()), listening: None };
        stub.listen();
        stub
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, does this; forgets what it has seen.
    pub fn play(&mut self, behaviour: &Backend) {
        match (behaviour.fault == Some(Fault::Refuse), self.listening.is_some()) {
            (true, true) => self.silence(),
            (false, false) => self.listen(),
            _ => {}
        }
        *self.shared.behaviour.lock().expect("no stub panics") = behaviour.clone();
        self.shared.seen.lock().expect("no stub panics").clear();
    }

    /// The requests since the last [`play`](Self::play), in order.
    pub fn seen(&self) -> Vec<Message> {
        self.arrivals().into_iter().map(|(_, message)| message).collect()
    }

    /// The same, and when each had come in full.
    pub fn arrivals(&self) -> Vec<(Instant, Message)> {
        self.shared.seen.lock().expect("no stub panics").clone()
    }

    fn listen(&mut self) {
        let socket = bind(self.address);
        socket.listen(128).expect("the port is ours");
        let (stop, shared) = (Arc::new(AtomicBool::new(false)), self.shared.clone());
        let flag = stop.clone();
        let thread = std::thread::spawn(move || accept(&TcpListener::from(socket), &flag, &shared));
        self.listening = Some(Listening { stop, thread });
    }

    fn silence(&mut self) {
        let Some(Listening { stop, thread }) = self.listening.take() else { return };
        stop.store(true, Ordering::SeqCst);
        // `accept` wakes for one more connection, sees the flag, and closes the socket.
        drop(TcpStream::connect(self.address));
        thread.join().expect("no stub panics");
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.silence();
    }
}

fn bind(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("there are sockets");
    socket.set_reuse_address(true).expect("an option of every socket");
    socket.bind(&address.into()).unwrap_or_else(|e| panic!("cannot bind {address}: {e}"));
    socket
}

fn accept(listener: &TcpListener, stop: &AtomicBool, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = shared.clone();
        // An error means that the proxy hung up; the client's answer tells whether it should have.
        std::thread::spawn(move || drop(serve(stream, &shared)));
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = read_request(&mut reader)? {
        let (method, target) = request.method_and_target();
        let head = method == "HEAD";
        let behaviour = shared.behaviour.lock().expect("no stub panics").at(target).clone();
        shared.seen.lock().expect("no stub panics").push((Instant::now(), request));
        std::thread::sleep(Duration::from_millis(behaviour.delay_millis));
        match behaviour.fault {
            None => answer(&mut stream, &behaviour, head)?,
            Some(Fault::Cut) => {
                answer(&mut stream, &behaviour, head)?;
                return stream.shutdown(Shutdown::Both);
            }
            // The listener was closed in between; the connection is as good as refused.
            Some(Fault::Refuse) => return stream.shutdown(Shutdown::Both),
            Some(Fault::Reset) => return SockRef::from(&stream).set_linger(Some(Duration::ZERO)),
            Some(fault @ (Fault::Hang | Fault::Stall)) => {
                if fault == Fault::Stall {
                    answer(&mut stream, &behaviour, head)?;
                }
                stream.set_read_timeout(Some(HANG))?;
                return reader.read(&mut [0]).map(drop);
            }
        }
    }
    Ok(())
}

fn answer(stream: &mut TcpStream, behaviour: &Backend, head: bool) -> std::io::Result<()> {
    let pieces = behaviour.pieces();
    let chunked = behaviour.chunks.is_some();
    let mut wire = format!("HTTP/1.1 {} stub\r\n", behaviour.status()).into_bytes();
    for (name, value) in &behaviour.headers {
        wire.extend(super::body::latin1(&format!("{name}: {value}\r\n")).map_err(std::io::Error::other)?);
    }
    let framed = behaviour.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    if chunked {
        wire.extend(b"transfer-encoding: chunked\r\n");
    } else if !framed && !matches!(behaviour.status(), 204 | 304) {
        let missing = usize::from(matches!(behaviour.fault, Some(Fault::Cut | Fault::Stall)));
        let length = pieces.iter().map(Vec::len).sum::<usize>() + missing;
        wire.extend(format!("content-length: {length}\r\n").into_bytes());
    }
    wire.extend(b"\r\n");
    stream.write_all(&wire)?;
    if head {
        return Ok(());
    }
    for piece in &pieces {
        stream.write_all(&if chunked { chunk(piece) } else { piece.clone() })?;
        stream.flush()?;
    }
    if chunked && !matches!(behaviour.fault, Some(Fault::Cut | Fault::Stall)) {
        stream.write_all(&last_chunk(&behaviour.trailers))?;
    }
    Ok(())
}
