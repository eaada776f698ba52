"""Writes heldout.safetensors: a minute of the unseen voice with labels, for the tests of the port.

    python testset.py DATA

Flite's `rms` (CMU ARCTIC) voice may be used and distributed freely; see README.md.
"""

import os
import sys

import numpy as np
from safetensors.numpy import save_file

from data import load
from phones import VISEMES

SECONDS = 60


def main(folder):
    samples, labels, total = [], [], 0
    for voice, split, wave, label in load(folder):
        if voice == "rms" and split == "test" and total < SECONDS * 100:
            samples.append(wave)
            labels.append(label)
            total += len(label)
    here = os.path.dirname(os.path.abspath(__file__))
    save_file({"samples": np.concatenate(samples), "labels": np.concatenate(labels).astype(np.uint8)},
              os.path.join(here, "heldout.safetensors"),
              {"visemes": ",".join(VISEMES), "labels": "one for each 160 samples", "voice": "flite rms",
               "sample_rate": "16000", "scale": "32768"})


if __name__ == "__main__":
    main(sys.argv[1])
