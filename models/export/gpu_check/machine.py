"""What this machine is, and the most that it reaches: a large matrix product, a large copy."""
import platform
import statistics
import time
from importlib import metadata

import torch

PACKAGES = ("torch", "onnx", "onnxruntime", "onnxruntime-gpu", "diffusers", "tensorrt", "onnxruntime-ep-nv-tensorrt-rtx-cu12",
            "onnxruntime-ep-nv-tensorrt-rtx-cu13")


def version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def processor():
    """The processor's name, as the system tells it."""
    try:
        with open("/proc/cpuinfo") as f:
            names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def facts():
    """For the report: the device's name, and the versions of what is measured."""
    import os
    told = {"processor": processor(), "cores": os.cpu_count(), "python": platform.python_version(),
            "packages": {name: found for name in PACKAGES if (found := version(name))}, "gpu": None}
    if torch.cuda.is_available():
        gpu = torch.cuda.get_device_properties(0)
        told["gpu"] = {"name": gpu.name, "compute_capability": f"{gpu.major}.{gpu.minor}", "memory_bytes": gpu.total_memory,
                       "multiprocessors": gpu.multi_processor_count, "cuda": torch.version.cuda,
                       "cudnn": str(torch.backends.cudnn.version())}
    return told


def device():
    return "cuda" if torch.cuda.is_available() else "cpu"


def wait():
    """Until the GPU has done what it was told."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def timed(call, calls, before=3):
    """Seconds of each of `calls` calls, each waited for, after `before` that are not counted."""
    for _ in range(before):
        call()
    wait()
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        call()
        wait()
        times.append(time.perf_counter() - began)
    return times


def ceilings():
    """Operations and bytes a second that PyTorch reaches here: FP16 on a GPU, FP32 on a processor. Random values: zeros are quicker."""
    gpu = device() == "cuda"
    side, kind = (8192, torch.float16) if gpu else (1024, torch.float32)
    a, b = (torch.randn(side, side, device=device(), dtype=kind) for _ in range(2))
    product = statistics.median(timed(lambda: a @ b, 10))
    # Far beyond any cache.
    source = torch.randn((1 << 28) if gpu else (1 << 25), device=device(), dtype=torch.float32)
    target = torch.empty_like(source)
    copy = statistics.median(timed(lambda: target.copy_(source), 10))
    return {"flops": 2 * side ** 3 / product, "bytes": 2 * source.nbytes / copy,
            "of": f"a product of two {side}x{side} matrices in {str(kind).removeprefix('torch.')}, "
                  f"a copy of {source.nbytes >> 20} MiB (read and written)"}


def gpu_used():
    """Bytes of the GPU that are taken, by whom ever."""
    free, total = torch.cuda.mem_get_info()
    return total - free


def process_peak():
    """The most memory that this process had, bytes: since it was started, not what it was started by (as getrusage has it)."""
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))
