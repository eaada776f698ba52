//! What the networks take of a GPU's memory: counted from their files and layouts, since ONNX Runtime does not tell.
//!
//! Weights are as large as their files. What goes through them is calculated for 16 bits: the full decoder's largest layers have
//! 256 channels at 256x256, 33.5 MB, of which four are alive at once, and convolutions take as much again for scratch; the UNet
//! attends with 8 heads over 1024 places, 17 MB a layer; the tiny decoder has 64 channels at 256x256, 8.4 MB. Nothing of it was
//! measured on a GPU yet.

use crate::graph::Provider;
use crate::networks::{DecoderChoice, NetworkSettings};
use mouthpiece_engine::DeviceMemory;
use std::fs;

const MIB: u64 = 1 << 20;
/// The driver's context, cuDNN's and cuBLAS's handles and kernels, and the encoder, through which one frame goes at a time.
const CONTEXTS: u64 = 832 * MIB;
/// Through UNet and decoder, a frame.
const FULL: u64 = 320 * MIB;
const TINY: u64 = 96 * MIB;

/// Through what restores mouths, one at a time: 64 channels at 256x256, 8.4 MB in 16 bits and twice that in 32, of which a few are alive.
const RESTORATION: u64 = 96 * MIB;

/// What networks take that are loaded as `settings` say, with the one that restores mouths if it `restores`, and run by `by`.
pub fn device_memory(settings: &NetworkSettings, restores: bool, by: Provider) -> DeviceMemory {
    let size = |file: String| fs::metadata(settings.graphs.join(file)).map_or(0, |data| data.len());
    let graphs = ["whisper", "vae_encoder", "unet", settings.decoder.graph()];
    let graphs = graphs.iter().chain(restores.then_some(&"restoration"));
    let weights = graphs.map(|name| size(format!("{name}.onnx")) + size(format!("{name}.onnx.data"))).sum();
    let contexts = CONTEXTS + if restores { RESTORATION } else { 0 };
    let buffers_a_frame = match settings.decoder {
        DecoderChoice::Full => FULL,
        DecoderChoice::Tiny => TINY,
    };
    DeviceMemory { weights, contexts, buffers_a_frame, batches: by.batches() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MuseTalkSettings;

    #[test]
    fn weights_are_counted_wherever_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        let mut networks = MuseTalkSettings::new(folder.path()).networks;
        for (file, bytes) in [
            ("unet.onnx", 10),
            ("unet.onnx.data", 1000),
            ("vae_decoder.onnx", 5),
            ("tiny_decoder.onnx", 3),
            ("restoration.onnx", 7),
        ] {
            fs::write(folder.path().join(file), vec![0; bytes]).unwrap();
        }
        let full = device_memory(&networks, false, Provider::Cuda);
        networks.decoder = DecoderChoice::Tiny;
        let tiny = device_memory(&networks, false, Provider::Cuda);
        let restored = device_memory(&networks, true, Provider::Cuda);
        assert!(restored.weights == 1020 && restored.contexts > tiny.contexts);
        assert_eq!((full.weights, tiny.weights), (1015, 1013));
        assert!(full.buffers_a_frame > tiny.buffers_a_frame && full.contexts == tiny.contexts);
    }
}
