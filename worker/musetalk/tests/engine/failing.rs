//! Providers that fail while they run.

use crate::twins::{avatar, folder, reference, settings};
use mouthpiece_engine::{Artist, Engine, EngineError, EngineRecovery, Expression, OwnEngine};
use mouthpiece_media::face::Runtime;
use mouthpiece_musetalk::{
    DecoderChoice, DrawMouths, FaceEncoder, GraphError, GraphLoader, LoadNetworks, MuseTalk, Provider, SOUND,
    SoundClip, Whisper,
};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// Loads the twins, always by the processor, whatever it is called; what draws fails at some runs.
struct Fragile {
    loader: GraphLoader,
    providers: Vec<Provider>,
    /// At which of its runs each generator that is loaded fails, one after the other; those after the last never do.
    fails_at: Mutex<Vec<u32>>,
    /// The device is gone: every run fails from now on.
    gone: Arc<AtomicBool>,
    /// What was loaded.
    loaded: Arc<Mutex<Vec<Provider>>>,
}

struct FailsAt {
    generator: Box<dyn DrawMouths>,
    run: AtomicU32,
    fails_at: Option<u32>,
    gone: Arc<AtomicBool>,
}

impl DrawMouths for FailsAt {
    fn draw(&mut self, frames: &[(&[f32], &[f32])], picture: &mut dyn FnMut(usize, &[u8])) -> Result<(), GraphError> {
        let fails = Some(self.run.fetch_add(1, Ordering::Relaxed)) == self.fails_at;
        if fails || self.gone.load(Ordering::Relaxed) {
            let source = ort::Error::new("CUDA failure 719: unspecified launch failure");
            return Err(GraphError::Run { graph: "unet", source });
        }
        self.generator.draw(frames, picture)
    }
}

impl LoadNetworks for Fragile {
    fn providers(&self) -> Vec<Provider> {
        self.providers.clone()
    }

    fn hearing(&self, _: Provider) -> Result<Whisper, GraphError> {
        self.loader.hearing(Provider::Cpu)
    }

    fn encoder(&self, _: Provider) -> Result<FaceEncoder, GraphError> {
        self.loader.encoder(Provider::Cpu)
    }

    fn has(&self, decoder: DecoderChoice) -> bool {
        self.loader.has(decoder)
    }

    fn generator(&self, by: Provider, decoder: DecoderChoice, start: bool) -> Result<Box<dyn DrawMouths>, GraphError> {
        self.loaded.lock().unwrap().push(by);
        let mut fails = self.fails_at.lock().unwrap();
        let fails_at = if fails.is_empty() { None } else { Some(fails.remove(0)) };
        Ok(Box::new(FailsAt {
            generator: self.loader.generator(Provider::Cpu, decoder, start)?,
            run: AtomicU32::new(0),
            fails_at,
            gone: Arc::clone(&self.gone),
        }))
    }
}

/// An engine whose generators fail at these runs.
struct FragileEngine {
    engine: MuseTalk,
    loaded: Arc<Mutex<Vec<Provider>>>,
    gone: Arc<AtomicBool>,
}

fn fragile(providers: &[Provider], fails_at: &[u32]) -> FragileEngine {
    let settings = settings(&folder());
    let loader = GraphLoader { runtime: Runtime::get().unwrap(), networks: settings.networks.clone() };
    let (loaded, gone) = (Arc::default(), Arc::default());
    let fragile = Fragile {
        loader,
        providers: providers.to_vec(),
        fails_at: Mutex::new(fails_at.to_vec()),
        gone: Arc::clone(&gone),
        loaded: Arc::clone(&loaded),
    };
    let engine = MuseTalk::load_by(settings, Box::new(fragile)).unwrap();
    FragileEngine { engine, loaded, gone }
}

fn clip() -> SoundClip {
    SoundClip::new((0..SOUND).map(|i| (i as f32 * 0.37).sin() * 2.0).collect())
}

#[test]
fn a_run_that_fails_costs_no_frame() {
    let FragileEngine { engine, loaded, .. } = fragile(&[Provider::TensorRt, Provider::Cuda], &[2]);
    let mut own = OwnEngine::new(engine.clone(), avatar());
    let mut draw = || own.draw(0, clip(), Expression::default()).unwrap().clone();
    let pictures = [draw(), draw(), draw(), draw()];
    assert!(pictures.windows(2).all(|pair| pair[0] == pair[1]), "the same before and after");
    assert_eq!(*loaded.lock().unwrap(), [Provider::TensorRt, Provider::TensorRt]);
    assert_eq!(engine.provider(), Provider::TensorRt, "a device that recovers is kept");
}

#[test]
fn a_provider_that_fails_again_gives_way_to_the_next_once() {
    let FragileEngine { mut engine, loaded, gone } =
        fragile(&[Provider::TensorRt, Provider::Cuda, Provider::Cpu], &[0, 0]);
    let mut own = OwnEngine::new(engine.clone(), avatar());
    own.draw(0, clip(), Expression::default()).unwrap();
    assert_eq!(engine.provider(), Provider::Cuda);
    assert_eq!(*loaded.lock().unwrap(), [Provider::TensorRt, Provider::TensorRt, Provider::Cuda]);
    // The third failure is the last: a GPU's work is not left to the processor.
    gone.store(true, Ordering::Relaxed);
    let broken = own.draw(0, clip(), Expression::default()).unwrap_err();
    assert!(matches!(broken, EngineError::Broken), "{broken}");
    assert!(engine.recover().is_err());
    assert!(matches!(engine.prepare(reference()), Err(EngineError::Broken)), "and nothing is prepared any more");
}

#[test]
fn what_is_tried_is_said() {
    let FragileEngine { mut engine, .. } = fragile(&[Provider::TensorRt, Provider::Cuda], &[]);
    assert_eq!(engine.recover().unwrap(), EngineRecovery::Restarted { on: "tensorrt" });
    let fell_back = engine.recover().unwrap();
    let EngineRecovery::FellBack { from: "tensorrt", to: "cuda", makes: Some(makes) } = fell_back else {
        panic!("{fell_back:?}")
    };
    assert!(makes > 0 && fell_back.to_string().ends_with(&format!("cuda draws from now on, {makes} frames a second")));
}
