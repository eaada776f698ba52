"""What runs a network: each in a process of its own, so that one that cannot start, or crashes, costs only its own lines.

usage: runners.py JOB.json

The job: {"by", "graphs": {name: file}, "references": {name: file.npz}, "batches", "calls", "sizes"}. A line of JSON is printed for each
graph and batch; {"failed": sentence} for a graph that does not go on, {"absent": sentence} where the runner itself is not here.
"""
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parent.parent)]
import machine
import networks
import onnx_file
import twins
from graphs import GRAPHS

# What each is, and whether it needs a GPU.
RUNNERS = {
    "pytorch": ("PyTorch, FP16 on a GPU, FP32 on a processor", False),
    "pytorch-graph": ("the same, its kernels captured once as a CUDA graph and replayed", True),
    "cpu": ("ONNX Runtime on the processor", False),
    "cuda": ("ONNX Runtime's CUDA provider", True),
    "cuda-graph": ("the same as a CUDA graph, values bound on the device", True),
    "tensorrt": ("ONNX Runtime's TensorRT provider; builds an engine first, minutes", True),
    "tensorrt-rtx": ("TensorRT for RTX by its plugin for ONNX Runtime; compiles while it loads", True),
}
FP16 = torch.float16
TORCH = ("pytorch", "pytorch-graph")


class Absent(Exception):
    """What is needed is not on this machine."""


def by_torch(by, graph, module, examples):
    """A call that gives the output, as a tensor on the device."""
    device = machine.device()
    kind = FP16 if device == "cuda" else torch.float32
    inputs = [value.to(device, kind) if name == "mouth" else value.to(device) for name, value in examples.items()]

    def call():
        with torch.inference_mode():
            return module(*inputs)

    if by == "pytorch":
        return call
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(side)
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        output = call()

    def replay():
        captured.replay()
        return output
    return replay


def provider(by, work):
    """ONNX Runtime's name for it, and its options."""
    if by.startswith("cuda"):
        return "CUDAExecutionProvider", {"enable_cuda_graph": "1"} if by == "cuda-graph" else {}
    if by == "tensorrt":
        return "TensorrtExecutionProvider", {"trt_fp16_enable": "1", "trt_timing_cache_enable": "1", "trt_timing_cache_path": str(work)}
    return "CPUExecutionProvider", {}


def session(by, file, examples, work):
    """Of one batch: with fixed shapes, as the worker's profiles are."""
    import onnxruntime as rt
    options = rt.SessionOptions()
    options.log_severity_level = 3
    options.add_free_dimension_override_by_name("batch", len(next(iter(examples.values()))))
    if "mel" in examples:
        options.add_free_dimension_override_by_name("frames", examples["mel"].shape[2])
    if by == "tensorrt-rtx":
        return plugin_session(rt, options, file)
    name, settings = provider(by, work)
    if name not in rt.get_available_providers():
        raise Absent(f"this ONNX Runtime ({rt.__version__}) was built without {name}: install onnxruntime-gpu instead")
    if hasattr(rt, "preload_dlls"):
        # CUDA's and cuDNN's libraries of the Python packages beside PyTorch.
        rt.preload_dlls()
    runner = rt.InferenceSession(str(file), options, providers=[(name, settings)])
    # A provider whose libraries are missing is left out in silence.
    if runner.get_providers()[0] != name:
        raise Absent(f"{name} does not start: its libraries are not all on this machine")
    return runner


def plugin_session(rt, options, file):
    try:
        import onnxruntime_ep_nv_tensorrt_rtx as plugin
    except ImportError:
        raise Absent("the package onnxruntime-ep-nv-tensorrt-rtx-cu13 (or -cu12) is not installed") from None
    name = plugin.get_ep_name()
    if not any(device.ep_name == name for device in rt.get_ep_devices()):
        rt.register_execution_provider_library(name, plugin.get_library_path())
    devices = [device for device in rt.get_ep_devices() if device.ep_name == name]
    if not devices:
        raise Absent(f"{name} supports no GPU of this machine")
    options.add_provider_for_devices(devices[:1], {})
    return rt.InferenceSession(str(file), options)


def answer_shape(graph, examples):
    """Sizes of a graph's answer to these inputs."""
    free = [len(next(iter(examples.values())))] + ([examples["mel"].shape[2] // 2] if "mel" in examples else [])
    return [size or free.pop(0) for size in onnx_file.PROMISED[graph.outputs[0]][1]]


def by_onnxruntime(by, graph, file, examples, work):
    """A call that gives the output as an array (`cuda-graph`: on the device)."""
    runner = session(by, file, examples, work)
    inputs = onnx_file.given(examples, FP16)
    if by != "cuda-graph":
        return lambda: runner.run(graph.outputs, inputs)[0]
    import onnxruntime as rt
    # What was captured reads and writes the same places for ever.
    binding = runner.io_binding()
    held = [rt.OrtValue.ortvalue_from_numpy(value, "cuda", 0) for value in inputs.values()]
    for name, value in zip(inputs, held):
        binding.bind_ortvalue_input(name, value)
    output = runner.get_outputs()[0]
    kind = {"tensor(uint8)": np.uint8, "tensor(float16)": np.float16, "tensor(float)": np.float32}[output.type]
    place = rt.OrtValue.ortvalue_from_shape_and_type(answer_shape(graph, examples), kind, "cuda", 0)
    binding.bind_ortvalue_output(output.name, place)

    def call():
        runner.run_with_iobinding(binding)
        return place
    call.held = held
    return call


def array(value):
    if isinstance(value, np.ndarray):
        return value
    return value.cpu().numpy() if isinstance(value, torch.Tensor) else value.numpy()


class Runner:
    """One job."""

    def __init__(self, job, work):
        self.job, self.by, self.work = job, job["by"], work
        if RUNNERS[self.by][1] and not torch.cuda.is_available():
            raise Absent("no GPU is here")
        self.before = machine.gpu_used() if torch.cuda.is_available() else 0

    def module(self, graph):
        """The network with the very weights that the graph was written with: the seeds of twins.lively and export.py."""
        torch.manual_seed(7)
        built = twins.lively(graph.build(networks.TWIN if self.job["sizes"] == "twin" else networks.FULL))
        return built.to(machine.device(), FP16 if machine.device() == "cuda" else torch.float32)

    def call(self, name, module, examples):
        if self.by in TORCH:
            return by_torch(self.by, GRAPHS[name], module, examples)
        return by_onnxruntime(self.by, GRAPHS[name], self.job["graphs"][name], examples, self.work)

    def lines(self):
        for name in self.job["graphs"]:
            try:
                yield from self.graph(name)
            except Absent:
                raise
            except Exception as e:   # whatever a provider throws costs this graph's lines
                told = " ".join(str(e).split())
                yield {"failed": f"{name}: {type(e).__name__}: {told[:300]}"}
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def graph(self, name):
        graph = GRAPHS[name]
        module = self.module(graph) if self.by in TORCH else None
        for batch in self.job["batches"]:
            yield self.batch(name, graph, module, batch)

    def batch(self, name, graph, module, batch):
        saved = np.load(self.job["references"][name])
        known = f"wanted-{batch}" in saved
        torch.manual_seed(batch)
        examples = {key: torch.from_numpy(saved[f"{key}-{batch}"]) if known else value
                    for key, value in graph.examples(batch, torch.float32).items()}
        began = time.perf_counter()
        call = self.call(name, module, examples)
        found = array(call())
        ready = time.perf_counter() - began
        kind = torch.float32 if self.by in TORCH and machine.device() == "cpu" else FP16
        row = {"graph": name, "batch": batch, "precision": "FP16" if kind == FP16 else "FP32", "ready_s": ready}
        if known:
            row["apart"], row["fine"] = onnx_file.apart(found, saved[f"wanted-{batch}"], kind)
        if self.job["calls"]:
            times = machine.timed(call, self.job["calls"])
            row |= {"seconds": statistics.median(times), "seconds_90": sorted(times)[int(0.9 * (len(times) - 1) + 0.5)],
                    "calls": len(times)}
        if torch.cuda.is_available():
            row["gpu_bytes"] = machine.gpu_used() - self.before
        else:
            row["process_bytes"] = machine.process_peak()
        return row


def main():
    job = json.loads(Path(sys.argv[1]).read_text())
    try:
        for row in Runner(job, Path(sys.argv[1]).parent).lines():
            print(json.dumps(row), flush=True)
    except Absent as e:
        print(json.dumps({"absent": str(e)}), flush=True)


if __name__ == "__main__":
    main()
