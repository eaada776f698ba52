//! One session: asked for, watched, spoken to, ended.

use super::http::Api;
use super::media::{Marks, ViewerTrace};
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
) -> Result<SessionOutcome, LoadError> {
    let asked_at = Instant::now();
    let asked = Arc::new(api.session(avatar, options.size, options.fps, options.time).await?);
    let (stop, _) = watch::channel(false);
    let (mut watching, mut marks) = (Vec::new(), Vec::new());
    for _ in 0..options.viewers {
        let mark = Arc::new(Mutex::new(Marks::default()));
        marks.push(Arc::clone(&mark));
        let (api, asked, fps, stopped) =
            (Arc::clone(api), Arc::clone(&asked), options.fps.per_second(), stop.subscribe());
        watching.push(tokio::spawn(async move { viewer::watch(&api, &asked, &mark, fps, stopped, false).await }));
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
    Ok(SessionOutcome { first_frame: first - asked_at, viewers, status: status? })
}

/// Asks for a session, watches its first frame, ends it: how long that frame took.
pub(super) async fn in_turn(api: &Api, avatar: &str, options: &LiveOptions) -> Result<Duration, LoadError> {
    let asked_at = Instant::now();
    let asked = api.session(avatar, options.size, options.fps, options.time).await?;
    let (_stop, stopped) = watch::channel(false);
    let marks = Mutex::new(Marks::default());
    let watching = viewer::watch(api, &asked, &marks, options.fps.per_second(), stopped, true);
    let seen = tokio::time::timeout(FIRST_FRAME_WITHIN, watching).await.map_err(|_| setup("no frame came"))??;
    api.end(&asked).await?;
    let first = seen.first_key.ok_or_else(|| setup("no decodable frame came"))?;
    Ok(first - asked_at)
}
