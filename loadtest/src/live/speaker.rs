//! A caller that pushes speech over the audio socket.

use super::http::come_back_after;
use super::media::Marks;
use super::{LiveOptions, SpeechPush, sound};
use crate::dice::Dice;
use crate::{LoadError, setup};
use futures_util::{SinkExt, StreamExt};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::{sleep, sleep_until};
use tokio_tungstenite::tungstenite::{Error as Refused, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// Between two utterances, unless a ratio is asked for: long enough to be heard as silence.
const PAUSE: Duration = Duration::from_millis(900);
/// No pause is shorter, or it would not be heard as one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
/// Samples of a piece: 20 ms.
const PIECE: usize = sound::RATE as usize / 50;
/// An interruption comes so long after the first sound.
const CUT_AFTER: Duration = Duration::from_millis(1200);

/// How long is kept silent after an utterance, so that this share of the time is spoken.
fn pause(sound: &[i16], talk_ratio: Option<f64>) -> Duration {
    let length = sound.len() as f64 / f64::from(sound::RATE);
    let of = |ratio: f64| Duration::from_secs_f64(length * (1.0 / ratio.clamp(0.01, 1.0) - 1.0)).max(SHORTEST_PAUSE);
    talk_ratio.map_or(PAUSE, of)
}

/// Speaks until `until`.
pub(super) async fn speak(
    url: &str,
    sound: &[i16],
    options: &LiveOptions,
    marks: &[Arc<Mutex<Marks>>],
    seed: u64,
    until: Instant,
) -> Result<(), LoadError> {
    let socket = connected(url).await?;
    let (mut to, mut from) = socket.split();
    let reading = tokio::spawn(async move { while from.next().await.is_some_and(|message| message.is_ok()) {} });
    let mut dice = Dice::new(seed);
    // Not all at the same moment, and not before somebody listens.
    sleep(Duration::from_millis(1000 + seed % 17 * 50)).await;
    let mut round = 0_u32;
    while Instant::now() < until {
        round += 1;
        let cut = options.interrupt_every > 0 && round.is_multiple_of(options.interrupt_every);
        let begun = Instant::now();
        for mark in marks {
            mark.lock().unwrap_or_else(PoisonError::into_inner).spoke = Some(begun);
        }
        for (n, piece) in sound.chunks(PIECE).enumerate() {
            if cut && begun.elapsed() >= CUT_AFTER {
                break;
            }
            let bytes: Vec<u8> = piece.iter().flat_map(|s| s.to_le_bytes()).collect();
            to.send(Message::Binary(bytes.into())).await.map_err(setup)?;
            if let SpeechPush::RealTime { ppm, jitter_ms } = options.push {
                let nominal = 0.02 * (n + 1) as f64 * (1.0 - f64::from(ppm) * 1e-6);
                let late = if jitter_ms == 0 { 0 } else { dice.below(u64::from(jitter_ms)) };
                sleep_until((begun + Duration::from_secs_f64(nominal) + Duration::from_millis(late)).into()).await;
            }
        }
        if cut {
            sleep_until((begun + CUT_AFTER).into()).await;
            let sent = Instant::now();
            for mark in marks {
                mark.lock().unwrap_or_else(PoisonError::into_inner).interrupted = Some(sent);
            }
            to.send(Message::text(r#"{"type":"agent.interrupt"}"#)).await.map_err(setup)?;
        } else {
            to.send(Message::text(r#"{"type":"agent.speak_end"}"#)).await.map_err(setup)?;
            let length = Duration::from_secs_f64(sound.len() as f64 / f64::from(sound::RATE));
            sleep_until((begun + length).into()).await;
        }
        sleep(pause(sound, options.talk_ratio)).await;
    }
    let _ = to.close().await; // it ends with the session in any case
    reading.abort();
    Ok(())
}

/// An audio socket; who is told to come back does so.
async fn connected(url: &str) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, LoadError> {
    let begun = Instant::now();
    loop {
        // As browsers do: a piece does not wait until the one before is acknowledged.
        let refusal = match connect_async_with_config(url, None, true).await {
            Ok((socket, _)) => return Ok(socket),
            Err(refusal) => refusal,
        };
        match &refusal {
            Refused::Http(answer) if let Some(after) = come_back_after(answer.headers(), begun) => sleep(after).await,
            _ => return Err(setup(refusal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_speaks_half_of_the_time_is_silent_for_as_long() {
        let sound = vec![0; sound::RATE as usize * 3];
        let pauses = [None, Some(0.5), Some(0.25), Some(0.99)].map(|ratio| pause(&sound, ratio));
        assert_eq!(pauses, [PAUSE, Duration::from_secs(3), Duration::from_secs(9), SHORTEST_PAUSE]);
    }
}
