"""Writes viseme.safetensors and reference.safetensors.

    python export.py DATA MODEL.pt [--calibrate]

With --calibrate, a bias for bilabials and one for silence are chosen on the
validation clips, clean and noisy, and folded into the output bias; no test clip
is looked at. Higher floors buy frame recall with false closures, which a viewer
minds more: most frames that are missed lie at the edges of a closure.
"""

import argparse
import os

import numpy as np
import torch
from safetensors.numpy import save_file

from data import load
from evaluate import degrade
from features import HOP, RATE, WINDOW, log_mel, mel_filterbank
from net import DILATIONS, LOOK_AHEAD, VisemeNet
from phones import PP, SIL, VISEMES
from train import predict

HERE = os.path.dirname(os.path.abspath(__file__))
LICENCE = "Apache-2.0 OR MIT"
CONDITIONS = ("clean", "white 20", "pink 20")
PP_FLOOR, SIL_FLOOR = 0.885, 0.98  # bilabial recall in clean speech; silence recall in each condition


def restore(path):
    saved = torch.load(path, weights_only=False)
    net = VisemeNet().eval()
    net.load_state_dict(saved["net"])
    return net, saved


def choose_bias(net, saved, clips):
    """The logit biases of PP and sil that reach the floors, each voice counting the same, at the best accuracy."""
    rng, runs = np.random.default_rng(0), {condition: [] for condition in CONDITIONS}
    for voice in sorted({c[0] for c in clips if c[1] == "val"}):
        chosen = [c for c in clips if c[0] == voice and c[1] == "val"][:25]
        labels = np.concatenate([c[3] for c in chosen])
        for condition in CONDITIONS:
            logits = [predict(net, saved["mean"], saved["std"],
                              degrade(c[2] / np.float32(32768), condition, rng)) for c in chosen]
            runs[condition].append((np.concatenate(logits), labels))

    def figures(pp, sil):
        """[condition, (accuracy, PP recall, sil recall)]"""
        shift = np.zeros(len(VISEMES), np.float32)
        shift[PP], shift[SIL] = pp, sil
        table = []
        for condition in CONDITIONS:
            rows = []
            for logits, labels in runs[condition]:
                guess = (logits + shift).argmax(1)
                rows.append([(guess == labels).mean(), *((guess[labels == v] == v).mean() for v in (PP, SIL))])
            table.append(np.mean(rows, 0))
        return np.array(table)

    best = None
    for pp in np.arange(-1.0, 2.01, 0.2):
        for sil in np.arange(-0.5, 2.51, 0.25):
            table = figures(pp, sil)
            missing = max(0, PP_FLOOR - table[0, 1]) + max(0, SIL_FLOOR - table[:, 2].min())
            key = (table[:, 0].mean() - 5 * missing, float(pp), float(sil))
            best = max(best, key) if best else key
    print(f"bias PP {best[1]:+.2f}, sil {best[2]:+.2f}; accuracy / PP recall / sil recall on the validation clips")
    for condition, row in zip(CONDITIONS, figures(*best[1:])):
        print(f"  {condition:9} " + " / ".join(f"{x:.3f}" for x in row))
    return best[1:]


def tensors(net, saved):
    """The network under the names a port reads; 1x1 convolutions as matrices."""
    out = {"mean": saved["mean"], "std": saved["std"], "mel": mel_filterbank()}
    for name, value in net.state_dict().items():
        value = value.numpy().astype(np.float32)
        out[name] = value[:, :, 0] if name in ("input.weight", "output.weight") or name.endswith("proj.weight") else value
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in out.items()}


def reference(net, saved, clips):
    """Two seconds with a gap of digital silence, their features, and the raw stream of outputs."""
    speech = next(c[2] for c in clips if c[0] == "rms") / np.float32(32768)
    samples = np.concatenate([speech[:int(1.1 * RATE)], np.zeros(int(0.4 * RATE), np.float32),
                              speech[int(1.1 * RATE):int(1.6 * RATE)]]).astype(np.float32)
    features = log_mel(samples)
    with torch.no_grad():
        x = torch.from_numpy((features - saved["mean"]) / saved["std"]).T[None]
        logits = net.causal(x)[0].T.numpy()
    return {"samples": samples, "features": features, "logits": np.ascontiguousarray(logits)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("model")
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--out", default=HERE)
    parser.add_argument("--version", default="1")
    args = parser.parse_args()
    clips = load(args.data)
    net, saved = restore(args.model)
    pp = sil = 0.0
    if args.calibrate:
        pp, sil = choose_bias(net, saved, clips)
        with torch.no_grad():
            net.output.bias[PP] += pp
            net.output.bias[SIL] += sil
    meta = dict(version=args.version, look_ahead_hops=LOOK_AHEAD, dilations=",".join(map(str, DILATIONS)),
                sample_rate=RATE, hop=HOP, window=WINDOW, visemes=",".join(VISEMES),
                licence=LICENCE, bias_pp=round(pp, 2), bias_sil=round(sil, 2))
    meta = {key: str(value) for key, value in meta.items()}
    save_file(tensors(net, saved), os.path.join(args.out, "viseme.safetensors"), meta)
    save_file(reference(net, saved, clips), os.path.join(args.out, "reference.safetensors"),
              {"logits": "row i is the output after feature row i; it describes frame i - look_ahead_hops"})


if __name__ == "__main__":
    main()
