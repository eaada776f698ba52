//! A second handle to a connection, to cut it when its peer reads nothing.
//!
//! The server waits for a peer that does not read for as long as that is there: what is to be written is written first, even
//! when the answer was given up. Only sockets are cut, so the handle is let go with the first request that is none; a
//! connection that was used for others before has none, and waits.

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream as Connection;
use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

/// The handle, among the data of a connection.
#[derive(Debug)]
pub struct Lifeline(Mutex<Option<LifelineCut>>);

/// Cuts a connection. It lives no longer than its users: until this is dropped, dropping the connection does not end it.
#[derive(Debug)]
pub struct LifelineCut(TcpStream);

/// Adds the handle to a connection's data.
pub fn attach(io: &dyn Any, data: &mut Extensions) {
    let handle = io.downcast_ref::<Connection>().map(|connection| connection.as_fd().try_clone_to_owned());
    // Without one (too many open files, for example) the connection is served like any other.
    if let Some(Ok(handle)) = handle {
        data.insert(Lifeline(Mutex::new(Some(LifelineCut(TcpStream::from(handle))))));
    }
}

impl Lifeline {
    /// Takes the handle, to keep it or to let it go.
    pub fn take(&self) -> Option<LifelineCut> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl LifelineCut {
    /// Ends the connection now. What was not read is lost.
    pub fn now(self) {
        // It may have ended by itself.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}
