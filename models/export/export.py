#!/usr/bin/env python3
"""Makes the graphs that the neural engine runs of the published weights, and compares each with PyTorch.

usage: export.py MODELS [--graphs unet,vae_decoder,...] [--precision fp16|fp32] [--out FOLDER] [--random] [--whisper FILE]

MODELS is the folder of `mouthpiece models`; graphs go to MODELS/graphs unless --out says otherwise: `NAME.onnx` and, in one file,
its weights `NAME.onnx.data`. `graphs.json` beside them tells what each was made of. --random takes random weights of the full size:
for measuring speed, and where the published ones cannot be had. --whisper takes another checkpoint of Whisper tiny: OpenAI's .pt, or
CTranslate2's model.bin.
"""
import argparse
import hashlib
import json
import time
from pathlib import Path

import torch

import networks
import onnx_file
import twins
import weights
from graphs import GRAPHS

KINDS = {"fp16": torch.float16, "fp32": torch.float32}
# What is compared with PyTorch; larger batches run the same graph.
BATCHES = (1, 2)


def sha256(file):
    digest = hashlib.sha256()
    with open(file, "rb") as f:
        while piece := f.read(1 << 22):
            digest.update(piece)
    return digest.hexdigest()


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("models", type=Path)
    words.add_argument("--graphs", default=",".join(GRAPHS))
    words.add_argument("--precision", choices=KINDS, default="fp16")
    words.add_argument("--out", type=Path)
    words.add_argument("--random", action="store_true")
    words.add_argument("--whisper", type=Path)
    asked = words.parse_args()
    out, kind = asked.out or asked.models / "graphs", KINDS[asked.precision]
    out.mkdir(parents=True, exist_ok=True)
    note = out / "graphs.json"
    told = json.loads(note.read_text()) if note.is_file() else {}
    for name in asked.graphs.split(","):
        if name not in GRAPHS:
            words.error(f"there is no graph '{name}': there are {', '.join(GRAPHS)}")
        graph, file, began = GRAPHS[name], out / f"{name}.onnx", time.monotonic()
        source = asked.whisper if asked.whisper and name == "whisper" else asked.models / weights.FILES[name]
        torch.manual_seed(7)
        if asked.random:
            module = twins.lively(graph.build(networks.FULL))
        else:
            module = graph.module(weights.load(name, source)).eval()
        onnx_file.write(graph, module, file, kind)
        for line in onnx_file.compare(graph, module.float(), file, kind, BATCHES):
            print(f"{name}: {line}", flush=True)
        data = file.with_name(file.name + ".data")
        told[name] = {"precision": asked.precision, "of": "random weights" if asked.random else source.name,
                      "graph": sha256(file), "weights": sha256(data)}
        note.write_text(json.dumps(told, indent=1) + "\n")
        print(f"{name}: {file} and {data.stat().st_size / 1e6:.0f} MB of weights, {asked.precision}, in "
              f"{time.monotonic() - began:.0f} s; {twins.likeness(file, name)}", flush=True)


if __name__ == "__main__":
    main()
