#!/usr/bin/env python3
"""Makes the graphs that are no part of the face's engine itself: what judges films, and what restores mouths.

usage: extras.py MODELS [--graphs syncnet,inception,restoration] [--out FOLDER] [--again] [--random]
                 [--restoration esrgan-slim|real-esrgan-general]
       extras.py --twins [FOLDER]         (default: ../twins)

MODELS is the folder of `mouthpiece models`; graphs go to MODELS/graphs unless --out says otherwise, one file each, in 32 bits: a measure
must be what its publishers would get. `syncnet` makes two, syncnet_audio and syncnet_video. Each is compared with PyTorch, and only then
put in its place; one that is there already, of the same weights, is not made again unless --again is given. `mouthpiece models export`
runs this, too. --random takes random weights of the full size: they show cost, and measure nothing. --twins makes small ones for tests, of a
fixed seed.
"""
import argparse
import signal
import tempfile
import time
import warnings
from pathlib import Path

import onnx
import torch

import export
import inception
import onnx_file
import restoration
import syncnet
import twins
import weights
from graphs import Graph, picture

FREE = {0: "batch"}
# What makes a graph what it is; it is made again when one of them changes.
MAKERS = ("extras.py", "inception.py", "onnx_file.py", "restoration.py", "syncnet.py")
SLIM = "esrgan-slim/esrgan-slim-1.0.0.tgz"
FILES = {"syncnet": "syncnet/syncnet_v2.model", "inception": "inception/pt_inception-2015-12-05-6726825d.pth",
         "restoration": "real-esrgan/realesr-general-x4v3.pth"}
MADE = {"syncnet": ("syncnet_audio", "syncnet_video"), "inception": ("inception",), "restoration": ("restoration",)}


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
# Inception is 94 convolutions, each normalised: PyTorch's own 32 bits are twice as far from 64 as ONNX Runtime's (1.8e-4 and 1.1e-4 of the
# largest value), and on average nearer to the usual limit than chance allows.
TOLERANCE = ((1, 0.05), (1e-3, 2e-4))
SHAPES = {"syncnet_audio": (syncnet.WIDTH,), "syncnet_video": (syncnet.WIDTH,), "inception": (inception.WIDTH,),
          "restoration": (restoration.OUT, restoration.OUT, 3)}


def traced(name, module):
    """The graph of a module, with its weights inside."""
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


class Extras:
    """One run over some of them."""

    def __init__(self, asked, out):
        self.asked, self.out, self.note = asked, out, export.Note(out)
        here = Path(__file__).parent
        self.makers = export.sha256(*(here / maker for maker in MAKERS))

    def source(self, name):
        if self.asked.random or self.asked.twins:
            return None
        slim = name == "restoration" and self.asked.restoration == "esrgan-slim"
        return weights.there(self.asked.models / (SLIM if slim else FILES[name]))

    def make(self, name):
        """Makes what comes of one published file, unless all of it is there."""
        source, out = self.source(name), self.out
        made_of = {"precision": "fp32", "makers": self.makers, "of": source.name if source else "random weights"}
        made_of |= {"source": export.sha256(source)} if source else {}
        here = all(self.note.tells(called, made_of, out / f"{called}.onnx") for called in MADE[name])
        if here and not (self.asked.again or self.asked.twins):
            return print(f"{name}: here, and right", flush=True)
        torch.manual_seed(7)
        for called, module in modules(name, source, self.asked).items():
            began, file = time.monotonic(), out / f"{called}.onnx"
            made = traced(called, module)
            if self.asked.twins:
                twins.shorten(made)
            with tempfile.TemporaryDirectory(prefix=export.WORK, dir=out) as work:
                new = Path(work, file.name)
                onnx.save_model(made, new)
                onnx.checker.check_model(str(new))
                wanted = onnx_file.references(GRAPHS[called], module, (1, 3))
                for line in onnx_file.compare(GRAPHS[called], wanted, new, torch.float32, TOLERANCE):
                    print(f"{called:13} {line}")
                if not self.asked.twins:
                    self.note.set(called, None)
                hashes = export.written(new)
                export.put_in_place(Path(work), called, out)
            if not self.asked.twins:
                self.note.set(called, made_of | hashes)
            print(f"{called:13} {file.stat().st_size:9} bytes, {len(made.graph.node)} nodes, {time.monotonic() - began:.0f} s, "
                  f"{hashes['graph']}", flush=True)


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("models", type=Path, nargs="?")
    words.add_argument("--graphs", default=",".join(FILES))
    words.add_argument("--out", type=Path)
    words.add_argument("--again", action="store_true")
    words.add_argument("--random", action="store_true")
    words.add_argument("--twins", action="store_true")
    words.add_argument("--restoration", choices=("esrgan-slim", "real-esrgan-general"), default="real-esrgan-general")
    asked = words.parse_args()
    if asked.models is None and not asked.twins:
        words.error("name the folder of `mouthpiece models`, or ask for --twins")
    names = asked.graphs.split(",")
    for name in names:
        if name not in FILES:
            words.error(f"there is no '{name}': there are {', '.join(FILES)}")
    out = asked.out or (asked.models or twins.FOLDER if asked.twins else asked.models / "graphs")
    out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, export.end)
    try:
        extras = Extras(asked, out)
        for name in names:
            extras.make(name)
    except KeyboardInterrupt:
        raise SystemExit(130)
    except (ValueError, OSError, MemoryError) as e:
        raise SystemExit(f"error: {e or 'not enough memory'}")


if __name__ == "__main__":
    main()
