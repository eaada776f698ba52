#!/usr/bin/env python3
"""Makes the graphs that the neural engine runs of the published weights, and compares each with PyTorch.

usage: export.py MODELS [--graphs unet,vae_decoder,...] [--precision fp16|fp32] [--out FOLDER] [--again] [--batches 1,2]
                 [--random] [--whisper FILE]

MODELS is the folder of `mouthpiece models`; graphs go to MODELS/graphs unless --out says otherwise: `NAME.onnx` and, in one file,
its weights `NAME.onnx.data`. `graphs.json` beside them tells what each was made of. A graph that is there already, of the same weights
and as it was written, is not made again unless --again is given; one that is broken off leaves nothing behind. `mouthpiece models export`
runs this with the packages that it needs.

--random takes random weights of the full size: for measuring speed, and where the published ones cannot be had. --whisper takes another
checkpoint of Whisper tiny: OpenAI's .pt, or CTranslate2's model.bin. --twin takes weights of the twins' widths, for tests.
"""
import argparse
import hashlib
import json
import os
import signal
import tempfile
import time
from pathlib import Path

import torch

import networks
import onnx_file
import twins
import weights
from graphs import GRAPHS

KINDS = {"fp16": torch.float16, "fp32": torch.float32}
# What makes a graph what it is; it is made again when one of them changes.
MAKERS = ("graphs.py", "networks.py", "onnx_file.py", "weights.py", "whisper.py")
NOTE = "graphs.json"
# What the next export, and `mouthpiece models export`, remove where one was killed.
WORK = ".export-"


def sha256(*files):
    digest = hashlib.sha256()
    for file in files:
        with open(file, "rb") as f:
            while piece := f.read(1 << 22):
                digest.update(piece)
    return digest.hexdigest()


class Note:
    """`graphs.json`: what each graph was made of, and what was written."""

    def __init__(self, folder):
        self.file = folder / NOTE
        try:
            self.told = json.loads(self.file.read_text())
        except (FileNotFoundError, ValueError):
            self.told = {}

    def set(self, name, entry):
        """Puts an entry down, or removes it (`None`)."""
        if entry:
            self.told[name] = entry
        else:
            self.told.pop(name, None)
        new = self.file.with_name(NOTE + ".part")
        new.write_text(json.dumps(self.told, indent=1) + "\n")
        new.replace(self.file)

    def tells(self, name, made_of, file):
        """True when the graph in `file` was made of this, and is as it was written."""
        entry = self.told.get(name, {})
        if any(entry.get(key) != value for key, value in made_of.items()) or not file.is_file():
            return False
        return all(entry.get(key) == value for key, value in written(file).items())


def data_of(file):
    return file.with_name(file.name + ".data")


def written(file):
    """What a graph is, and the weights beside it; one that holds them itself has none there."""
    data = data_of(file)
    return {"graph": sha256(file), "weights": sha256(data) if data.is_file() else ""}


def put_in_place(work, name, out):
    """Moves a finished graph and its weights to where they are looked for: never one of them with another's."""
    made, file = work / f"{name}.onnx", out / f"{name}.onnx"
    file.unlink(missing_ok=True)
    if data_of(made).is_file():
        os.replace(data_of(made), data_of(file))
    os.replace(made, file)


class Export:
    """One run over some graphs."""

    def __init__(self, asked):
        self.asked, self.kind = asked, KINDS[asked.precision]
        self.sizes = networks.TWIN if asked.twin else networks.FULL
        self.out = asked.out or asked.models / "graphs"
        self.out.mkdir(parents=True, exist_ok=True)
        self.note = Note(self.out)
        here = Path(__file__).parent
        self.makers = sha256(*(here / maker for maker in MAKERS))

    def source(self, name):
        if self.asked.random:
            return None
        return self.asked.whisper if self.asked.whisper and name == "whisper" else self.asked.models / weights.FILES[name]

    def made_of(self, source):
        told = {"precision": self.asked.precision, "makers": self.makers, "of": source.name if source else "random weights"}
        if self.asked.twin:
            told["widths"] = "twin"
        return told | ({"source": sha256(weights.there(source))} if source else {})

    def graph(self, name):
        """Makes one graph, unless it is there."""
        graph, source, file, began = GRAPHS[name], self.source(name), self.out / f"{name}.onnx", time.monotonic()
        say = lambda words: print(f"{name}: {words}", flush=True)
        made_of = self.made_of(source)
        if not self.asked.again and self.note.tells(name, made_of, file):
            return say("here, and right")
        say(f"reading {source}" if source else "drawing random weights")
        torch.manual_seed(7)
        if source:
            module = graph.module(weights.load(name, source, self.sizes)).eval()
        else:
            module = twins.lively(graph.build(self.sizes))
        say(f"running PyTorch in 32 bits, batches of {', '.join(map(str, self.asked.batches))}")
        wanted = onnx_file.references(graph, module, self.asked.batches)
        with tempfile.TemporaryDirectory(prefix=WORK, dir=self.out) as work:
            made = Path(work, f"{name}.onnx")
            say(f"tracing and writing, {self.asked.precision}")
            onnx_file.write(graph, module, made, self.kind)
            del module
            onnx_file.check_form(graph, made, self.kind)
            say("comparing with PyTorch")
            for line in onnx_file.compare(graph, wanted, made, self.kind):
                say(line)
            self.note.set(name, None)
            hashes = written(made)
            put_in_place(Path(work), name, self.out)
        self.note.set(name, made_of | hashes)
        size = data_of(file).stat().st_size
        say(f"{file} and {size / 1e6:.0f} MB of weights, {self.asked.precision}, in {time.monotonic() - began:.0f} s"
            + twins.likeness(file, name))


def end(*_):
    raise KeyboardInterrupt


def numbers(text):
    return tuple(int(number) for number in text.split(","))


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("models", type=Path)
    words.add_argument("--graphs", default=",".join(GRAPHS))
    words.add_argument("--precision", choices=KINDS, default="fp16")
    words.add_argument("--out", type=Path)
    words.add_argument("--again", action="store_true")
    words.add_argument("--batches", type=numbers, default=(1, 2), help="what is compared with PyTorch; the graph runs any")
    words.add_argument("--random", action="store_true")
    words.add_argument("--twin", action="store_true")
    words.add_argument("--whisper", type=Path)
    asked = words.parse_args()
    names = asked.graphs.split(",")
    for name in names:
        if name not in GRAPHS:
            words.error(f"there is no graph '{name}': there are {', '.join(GRAPHS)}")
    signal.signal(signal.SIGTERM, end)
    try:
        export = Export(asked)
        for name in names:
            export.graph(name)
    except KeyboardInterrupt:
        raise SystemExit(130)
    except (ValueError, OSError, MemoryError) as e:
        raise SystemExit(f"error: {e or 'not enough memory'}")


if __name__ == "__main__":
    main()
