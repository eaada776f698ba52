"""From a PyTorch module to an ONNX file, and the comparison of both."""
import contextlib
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

OPSET = 17
# How far precision alone, of weights and of what goes through them, may move an output, the largest difference and the mean one: of
# bytes, and of others relative to their largest value. Another network is further off by ten times the mean at least.
TOLERANCE = {torch.float32: ((1, 0.05), (1e-3, 5e-5)), torch.float16: ((16, 0.5), (2e-2, 2e-3))}
# Weights of so many bytes lie beside the graph.
BESIDE = 256
U8, F32 = onnx.TensorProto.UINT8, onnx.TensorProto.FLOAT
# What the worker relies on (worker/musetalk/src/networks.rs): types, `None` the graph's own precision, and sizes, `None` free.
PROMISED = {
    "latents": (F32, (None, 8, 32, 32)), "sound": (F32, (None, 50, 384)), "mouth": (None, (None, 4, 32, 32)),
    "picture": (U8, (None, 256, 256, 3)), "mel": (F32, (None, 80, None)), "features": (F32, (None, None, 5, 384)),
}


@contextlib.contextmanager
def quick_half_convolutions():
    """On a processor PyTorch's 16-bit convolutions take forty times as long as its 32-bit ones: an hour for the full decoder. Within this they
    are calculated in 32 bits. What is traced is the same: the tracer records the convolution, not how it is calculated."""
    def forward(picture, kernel, _, bias, stride, padding):
        # By name: what chooses between ways of calculating could choose this one.
        made = torch.ops.aten.mkldnn_convolution(picture.float(), kernel.float(), None if bias is None else bias.float(), padding,
                                                 stride, [1, 1], 1)
        return made.to(picture.dtype)

    if not torch.backends.mkldnn.is_available():
        yield
        return
    library = torch.library.Library("aten", "IMPL")
    library.impl("_slow_conv2d_forward", forward, "CPU")
    try:
        yield
    finally:
        library._destroy()


def write(graph, module, file, kind, beside=BESIDE):
    """Writes `module` in precision `kind`: the graph to `file`, its weights of `beside` bytes and more to `file`.data."""
    examples = graph.examples(2, kind)
    with tempfile.TemporaryDirectory(dir=Path(file).parent) as folder, torch.inference_mode(), warnings.catch_warnings(), \
            quick_half_convolutions():
        warnings.simplefilter("ignore")   # the tracer's doubts about shapes that are fixed here
        raw = os.path.join(folder, "raw.onnx")
        torch.onnx.export(module.to(kind), tuple(examples.values()), raw, input_names=list(examples), output_names=graph.outputs,
                          dynamic_axes=graph.axes, opset_version=OPSET, dynamo=False, do_constant_folding=True)
        made = onnx.load(raw)
    name_outputs(made, graph)
    data = Path(file).name + ".data"
    Path(file).with_name(data).unlink(missing_ok=True)
    onnx.save_model(made, file, save_as_external_data=True, all_tensors_to_one_file=True, location=data, size_threshold=beside)
    onnx.checker.check_model(file)


def name_outputs(made, graph):
    """Writes the sizes of outputs that the tracer left open."""
    for output in made.graph.output:
        for dim, size in zip(output.type.tensor_type.shape.dim[1:], PROMISED[output.name][1][1:]):
            if size is not None:
                dim.dim_value = size


def session(file, threads=None):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads:
        options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def references(graph, module, batches, device="cpu"):
    """Inputs of each batch, and what PyTorch makes of them in 32 bits: [(name -> tensor, array)]. `module` is in 32 bits, on `device`."""
    torch.manual_seed(1)
    made = []
    for batch in batches:
        examples = graph.examples(batch, torch.float32)
        with torch.inference_mode():
            made.append((examples, module(*(value.to(device) for value in examples.values())).cpu().numpy()))
    return made


def given(examples, kind):
    """Inputs as a graph of this precision takes them."""
    return {name: value.to(kind).numpy() if name == "mouth" else value.numpy() for name, value in examples.items()}


def apart(found, wanted, kind, tolerance=None):
    """How far two answers are apart, as a sentence, and whether precision explains it. `tolerance`: another than that of `kind`."""
    difference, whole = np.abs(found.astype(np.float64) - wanted.astype(np.float64)), wanted.dtype == np.uint8
    scale, unit = (1, "of 255") if whole else (np.abs(wanted).max(), "of the largest value")
    largest, mean = difference.max() / scale, difference.mean() / scale
    limits = (tolerance or TOLERANCE[kind])[0 if whole else 1]
    # A value that is no number is not within anything.
    return f"largest difference {largest:.2g}, mean {mean:.2g} {unit}", bool(largest <= limits[0] and mean <= limits[1])


def compare(graph, wanted, file, kind, tolerance=None):
    """Runs the file on the inputs of `references`; a line for each batch. `tolerance`: another than that of its precision.

    Raises ValueError when the answers differ by more than the precision explains.
    """
    runner, lines = session(file), []
    for examples, wants in wanted:
        batch = len(next(iter(examples.values())))
        found = runner.run(graph.outputs, given(examples, kind))[0]
        if found.shape != wants.shape:
            raise ValueError(f"{file}: batch {batch} gives {found.shape}, PyTorch {wants.shape}")
        told, fine = apart(found, wants, kind, tolerance)
        lines.append(f"batch {batch}: {told}")
        if not fine:
            raise ValueError(f"{file}: {lines[-1]}, more than rounding explains")
    return lines


def check_form(graph, file, kind):
    """Raises ValueError where a written graph is not what the worker is promised: its inputs and outputs, one free batch, its inner
    precision, all weights but the smallest in one file beside it."""
    made = onnx.load(file, load_external_data=False)
    float_kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype("float16" if kind == torch.float16 else "float32"))
    wanted = {name: (PROMISED[name][0] or float_kind, PROMISED[name][1]) for name in [*graph.inputs, *graph.outputs]}
    for value in [*made.graph.input, *made.graph.output]:
        tensor = value.type.tensor_type
        shape = tuple(dim.dim_value or None for dim in tensor.shape.dim)
        if (tensor.elem_type, shape) != wanted.pop(value.name, None):
            raise ValueError(f"{file}: '{value.name}' has type {tensor.elem_type} and shape {shape}")
        if tensor.shape.dim[0].dim_param != "batch":
            raise ValueError(f"{file}: the first dimension of '{value.name}' is not the free 'batch'")
    if wanted:
        raise ValueError(f"{file}: there is no {', '.join(wanted)}")
    if {entry.domain for entry in made.opset_import} - {"", "ai.onnx"}:
        raise ValueError(f"{file}: it has operators that are not ONNX's own")
    places = set()
    for tensor in made.graph.initializer:
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE) and float_kind != tensor.data_type and len(tensor.dims) > 1:
            raise ValueError(f"{file}: the weights '{tensor.name}' are not in the graph's precision")
        places |= {entry.value for entry in tensor.external_data if entry.key == "location"}
    if places != {Path(file).name + ".data"}:
        raise ValueError(f"{file}: its weights lie in {', '.join(sorted(places)) or 'the graph itself'}, not in one file beside it")
