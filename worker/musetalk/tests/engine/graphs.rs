//! Graphs that cannot be used, and what is said of them.

use crate::twins::{folder, settings};
use mouthpiece_engine::EngineError;
use mouthpiece_musetalk::{MuseTalk, MuseTalkSettings, Provider};
use std::fs;
use std::path::Path;

/// The twins in a folder of their own.
fn copied() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(folder()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

fn refused(settings: MuseTalkSettings) -> String {
    match MuseTalk::load(settings) {
        Err(error @ EngineError::Load(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

fn told(folder: &Path) -> String {
    refused(settings(folder))
}

#[test]
fn a_missing_graph_is_named_with_its_place_and_the_remedy() {
    let copy = copied();
    fs::remove_file(copy.path().join("whisper.onnx")).unwrap();
    let told = told(copy.path());
    for words in ["the graph 'whisper' is missing", "whisper.onnx", "mouthpiece models export"] {
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn a_truncated_graph_is_named() {
    let copy = copied();
    let file = copy.path().join("unet.onnx");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let told = told(copy.path());
    assert!(told.contains("the graph 'unet'") && told.contains("cannot be loaded"), "{told}");
}

#[test]
fn a_graph_with_other_tensors_tells_those_wanted_and_found() {
    let copy = copied();
    fs::copy(copy.path().join("vae_decoder.onnx"), copy.path().join("unet.onnx")).unwrap();
    let told = told(copy.path());
    assert!(told.contains("has the inputs mouth, wanted latents, sound"), "{told}");
}

#[test]
fn a_provider_that_is_not_there_names_what_to_install() {
    let mut settings = settings(&folder());
    for (provider, words) in [(Provider::TensorRt, "libnvinfer.so.10"), (Provider::Cuda, "cuDNN 9")] {
        if provider.is_built_in() {
            continue; // a GPU build of ONNX Runtime: what it says then depends on the machine
        }
        settings.networks.provider = Some(provider);
        let told = refused(settings.clone());
        assert!(told.contains(provider.name()) && told.contains(words), "{told}");
    }
}

#[test]
fn without_a_wish_the_first_provider_that_works_is_taken() {
    let mut settings = settings(&folder());
    settings.networks.provider = None;
    let engine = MuseTalk::load(settings).unwrap();
    assert!(engine.provider().is_built_in());
}
