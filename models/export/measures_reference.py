#!/usr/bin/env python3
"""Writes what the measures of `mouthpiece eval --lse --fid` are compared with: MFCC of the published procedure's library, the published
procedure on answers of a network that has not to be there, and Frechet distances by SciPy. Beside requirements.txt it needs
python_speech_features 0.6 and scipy.

The speech is from `../viseme/heldout.safetensors` (Flite, see NOTICE), after a tenth of a second of digital silence.
"""
import numpy as np
import scipy.linalg
import torch
import torch.nn.functional as F
from python_speech_features import mfcc
from safetensors.numpy import load_file, save_file

TESTS = "../../worker/media/tests"
RATE = 16_000


def distance(a, b):
    """As pytorch-fid computes it; where the covariances are singular, by the eigenvalues of their product."""
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    if min(len(a), len(b)) > a.shape[1]:
        root = np.trace(scipy.linalg.sqrtm(ca @ cb).real)
    else:
        root = np.sqrt(np.clip(np.linalg.eigvals(ca @ cb).real, 0, None)).sum()
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca) + np.trace(cb) - 2 * root


def scores(seen, heard, reach=15):
    """LSE-D, LSE-C and the shift as the published procedure defines them: PyTorch's distances, zeros beyond the ends, a lower median."""
    seen, heard = torch.from_numpy(seen), torch.from_numpy(heard)
    around = F.pad(heard, (0, 0, reach, reach))
    window = 2 * reach + 1
    apart = torch.stack([F.pairwise_distance(row.expand(window, -1), around[i:i + window]) for i, row in enumerate(seen)])
    means = apart.mean(0)
    least, at = means.min(0)
    return np.array([least, means.median() - least, reach - at], np.float32)


def main():
    told = load_file("../viseme/heldout.safetensors")
    speech = next(value for value in told.values() if value.ndim == 1 and len(value) > RATE)
    speech = speech if speech.dtype == np.int16 else (speech * 32768).astype(np.int16)
    samples = np.concatenate([np.zeros(RATE // 10, np.int16), speech[RATE // 2:RATE // 2 + 9_777]])
    random, made = np.random.default_rng(3), {}
    # What is heard is what is seen, four windows earlier, with noise: a mouth that comes late.
    seen = random.normal(size=(70, 24)).astype(np.float32)
    heard = (np.roll(seen, -4, 0) + random.normal(size=seen.shape) / 2).astype(np.float32)
    save_file({"samples": samples, "mfcc": np.ascontiguousarray(mfcc(samples, RATE), np.float32), "seen": seen, "heard": heard,
               "scores": scores(seen, heard)}, f"{TESTS}/syncnet.safetensors")
    for case, (width, counts) in {"full": (12, (60, 50)), "few": (30, (12, 20))}.items():
        mix = random.normal(size=(width, width)) / width ** 0.5
        a = (random.normal(size=(counts[0], width)) @ mix).astype(np.float32)
        b = (random.normal(size=(counts[1], width)) * 1.3 + 0.4).astype(np.float32)
        made |= {f"{case}.a": a, f"{case}.b": b,
                 f"{case}.distance": np.array([distance(a.astype(float), b.astype(float))], np.float32)}
        print(case, made[f"{case}.distance"])
    save_file(made, f"{TESTS}/frechet.safetensors")


if __name__ == "__main__":
    main()
