#!/usr/bin/env python3
"""Makes the graphs that are no part of the face's engine itself: what judges films, and what restores mouths.

usage: extras.py MODELS [--graphs syncnet,inception,restoration] [--out FOLDER] [--random] [--restoration esrgan-slim|real-esrgan-general]
       extras.py --twins [FOLDER]         (default: ../twins)

MODELS is the folder of `mouthpiece models`; graphs go to MODELS/graphs unless --out says otherwise, one file each, in 32 bits: a measure
must be what its publishers would get. `syncnet` makes two, syncnet_audio and syncnet_video. Each is compared with PyTorch. --random
takes random weights of the full size: they show cost, and measure nothing. --twins makes small ones for tests, of a fixed seed.
"""
import argparse
import hashlib
import tempfile
import time
import warnings
from pathlib import Path

import onnx
import torch

import inception
import onnx_file
import restoration
import syncnet
import twins
from graphs import Graph, picture

FREE = {0: "batch"}
SLIM = "esrgan-slim/esrgan-slim-1.0.0.tgz"
FILES = {"syncnet": "syncnet/syncnet_v2.model", "inception": "inception/pt_inception-2015-12-05-6726825d.pth",
         "restoration": "real-esrgan/realesr-general-x4v3.pth"}


def frames(b):
    return torch.randint(0, 256, (b, syncnet.FRAMES, syncnet.SIDE, syncnet.SIDE, 3), dtype=torch.uint8)


def unlike(b):
    """Pictures of several colours and contrasts: what differs little makes of every rounding a difference."""
    gain, colour = torch.rand(b, 1, 1, 1), torch.rand(b, 1, 1, 3)
    return (gain * (picture(b)[:, :250].float() - 128) + 255 * colour).clamp(0, 255).to(torch.uint8)


GRAPHS = {
    "syncnet_audio": Graph(None, None, ["embedding"],
                           {"mfcc": lambda b: 5 * torch.randn(b, 1, syncnet.COEFFICIENTS, syncnet.STEPS)},
                           {"mfcc": FREE, "embedding": FREE}),
    "syncnet_video": Graph(None, None, ["embedding"], {"frames": frames}, {"frames": FREE, "embedding": FREE}),
    "inception": Graph(None, None, ["features"], {"picture": unlike},
                       {"picture": {0: "batch", 1: "height", 2: "width"}, "features": FREE}),
    "restoration": Graph(None, None, ["restored"], {"picture": lambda b: picture(b)[:, :restoration.IN, :restoration.IN]},
                         {"picture": FREE, "restored": FREE}),
}
# 94 convolutions, each normalised: PyTorch's own 32 bits are twice as far from 64 as ONNX Runtime's (1.8e-4 and 1.1e-4 of the largest).
onnx_file.TOLERANCE[torch.float32] = (1, 1e-3)
SHAPES = {"syncnet_audio": (syncnet.WIDTH,), "syncnet_video": (syncnet.WIDTH,), "inception": (inception.WIDTH,),
          "restoration": (restoration.OUT, restoration.OUT, 3)}


def write(name, module, file):
    """Writes a graph with its weights inside."""
    graph, examples = GRAPHS[name], GRAPHS[name].examples(2, torch.float32)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")   # the tracer's doubts about shapes that are fixed here
        raw = Path(folder, "raw.onnx")
        torch.onnx.export(module, tuple(examples.values()), str(raw), input_names=list(examples), output_names=graph.outputs,
                          dynamic_axes=graph.axes, opset_version=onnx_file.OPSET, dynamo=False, do_constant_folding=True)
        made = onnx.load(raw)
    for dim, size in zip(made.graph.output[0].type.tensor_type.shape.dim[1:], SHAPES[name]):
        dim.dim_value = size
    return made


def settled(module):
    """Random weights under which outputs follow their inputs, and normalisations that let them through at their size."""
    twins.lively(module)
    for part in module.modules():
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
            part.momentum = None
    module.train()
    with torch.inference_mode():
        module(*GRAPHS[module.called].examples(16, torch.float32).values())
    return module.eval()


def modules(name, source, asked):
    """The graphs that come of one published file, by name."""
    if name == "syncnet":
        if asked.random or asked.twins:
            net = syncnet.SyncNet(syncnet.TWIN if asked.twins else syncnet.FULL)
        else:
            net = syncnet.load(source)
        made = {"syncnet_audio": syncnet.Voice(net), "syncnet_video": syncnet.Mouth(net)}
    elif name == "inception":
        random = asked.random or asked.twins
        made = {"inception": inception.Inception(32 if asked.twins else 1) if random else inception.load(source)}
    elif asked.twins:
        return {"restoration": restoration.twin()}
    elif asked.random:
        return {"restoration": restoration.Restoration(restoration.Compact()).eval()}
    else:
        return {"restoration": restoration.load_general(source) if asked.restoration == "real-esrgan-general"
                else restoration.load_slim(source)}
    for called, module in made.items():
        module.called = called
        if asked.random or asked.twins:
            settled(module)
    return {called: module.eval() for called, module in made.items()}


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("models", type=Path, nargs="?")
    words.add_argument("--graphs", default=",".join(FILES))
    words.add_argument("--out", type=Path)
    words.add_argument("--random", action="store_true")
    words.add_argument("--twins", action="store_true")
    words.add_argument("--restoration", choices=("esrgan-slim", "real-esrgan-general"), default="real-esrgan-general")
    asked = words.parse_args()
    if asked.models is None and not asked.twins:
        words.error("name the folder of `mouthpiece models`, or ask for --twins")
    out = asked.out or (asked.models or twins.FOLDER if asked.twins else asked.models / "graphs")
    out.mkdir(parents=True, exist_ok=True)
    for name in asked.graphs.split(","):
        if name not in FILES:
            words.error(f"there is no '{name}': there are {', '.join(FILES)}")
        source = None
        if not (asked.random or asked.twins):
            source = asked.models / (SLIM if name == "restoration" and asked.restoration == "esrgan-slim" else FILES[name])
            if not source.exists():
                raise SystemExit(f"{source} is missing: mouthpiece models fetch")
        torch.manual_seed(7)
        for called, module in modules(name, source, asked).items():
            began, file = time.monotonic(), out / f"{called}.onnx"
            made = write(called, module, file)
            if asked.twins:
                twins.shorten(made)
            onnx.save_model(made, file)
            onnx.checker.check_model(str(file))
            for line in onnx_file.compare(GRAPHS[called], module, file, torch.float32, (1, 3)):
                print(f"{called:13} {line}")
            print(f"{called:13} {file.stat().st_size:9} bytes, {len(made.graph.node)} nodes, {time.monotonic() - began:.0f} s, "
                  f"{hashlib.sha256(file.read_bytes()).hexdigest()}", flush=True)


if __name__ == "__main__":
    main()
