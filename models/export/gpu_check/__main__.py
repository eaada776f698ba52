#!/usr/bin/env python3
"""Builds the neural engine's graphs at full size with random weights, checks FP16 against FP32, and times them on this machine's GPU.

usage: python3 models/export/gpu_check [--tiny] [--batches 1,2,4,8] [--graphs unet,vae_decoder,...] [--by pytorch,cuda,...]
                                       [--calls N] [--compare 1,2] [--out FOLDER] [--work FOLDER] [--t4-share 0.6]

Needs no weights and no network. Each of --by runs in a process of its own; what is not on this machine is said and left out. Prints a
table, and writes it with all figures to FOLDER/gpu_check.txt and gpu_check.json. --tiny takes the twins' widths: a minute, to see that
it runs. --calls 0 compares and does not time. Without a GPU it says so, and runs what the processor can.

Exits with 1 when an answer is beyond what rounding explains, or nothing ran.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np
import torch

import machine
import networks
import onnx_file
import report
import twins
import work
from graphs import GRAPHS
from projection import SHARE
from runners import RUNNERS

# No runner takes longer: building TensorRT's engines of all shapes is what takes long.
PATIENCE = 3600


def numbers(text):
    return [int(number) for number in text.split(",")]


def arguments():
    words = argparse.ArgumentParser(prog="gpu_check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--tiny", action="store_true", help="the twins' widths")
    words.add_argument("--batches", type=numbers, default=[1, 2, 4, 8])
    words.add_argument("--graphs", default=",".join(GRAPHS))
    words.add_argument("--by", help=f"of {', '.join(RUNNERS)}; by default all that this machine may have")
    words.add_argument("--calls", type=int, help="timed calls of each; 30 by default, 5 without a GPU; 0: only compare")
    words.add_argument("--compare", type=numbers, default=[1, 2], help="batches that are compared with FP32; of --batches")
    words.add_argument("--out", type=Path, default=Path("gpu_check_out"))
    words.add_argument("--work", type=Path, help="keeps the graphs in this folder; otherwise they go when this ends")
    words.add_argument("--t4-share", type=float, default=SHARE, help="the least share of its data sheet's rates that a T4 holds")
    asked = words.parse_args()
    gpu = torch.cuda.is_available()
    asked.by = asked.by.split(",") if asked.by else [by for by in RUNNERS if (by != "cpu" if gpu else not RUNNERS[by][1])]
    asked.graphs = asked.graphs.split(",")
    asked.calls = (30 if gpu else 5) if asked.calls is None else asked.calls
    for kind, named, known in (("graph", asked.graphs, GRAPHS), ("runner", asked.by, RUNNERS)):
        for name in named:
            if name not in known:
                words.error(f"there is no {kind} '{name}': there are {', '.join(known)}")
    if not 0 < asked.t4_share <= 1 or asked.calls < 0 or not all(1 <= batch <= 64 for batch in asked.batches):
        words.error("--t4-share lies in 0..1, --calls is not negative, batches are 1 to 64")
    return asked


def say(words):
    print(words, file=sys.stderr, flush=True)


def build(name, asked, folder):
    """Writes a graph in FP16 and what PyTorch makes of its inputs in 32 bits; its file, that of the answers, its work."""
    graph, sizes, device = GRAPHS[name], networks.TWIN if asked.tiny else networks.FULL, machine.device()
    began = time.monotonic()
    # The runners draw the same again.
    torch.manual_seed(7)
    module = twins.lively(graph.build(sizes)).to(device)
    saved = {}
    for examples, wanted in onnx_file.references(graph, module, [b for b in asked.compare if b in asked.batches], device):
        saved |= {f"{key}-{len(wanted)}": value.numpy() for key, value in examples.items()} | {f"wanted-{len(wanted)}": wanted}
    answers, file = folder / f"{name}.npz", folder / f"{name}.onnx"
    np.savez(answers, **saved)
    onnx_file.write(graph, module.to("cpu"), file, torch.float16)
    del module
    if device == "cuda":
        torch.cuda.empty_cache()
    if not asked.tiny:
        # The twins are so small that their weights may lie in the graph itself.
        onnx_file.check_form(graph, file, torch.float16)
    counted = work.of_file(file, graph, 1)
    told = {"flops": counted.flops, "by_op": counted.by_op, "weight_bytes": counted.weight_bytes, "moved_bytes": counted.moved_bytes,
            "pytorch_flops": work.by_pytorch(graph, sizes, 1), "operators": twins.likeness(file, name).removeprefix("; ")}
    say(f"{name}: {counted.flops / 1e9:.3f} GFLOP a frame, {counted.weight_bytes / 1e6:.1f} MB of weights, "
        f"built in {time.monotonic() - began:.0f} s")
    return file, answers, told


def run(by, asked, folder, files, answers):
    """One runner's rows, and why it ended where it did not end well."""
    job = folder / f"{by}.json"
    job.write_text(json.dumps({"by": by, "graphs": files, "references": answers, "batches": asked.batches, "calls": asked.calls,
                               "sizes": "twin" if asked.tiny else "full"}))
    rows, reasons = [], []
    child = subprocess.Popen([sys.executable, str(HERE / "runners.py"), str(job)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
    try:
        said, errors = child.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        said, errors = child.communicate()
        reasons.append(f"it took longer than {PATIENCE} s")
    except BaseException:
        child.kill()
        raise
    for line in said.splitlines():
        # What a library prints is none of ours.
        told = json.loads(line) if line.startswith('{"') else {}
        if "graph" in told:
            rows.append(told)
        elif told:
            reasons.append(told.get("absent") or told.get("failed") or line)
    if child.returncode and not reasons:
        last = errors.strip().splitlines()[-1:] or ["nothing was said"]
        reasons.append(f"it ended with {child.returncode} after {len(rows)} measurements: {last[0][:300]}")
    reason = "; ".join(reasons) or None
    say(f"{by}: {len(rows)} measurements" + (f"; not run: {reason}" if reason else ""))
    return {"what": RUNNERS[by][0], "rows": rows, "not_run": reason}


def check(asked, folder):
    """Everything, as the JSON tells it."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    told = {"when": datetime.now(timezone.utc).isoformat(timespec="seconds"), "machine": machine.facts(),
            "sizes": "twin" if asked.tiny else "full", "batches": asked.batches, "t4_share": asked.t4_share}
    files, answers, told["work"] = {}, {}, {}
    for name in asked.graphs:
        file, wanted, told["work"][name] = build(name, asked, folder)
        files[name], answers[name] = str(file), str(wanted)
    told["ceilings"] = machine.ceilings()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    told["runners"] = {by: run(by, asked, folder, files, answers) for by in asked.by}
    told["projection"] = list(report.projections(told, asked.t4_share))
    return told


def main():
    asked = arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    if not torch.cuda.is_available():
        say("no GPU is here: only what a processor can do is done")
    with tempfile.TemporaryDirectory() as passing:
        folder = asked.work or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        told = check(asked, folder.resolve())
    text = "\n".join(report.lines(told))
    print(text)
    (asked.out / "gpu_check.txt").write_text(text + "\n")
    (asked.out / "gpu_check.json").write_text(json.dumps(told, indent=1) + "\n")
    rows = [row for runner in told["runners"].values() for row in runner["rows"]]
    if not rows or not all(row.get("fine", True) for row in rows):
        raise SystemExit("an answer is beyond what rounding explains" if rows else "nothing ran")


if __name__ == "__main__":
    main()
