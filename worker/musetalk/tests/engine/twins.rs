//! The engine on twins, and the sample portrait prepared by it.

use mouthpiece_engine::Engine;
use mouthpiece_media::face::{FaceFinder, Runtime};
use mouthpiece_media::image::{PortraitLimits, load_portrait};
use mouthpiece_media::reference::{PrepareOptions, PreparedReference, Reference};
use mouthpiece_musetalk::{MuseTalk, MuseTalkAvatar, MuseTalkSettings, Provider};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The folder of twins.
pub fn folder() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/twins")).to_owned()
}

/// Graphs in `folder`, run by the processor.
pub fn settings(folder: &Path) -> MuseTalkSettings {
    let mut settings = MuseTalkSettings::new(folder);
    settings.networks.provider = Some(Provider::Cpu);
    settings
}

/// The engine; all of them share what was loaded.
pub fn engine() -> MuseTalk {
    static ENGINE: OnceLock<MuseTalk> = OnceLock::new();
    ENGINE.get_or_init(|| MuseTalk::load(settings(&folder())).unwrap()).clone()
}

/// The sample portrait as a reference of one frame.
pub fn reference() -> Reference {
    static REFERENCE: OnceLock<Reference> = OnceLock::new();
    let found = REFERENCE.get_or_init(|| {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/portrait.png"));
        let picture = load_portrait(path, &PortraitLimits::default()).unwrap();
        let mut finder = FaceFinder::new(&Runtime::get().unwrap()).unwrap();
        PreparedReference::from_portrait(&picture, &mut finder, &PrepareOptions::default()).unwrap().reference
    });
    found.clone()
}

/// The sample portrait as an avatar.
pub fn avatar() -> Arc<MuseTalkAvatar> {
    static AVATAR: OnceLock<Arc<MuseTalkAvatar>> = OnceLock::new();
    Arc::clone(AVATAR.get_or_init(|| Arc::new(engine().prepare(reference()).unwrap())))
}
