//! One session: asked for, watched, spoken to, ended.

use super::http::Api;
use super::media::{Marks, ViewerTrace};
use super::viewer::WatchTerms;
use super::{LiveOptions, speaker, viewer};
use crate::{LoadError, setup};
use mouthpiece_domain::live::LiveStatus;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A frame that takes longer will not come.
const FIRST_FRAME_WITHIN: Duration = Duration::from_secs(30);

/// What was seen of a session.
pub(super) struct SessionOutcome {
    /// Since the load began.
    pub(super) asked_after: Duration,
    pub(super) first_frame: Duration,
    pub(super) viewers: Vec<ViewerTrace>,
    pub(super) status: LiveStatus,
}

/// Runs one session for the options' time.
pub(super) async fn run(
    api: &Arc<Api>,
    avatar: &str,
    sound: &[i16],
    options: &LiveOptions,
    number: u32,
    origin: Instant,
) -> Result<SessionOutcome, LoadError> {
    let asked_at = Instant::now();
    let asked = Arc::new(api.session(avatar, options.size, options.fps, options.time).await?);
    let (stop, _) = watch::channel(false);
    let (mut watching, mut marks) = (Vec::new(), Vec::new());
    for one in 0..options.viewers {
        let mark = Arc::new(Mutex::new(Marks::default()));
        marks.push(Arc::clone(&mark));
        let seed = u64::from(number) << 32 | u64::from(one);
        let terms = WatchTerms { briefly: false, ..watch_terms(options, origin, seed) };
        let (api, asked, stopped) = (Arc::clone(api), Arc::clone(&asked), stop.subscribe());
        watching.push(tokio::spawn(async move { viewer::watch(&api, &asked, &mark, terms, stopped).await }));
    }
    let until = Instant::now() + options.time;
    let url = api.audio(&asked);
    let spoke = speaker::speak(&url, sound, options, &marks, u64::from(number) + 1, until).await;
    let status = api.status(&asked).await;
    stop.send_replace(true);
    let mut viewers = Vec::new();
    for viewer in watching {
        viewers.push(viewer.await.map_err(setup)??);
    }
    api.end(&asked).await?;
    spoke?;
    let first = viewers.iter().filter_map(|seen| seen.first_key).min();
    let first = first.ok_or_else(|| setup("no decodable frame ever came"))?;
    Ok(SessionOutcome { asked_after: asked_at - origin, first_frame: first - asked_at, viewers, status: status? })
}

/// How a viewer watches until its first decodable frame.
fn watch_terms(options: &LiveOptions, origin: Instant, seed: u64) -> WatchTerms {
    WatchTerms { fps: options.fps.per_second(), briefly: true, faults: options.faults, origin, seed }
}

/// Asks for a session, watches its first frame, ends it: how long that frame took.
pub(super) async fn in_turn(api: &Api, avatar: &str, options: &LiveOptions) -> Result<Duration, LoadError> {
    let asked_at = Instant::now();
    let asked = api.session(avatar, options.size, options.fps, options.time).await?;
    let (_stop, stopped) = watch::channel(false);
    let marks = Mutex::new(Marks::default());
    let watching = viewer::watch(api, &asked, &marks, watch_terms(options, asked_at, 0), stopped);
    let seen = tokio::time::timeout(FIRST_FRAME_WITHIN, watching).await.map_err(|_| setup("no frame came"))??;
    api.end(&asked).await?;
    let first = seen.first_key.ok_or_else(|| setup("no decodable frame came"))?;
    Ok(first - asked_at)
}
