"""Measures exported weights on clips, clean and in noise.

    python evaluate.py DATA [--weights viseme.safetensors] [--voices rms ked]

Reads only the exported file and runs its own NumPy forward pass, so it is also
the shortest complete description of what a port must do.
"""

import argparse
import os

import numpy as np
from safetensors import safe_open

from data import load
from features import LEVEL, RATE, active_rms, log_mel
from phones import PP, SIL, VISEMES

HERE = os.path.dirname(os.path.abspath(__file__))


class Weights:
    """The exported network in plain NumPy."""

    def __init__(self, path):
        with safe_open(path, "numpy") as file:
            self.meta = file.metadata()
            self.tensor = {name: file.get_tensor(name) for name in file.keys()}
        self.look = int(self.meta["look_ahead_hops"])
        self.dilations = [int(d) for d in self.meta["dilations"].split(",")]

    def stream(self, features):
        """Row i: the output after feature row i has arrived; it describes frame i - look."""
        w = self.tensor
        h = (features - w["mean"]) / w["std"]
        h = np.maximum(h @ w["input.weight"].T + w["input.bias"], 0)
        for n, dilation in enumerate(self.dilations):
            kernel = w[f"blocks.{n}.conv.weight"]
            past = np.concatenate([np.zeros((2 * dilation, h.shape[1]), np.float32), h])
            y = w[f"blocks.{n}.conv.bias"] + sum(
                past[k * dilation:k * dilation + len(h)] @ kernel[:, :, k].T for k in range(3))
            h = h + np.maximum(y, 0) @ w[f"blocks.{n}.proj.weight"].T + w[f"blocks.{n}.proj.bias"]
        return h @ w["output.weight"].T + w["output.bias"]

    def __call__(self, samples):
        """Row t: logits of frame t, the sound being followed by silence."""
        tail = np.zeros(self.look * 160, np.float32)
        return self.stream(log_mel(np.concatenate([samples, tail]), self.tensor["mel"]))[self.look:]


def noise(kind, size, rng):
    """Unit-power white or pink noise."""
    white = rng.standard_normal(size)
    if kind == "pink":
        spectrum = np.fft.rfft(white)
        hz = np.fft.rfftfreq(size, 1 / RATE)
        white = np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 20)), size)
    return (white / np.sqrt((white ** 2).mean())).astype(np.float32)


def degrade(samples, condition, rng):
    """`clean`, or e.g. `pink 20`: noise that many dB under the active level of the speech."""
    if condition == "clean":
        return samples
    kind, snr = condition.split()
    return samples + noise(kind, len(samples), rng) * active_rms(samples) * 10 ** (-float(snr) / 20)


def score(logits, labels):
    """Accuracy, bilabial recall, bilabial precision, silence recall, mean recall of the visemes."""
    guess = logits.argmax(1)
    recall = [float((guess[labels == v] == v).mean()) for v in range(len(VISEMES)) if (labels == v).any()]
    hit = lambda v: float((guess[labels == v] == v).mean()) if (labels == v).any() else float("nan")
    precision = float((labels[guess == PP] == PP).mean()) if (guess == PP).any() else float("nan")
    return float((guess == labels).mean()), hit(PP), precision, hit(SIL), float(np.mean(recall))


def onset_delay(logits, labels):
    """Frames from each labelled start of speech after silence to the first viseme that is not sil."""
    guess, delays = logits.argmax(1), []
    for t in np.flatnonzero((labels[1:] != SIL) & (labels[:-1] == SIL)) + 1:
        if t >= 8 and (labels[t - 8:t] == SIL).all():
            heard = np.flatnonzero(guess[t - 6:t + 40] != SIL)
            delays.append(heard[0] - 6 if len(heard) else 40)
    return delays


def closures(logits, labels):
    """(labelled closures, those wholly missed, false ones): runs of PP of 3 frames or more, touching within 3."""
    def spans(flags, shortest):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
        return [(a, b) for a, b in zip(edges[::2], edges[1::2]) if b - a >= shortest]

    guess = logits.argmax(1)
    true = spans(labels == PP, 1)
    missed = sum(not (guess[max(0, a - 1):b + 1] == PP).any() for a, b in true)
    false = sum(not (labels[max(0, a - 3):b + 3] == PP).any() for a, b in spans(guess == PP, 3))
    return np.array([len(true), missed, false])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--weights", default=os.path.join(HERE, "viseme.safetensors"))
    parser.add_argument("--voices", nargs="*", default=["rms", "ked"])
    parser.add_argument("--split", default="test")
    args = parser.parse_args()
    net, rng = Weights(args.weights), np.random.default_rng(1)
    clips = load(args.data)
    for voice in args.voices:
        chosen = [c for c in clips if c[0] == voice and c[1] == args.split]
        labels = np.concatenate([c[3] for c in chosen])
        print(f"{voice}: {len(chosen)} clips, {len(labels) / 100:.0f} s")
        for condition in ("clean", "white 20", "pink 20", "white 10", "pink 10"):
            runs = [net(degrade(c[2] / np.float32(32768), condition, rng)) for c in chosen]
            values = score(np.concatenate(runs), labels)
            print(f"  {condition:9} accuracy {values[0]:.3f}  PP recall {values[1]:.3f}  PP precision {values[2]:.3f}"
                  f"  sil recall {values[3]:.3f}  mean recall {values[4]:.3f}", flush=True)
            if condition == "clean":
                guess = np.concatenate(runs).argmax(1)
                delays = np.concatenate([onset_delay(r, c[3]) for r, c in zip(runs, chosen)])
                print("           speech onset after silence, frames late: "
                      f"median {np.median(delays):.0f}, 95% {np.quantile(delays, 0.95):.0f}, worst {delays.max():.0f}")
                total, missed, false = sum(closures(r, c[3]) for r, c in zip(runs, chosen))
                print(f"           closures: {missed} of {total} missed; {false} where there is none "
                      f"({false / (labels != SIL).sum() * 6000:.0f} a minute of speech)")
                print("           recall " + " ".join(f"{name} {(guess[labels == v] == v).mean():.2f}"
                                                     for v, name in enumerate(VISEMES) if (labels == v).any()))
    print("nothing but room (share of frames called sil)")
    quiet = net(np.zeros(10 * RATE, np.float32)).argmax(1)
    print(f"  digital zero {(quiet == SIL).mean():.3f}")
    for kind in ("white", "pink"):
        shares = []
        for db in (-15, -20, -30, -40, -50, -60, -80):
            guess = net(noise(kind, 10 * RATE, rng) * LEVEL * np.float32(10 ** (db / 20))).argmax(1)
            shares.append(f"{db} dB {(guess == SIL).mean():.3f}")
        print(f"  {kind:5} under the speech level: " + "  ".join(shares))


if __name__ == "__main__":
    main()
