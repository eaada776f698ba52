//! A caller's WebSocket at a worker.

use crate::link::Socket;
use futures_util::{SinkExt as _, StreamExt as _};
use mouthpiece_speech::words::too_large;
use mouthpiece_speech::{SocketClose, SocketInput, SpeechSocket};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

/// How long a caller is waited for when its socket is closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// A caller's socket; one that reads nothing for `patience` is given up.
pub(super) struct CallerSocket {
    pub socket: Socket,
    pub patience: Duration,
}

impl SpeechSocket for CallerSocket {
    async fn next(&mut self) -> SocketInput {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => SocketInput::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(bytes))) => SocketInput::Binary(bytes),
            // A ping is answered by the library.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => SocketInput::Pong,
            Some(Ok(Message::Close(_))) | None => SocketInput::Gone,
            Some(Err(error)) => broken(&error),
        }
    }

    async fn say(&mut self, text: String) -> Result<(), SocketClose> {
        self.send(Message::text(text)).await
    }

    async fn pong(&mut self, bytes: &[u8]) -> Result<(), SocketClose> {
        self.send(Message::Pong(bytes.to_vec().into())).await
    }

    async fn ping(&mut self) -> Result<(), SocketClose> {
        self.send(Message::Ping(Vec::new().into())).await
    }

    async fn close(mut self, close: SocketClose) {
        if close.stalled {
            return;
        }
        let frame = CloseFrame { code: close.code.into(), reason: close.reason.into() };
        let parting = async {
            self.socket.close(Some(frame)).await?;
            // What is on its way is read before the connection goes.
            while self.socket.next().await.is_some_and(|message| message.is_ok()) {}
            Ok::<(), SocketError>(())
        };
        let _ = timeout(FAREWELL, parting).await;
    }
}

impl CallerSocket {
    async fn send(&mut self, message: Message) -> Result<(), SocketClose> {
        match timeout(self.patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(SocketClose::gone()),
            Err(_) => Err(SocketClose::unread(self.patience)),
        }
    }
}

fn broken(error: &SocketError) -> SocketInput {
    SocketInput::Broken(match error {
        SocketError::Capacity(CapacityError::MessageTooLong { .. }) => SocketClose::new(1009, too_large()),
        SocketError::Utf8(_) => SocketClose::new(1007, "a text message must be UTF-8"),
        SocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return SocketInput::Gone,
        SocketError::Protocol(error) => {
            tracing::debug!(%error, "a caller breaks RFC 6455");
            SocketClose::new(1002, "not as RFC 6455 has it: a frame cannot be read")
        }
        _ => return SocketInput::Gone,
    })
}
