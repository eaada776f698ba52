"""Sharpens the phone times of Hibari, which come in 25 ms steps and do not quite fit its audio.

    python align.py DATA MODEL.pt

MODEL.pt is a network trained without Hibari (`train.py --hold hibari ...`).
The viseme sequence stays as the engine gave it; a Viterbi search moves the
boundaries to where that network hears them, at most REACH from where they were.
"""

import os
import sys

import numpy as np
import scipy.special
import torch

from features import HOP
from net import VisemeNet
from phones import SIL
from train import predict

REACH = 14  # frames


def runs(labels):
    """[(viseme, first frame, end frame)] of equal neighbours."""
    edges = np.concatenate([[0], np.flatnonzero(np.diff(labels)) + 1, [len(labels)]])
    return [(int(labels[a]), int(a), int(b)) for a, b in zip(edges[:-1], edges[1:])]


def align(logits, labels):
    """New labels with the same sequence; pauses inside may vanish, every phone keeps two frames."""
    frames = len(labels)
    log_p = scipy.special.log_softmax(logits, axis=1)
    parts = runs(labels)
    owner = np.repeat(np.arange(len(parts)), 2)  # two states a part: at least two frames each
    visemes = np.array([p[0] for p in parts])[owner]
    first, end = (np.array([p[k] for p in parts])[owner] for k in (1, 2))
    clock = np.arange(frames)[:, None]
    allowed = (clock >= first - REACH) & (clock < end + REACH)
    local = np.where(allowed, log_p[:, visemes], -1e9)
    states = len(owner)
    may_skip = np.zeros(states, bool)  # entering a phone straight from the phone before a pause
    for s in range(4, states, 2):
        may_skip[s] = visemes[s - 2] == SIL
    stay_ok = np.arange(states) % 2 == 1
    best, back = np.full(states, -1e9), np.zeros((frames, states), np.int8)
    best[0] = local[0, 0]
    for t in range(1, frames):
        options = np.full((3, states), -1e9)
        options[0] = np.where(stay_ok, best, -1e9)
        options[1, 1:] = best[:-1]
        options[2, 3:] = np.where(may_skip[3:], np.roll(best, 3)[3:], -1e9)
        choice = options.argmax(0)
        back[t] = np.array([0, 1, 3], np.int8)[choice]
        best = options[choice, np.arange(states)] + local[t]
    if best[-1] < -1e8:
        return None
    path, state = np.zeros(frames, int), states - 1
    for t in range(frames - 1, -1, -1):
        path[t] = state
        state -= int(back[t, state])
    return visemes[path].astype(labels.dtype)


def main(folder, model):
    saved = torch.load(model, weights_only=False)
    if "hibari" not in saved["hold"]:
        raise SystemExit("align with a network that has not learned Hibari's own labels")
    net = VisemeNet().eval()
    net.load_state_dict(saved["net"])
    path = os.path.join(folder, "hibari.npz")
    with np.load(path) as file:
        data = dict(file)
    source = data.setdefault("engine_labels", data["labels"].copy())
    moved = failed = start = 0
    for count in data["frames"]:
        part = slice(start, start + count)
        samples = data["samples"][start * HOP:(start + count) * HOP] / 32768.0
        labels = align(predict(net, saved["mean"], saved["std"], samples), source[part])
        failed += labels is None
        if labels is not None:
            moved += (labels != source[part]).sum()
            data["labels"][part] = labels
        start += count
    np.savez(path, **data)
    print(f"{moved / start:.1%} of the frames changed; {failed} of {len(data['frames'])} clips kept as they were")


if __name__ == "__main__":
    main(*sys.argv[1:])
