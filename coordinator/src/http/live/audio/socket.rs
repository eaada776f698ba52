//! An audio socket over the server's own WebSockets.

use super::guard::guarded;
use crate::http::lifeline::{Lifeline, LifelineCut};
use crate::http::problem::Problem;
use crate::http::words;
use actix_web::error::PayloadError;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, ProtocolError, Session};
use mouthpiece_speech::words::too_large;
use mouthpiece_speech::{LARGEST, SocketClose, SocketInput, SpeechSocket};
use std::io;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long a caller is waited for when its socket is closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// A socket.
pub struct Socket {
    session: Session,
    stream: AggregatedMessageStream,
    /// A caller that reads nothing for so long is given up.
    patience: Duration,
    cut: Option<LifelineCut>,
}

/// Upgrades a request. The answer must be given before anything is heard or said.
///
/// # Errors
/// 400 when the request does not ask for a WebSocket.
pub async fn upgrade(
    req: &HttpRequest,
    payload: Payload,
    patience: Duration,
) -> Result<(HttpResponse, Socket), Problem> {
    let payload = guarded(req, payload).await.map_err(Problem::internal)?;
    let (answer, session, stream) = actix_ws::handle(req, payload).map_err(|error| {
        tracing::debug!(%error, "no WebSocket");
        Problem::bad_request(
            "this address takes WebSockets of version 13 only: connect with Upgrade: websocket, \
             Sec-WebSocket-Version: 13 and a Sec-WebSocket-Key",
        )
    })?;
    let stream = stream.max_frame_size(LARGEST).aggregate_continuations().max_continuation_size(LARGEST);
    let cut = req.conn_data::<Lifeline>().and_then(Lifeline::take);
    Ok((answer, Socket { session, stream, patience, cut }))
}

impl SpeechSocket for Socket {
    async fn next(&mut self) -> SocketInput {
        match self.stream.recv().await {
            Some(Ok(AggregatedMessage::Text(text))) => SocketInput::Text(text.into()),
            Some(Ok(AggregatedMessage::Binary(bytes))) => SocketInput::Binary(bytes),
            Some(Ok(AggregatedMessage::Ping(bytes))) => SocketInput::Ping(bytes),
            Some(Ok(AggregatedMessage::Pong(_))) => SocketInput::Pong,
            Some(Ok(AggregatedMessage::Close(_))) | None => SocketInput::Gone,
            Some(Err(error)) => broken(&error),
        }
    }

    async fn say(&mut self, text: String) -> Result<(), SocketClose> {
        self.bounded(async |session| session.text(text).await).await
    }

    async fn pong(&mut self, bytes: &[u8]) -> Result<(), SocketClose> {
        self.bounded(async |session| session.pong(bytes).await).await
    }

    async fn ping(&mut self) -> Result<(), SocketClose> {
        self.bounded(async |session| session.ping(b"").await).await
    }

    async fn close(mut self, close: SocketClose) {
        let cut = self.cut.take();
        if !close.stalled {
            let reason = CloseReason { code: CloseCode::from(close.code), description: Some(close.reason) };
            let _ = timeout(FAREWELL, self.session.close(Some(reason))).await;
            // What is on its way to a caller that reads is there by then.
            sleep(FAREWELL).await;
        }
        if let Some(cut) = cut {
            cut.now();
        }
    }
}

impl Socket {
    async fn bounded(
        &mut self,
        send: impl AsyncFnOnce(&mut Session) -> Result<(), actix_ws::Closed>,
    ) -> Result<(), SocketClose> {
        match timeout(self.patience, send(&mut self.session)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(SocketClose::gone()),
            Err(_) => Err(SocketClose::unread(self.patience)),
        }
    }
}

fn broken(error: &ProtocolError) -> SocketInput {
    let too_large = || SocketClose::new(1009, too_large());
    SocketInput::Broken(match error {
        ProtocolError::Overflow => too_large(),
        ProtocolError::Io(error) => match error.get_ref().and_then(|e| e.downcast_ref::<PayloadError>()) {
            Some(PayloadError::Overflow) => too_large(),
            Some(_) => return SocketInput::Gone,
            None if error.kind() == io::ErrorKind::InvalidData => {
                SocketClose::new(1007, "a text message must be UTF-8")
            }
            // The parts of a message together.
            None => too_large(),
        },
        other => SocketClose::new(1002, format!("not as RFC 6455 has it: {}", words::websocket(other))),
    })
}
