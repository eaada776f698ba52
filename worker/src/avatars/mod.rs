//! Prepared avatars: in memory, else from the store, else made from the portrait and stored.
//!
//! What is stored depends on the portrait's content and on the engine's version, so any worker can use what another
//! prepared. Two sessions that want the same avatar at once prepare it once: the second waits for the first, and takes
//! over should that one be stopped. One portrait is analysed at a time; the search itself runs on a blocking thread and
//! gives up between two steps.

mod made;
mod memory;
mod store;

use crate::PortraitOptions;
use crate::stop::Stop;
use crate::work::WorkError;
use made::{Made, make};
use memory::Memory;
use mouthpiece_domain::colour::Colour;
use mouthpiece_domain::frame::Framing;
use mouthpiece_domain::session::{BlobKey, SessionSpec};
use mouthpiece_engine::Engine;
use mouthpiece_media::face::FaceFinder;
use mouthpiece_media::image::Background;
use mouthpiece_media::reference::{PreparedReference, preview};
use mouthpiece_ports::blobs::Blobs;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::AvatarStore;
pub(crate) use store::patiently;
use tokio::sync::Mutex as TurnMutex;
use tokio::task::spawn_blocking;
use tracing::{info, warn};

/// What is behind a portrait where nothing else is asked for.
const WHITE: Colour = Colour([255; 3]);
/// Avatars of which a heartbeat tells.
const MOST_TOLD: usize = 64;

/// Which prepared data: two of the same key are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    content: String,
    /// 0 for the largest.
    face: u32,
    size: u32,
    /// Of a video; 0 for a still, which fits every rate.
    fps: u32,
    /// None for white.
    background: Option<Colour>,
    framing: Framing,
}

impl Key {
    fn of(spec: &SessionSpec, fps: u32) -> Self {
        Self {
            content: spec.content.clone(),
            face: spec.face.unwrap_or(0),
            size: spec.size.pixels(),
            fps,
            background: spec.background.filter(|colour| *colour != WHITE),
            framing: spec.framing,
        }
    }
}

/// An avatar that can be drawn.
#[derive(Debug)]
pub struct ReadyAvatar<E: Engine> {
    /// For the engine.
    pub avatar: Arc<E::Avatar>,
    /// What preparation found out.
    pub facts: AvatarFacts,
}

/// What is to be known of an avatar besides its pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct AvatarFacts {
    /// Frame size, `[width, height]`.
    pub size: [u32; 2],
    /// Which part of the portrait is shown, how large, and why: a sentence.
    pub framing: String,
    /// Reference frames.
    pub frames: usize,
    /// Length of a video; zero for a still.
    pub length: Duration,
    /// Sentences that the user should read.
    pub warnings: Vec<String>,
    /// A small picture of it.
    pub preview: BlobKey,
}

/// The avatars of one worker.
pub struct WorkerAvatars<E: Engine> {
    store: AvatarStore,
    memory: Mutex<Memory<ReadyAvatar<E>>>,
    /// Whose turn it is to get an avatar, for those that somebody is getting just now.
    turns: Mutex<HashMap<Key, Arc<TurnMutex<()>>>>,
    engine: E,
    /// Loaded by the first search; one search at a time.
    finder: Arc<TurnMutex<Option<FaceFinder>>>,
}

impl<E: Engine> WorkerAvatars<E> {
    /// Avatars for `engine`, which prepares them (a clone of it draws them), at most `most` bytes of
    /// them in memory.
    pub fn new(engine: E, blobs: Arc<dyn Blobs>, most: usize) -> Self {
        Self {
            store: AvatarStore::new(engine.id(), blobs),
            memory: Mutex::new(Memory::new(most)),
            turns: Mutex::default(),
            engine,
            finder: Arc::default(),
        }
    }

    /// Content hashes of what is in memory, most recently used first.
    pub fn resident(&self) -> Vec<String> {
        lock(&self.memory).contents(MOST_TOLD)
    }

    /// The avatar that a session wants. `folder` is for a copy of the portrait.
    ///
    /// # Errors
    /// [`WorkError`]: the portrait cannot be used, the store fails, or `stop` was set.
    pub async fn get(&self, spec: &SessionSpec, folder: &Path, stop: &Stop) -> Result<Arc<ReadyAvatar<E>>, WorkError> {
        if let Some(ready) = self.in_memory(spec) {
            return Ok(ready);
        }
        let turn = Turn::take(&self.turns, Key::of(spec, spec.fps.per_second()));
        let _mine = stop.or(turn.mutex.lock()).await?;
        if let Some(ready) = self.in_memory(spec) {
            return Ok(ready);
        }
        match stop.or(self.stored(spec)).await?? {
            Some(ready) => Ok(ready),
            None => self.prepare(spec, folder, stop).await,
        }
    }

    fn in_memory(&self, spec: &SessionSpec) -> Option<Arc<ReadyAvatar<E>>> {
        let mut memory = lock(&self.memory);
        memory.get(&Key::of(spec, 0)).or_else(|| memory.get(&Key::of(spec, spec.fps.per_second())))
    }

    /// What another preparation stored; none too when that cannot be used.
    async fn stored(&self, spec: &SessionSpec) -> Result<Option<Arc<ReadyAvatar<E>>>, WorkError> {
        for key in [Key::of(spec, 0), Key::of(spec, spec.fps.per_second())] {
            let Some(bytes) = self.store.load(&key).await? else { continue };
            let kept = match self.engine.kept_version() {
                Some(version) => self.store.load_kept(&key, &version).await,
                None => None,
            };
            let (engine, has_preview) = (self.engine.clone(), self.store.has_preview(&key).await?);
            let read = spawn_blocking(move || {
                let prepared = PreparedReference::from_bytes(&bytes).map_err(|e| e.to_string())?;
                let preview = if has_preview { None } else { preview(&prepared.reference).ok() };
                let made = Made::new(&engine, prepared, Vec::new(), preview, kept);
                made.map_err(|e| e.to_string())
            });
            match read.await.map_err(|e| WorkError::broke("reading the avatar", &e))? {
                Ok(mut made) => {
                    if let Some(preview) = made.preview.clone() {
                        self.store.save_preview(&key, preview).await?;
                    }
                    self.save_kept(&key, made.kept.take()).await;
                    return self.keep(key, made).map(Some);
                }
                Err(reason) => {
                    warn!(content = key.content, reason, "a stored avatar is damaged: it is prepared anew");
                    self.store.remove(&key).await?;
                }
            }
        }
        Ok(None)
    }

    /// Makes it from the portrait, and stores it.
    async fn prepare(&self, spec: &SessionSpec, folder: &Path, stop: &Stop) -> Result<Arc<ReadyAvatar<E>>, WorkError> {
        let portrait = stop.or(self.store.portrait(&spec.portrait, folder)).await??;
        let finder = stop.or(Arc::clone(&self.finder).lock_owned()).await?;
        let options = PortraitOptions {
            size: spec.size.pixels(),
            framing: spec.framing,
            face: spec.face.map(|n| n as usize),
            fps: spec.fps.per_second(),
            background: Key::of(spec, 0).background.map(|colour| Background::Colour(colour.0)),
        };
        let (engine, of_thread) = (self.engine.clone(), stop.clone());
        // Should this session be stopped, the thread ends by itself at its next step; till then it keeps the finder.
        let making = spawn_blocking(move || make(&engine, finder, &portrait, options, &of_thread));
        let made = stop.or(making).await?.map_err(|e| WorkError::broke("preparing the avatar", &e))?;
        let mut made = made.map_err(WorkError::render)?;
        let key = Key::of(spec, if made.frames_per_second > 0.0 { spec.fps.per_second() } else { 0 });
        let (data, preview) = (std::mem::take(&mut made.data), made.preview.take().unwrap_or_default());
        info!(content = key.content, frames = made.frames, bytes = data.len(), "avatar prepared");
        stop.or(self.save_kept(&key, made.kept.take())).await?;
        stop.or(self.store.save(&key, data, preview)).await??;
        self.keep(key, made)
    }

    /// Stores what the engine need not make again, if there is anything. Without it the next one takes longer: no more.
    async fn save_kept(&self, key: &Key, kept: Option<Vec<u8>>) {
        if let (Some(kept), Some(version)) = (kept, self.engine.kept_version())
            && let Err(e) = self.store.save_kept(key, &version, kept).await
        {
            warn!(content = key.content, error = %e, "what the engine made of an avatar is not stored");
        }
    }

    fn keep(&self, key: Key, made: Made<E::Avatar>) -> Result<Arc<ReadyAvatar<E>>, WorkError> {
        let rate = f64::from(made.frames_per_second);
        let seconds = if rate > 0.0 { made.frames as f64 / rate } else { 0.0 };
        let facts = AvatarFacts {
            size: made.report.frame.output,
            framing: made.report.frame.to_string(),
            frames: made.frames,
            length: Duration::from_secs_f64(seconds),
            warnings: made.report.warnings,
            preview: self.store.preview(&key)?,
        };
        let bytes = E::bytes(&made.avatar);
        let ready = Arc::new(ReadyAvatar { avatar: Arc::new(made.avatar), facts });
        lock(&self.memory).put(key, bytes, Arc::clone(&ready));
        Ok(ready)
    }
}

/// A place in the line for one avatar; the last to leave takes the line away.
struct Turn<'a> {
    turns: &'a Mutex<HashMap<Key, Arc<TurnMutex<()>>>>,
    key: Key,
    mutex: Arc<TurnMutex<()>>,
}

impl<'a> Turn<'a> {
    fn take(turns: &'a Mutex<HashMap<Key, Arc<TurnMutex<()>>>>, key: Key) -> Self {
        let mutex = Arc::clone(lock(turns).entry(key.clone()).or_default());
        Self { turns, key, mutex }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut turns = lock(self.turns);
        // The map's and ours: under the lock nobody else can join.
        if Arc::strong_count(&self.mutex) == 2 {
            turns.remove(&self.key);
        }
    }
}

/// These are whole between any two statements, so a panic elsewhere does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
