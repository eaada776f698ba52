#!/usr/bin/env python3
"""Makes the small twins of all graphs, for tests: the same inputs, outputs and operators, tiny widths, random weights.

usage: twins.py [FOLDER]          (default: ../twins)

A fixed seed: the versions in requirements.txt make the same bytes again. Fails when a twin differs from PyTorch, or when all together
exceed 2 MB. `export.py` compares the operators of full-size graphs with those of their twins.
"""
import collections
import hashlib
import sys
import tempfile
from pathlib import Path

import onnx
import torch

import networks
import onnx_file
from graphs import GRAPHS

MOST_BYTES = 2_000_000
# The worker's profiles, and one that is none of them.
BATCHES = (1, 2, 3, 4, 8)
FOLDER = Path(__file__).parent.parent / "twins"


def shorten(made):
    """Gives nodes and inner tensors short names, and drops what only people read: half of a small graph is names."""
    outside = {value.name for value in [*made.graph.input, *made.graph.output]}
    names = {}
    short = lambda name: name if not name or name in outside else names.setdefault(name, f"t{len(names)}")
    for tensor in made.graph.initializer:
        tensor.name = short(tensor.name)
    for node in made.graph.node:
        node.name, node.doc_string = "", ""
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
    del made.graph.value_info[:]
    made.doc_string = ""


def lively(module):
    """Random weights under which outputs follow their inputs: networks that are initialised to answer zero would test nothing."""
    generator = torch.Generator().manual_seed(12)
    for name, value in module.named_parameters():
        if value.dim() > 1:
            value.data = torch.randn(value.shape, generator=generator) * (1.6 / value[0].numel()) ** 0.5
    return module


def likeness(file, name):
    """Words on how far a graph's operators are those of its twin; none where the twin is not beside these scripts."""
    twin = FOLDER / f"{name}.onnx"
    if not twin.is_file():
        return ""
    count = lambda path: collections.Counter(node.op_type for node in onnx.load(path, load_external_data=False).graph.node)
    mine, twins = count(file), count(twin)
    if mine == twins:
        return f"; {mine.total()} operators as in its twin"
    return f"; {mine.total()} operators; more than its twin: {dict(mine - twins)}, fewer: {dict(twins - mine)}"


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for name, graph in GRAPHS.items():
        torch.manual_seed(7)
        module, file = lively(graph.build(networks.TWIN)), folder / f"{name}.onnx"
        wanted = onnx_file.references(graph, module, BATCHES)
        with tempfile.TemporaryDirectory() as work:
            # A trace of where weights lay stays in a file's bytes: the shipped ones were made with this.
            onnx_file.write(graph, module, Path(work, f"{name}.onnx"), torch.float16, beside=1024)
            made = onnx.load(Path(work, f"{name}.onnx"))
        shorten(made)
        onnx.save_model(made, file)
        for line in onnx_file.compare(graph, wanted, file, torch.float16):
            print(f"{name:13} {line}")
        total += file.stat().st_size
        print(f"{name:13} {file.stat().st_size:7} bytes, {len(made.graph.node)} nodes, "
              f"{hashlib.sha256(file.read_bytes()).hexdigest()}", flush=True)
    if total > MOST_BYTES:
        raise SystemExit(f"the twins take {total} bytes, more than {MOST_BYTES}")


if __name__ == "__main__":
    main()
