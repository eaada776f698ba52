"""From a PyTorch module to an ONNX file, and the comparison of both."""
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

OPSET = 17
# How far the precision alone may move an output: of bytes in steps of 255, of others relative to their largest value.
TOLERANCE = {torch.float32: (1, 1e-4), torch.float16: (6, 2e-2)}


def write(graph, module, file, kind):
    """Writes `module` in precision `kind`: the graph to `file`, all its weights to `file`.data."""
    examples = graph.examples(2, kind)
    with tempfile.TemporaryDirectory(dir=Path(file).parent) as folder, torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")   # the tracer's doubts about shapes that are fixed here
        raw = os.path.join(folder, "raw.onnx")
        torch.onnx.export(module.to(kind), tuple(examples.values()), raw, input_names=list(examples), output_names=graph.outputs,
                          dynamic_axes=graph.axes, opset_version=OPSET, dynamo=False, do_constant_folding=True)
        made = onnx.load(raw)
    name_outputs(made, graph)
    data = Path(file).name + ".data"
    Path(file).with_name(data).unlink(missing_ok=True)
    onnx.save_model(made, file, save_as_external_data=True, all_tensors_to_one_file=True, location=data, size_threshold=1024)
    onnx.checker.check_model(file)


def name_outputs(made, graph):
    """Writes the sizes of outputs that the tracer left open."""
    fixed = {"picture": (256, 256, 3), "latents": (8, 32, 32), "mouth": (4, 32, 32), "features": (None, 5, 384)}
    for output in made.graph.output:
        for dim, size in zip(output.type.tensor_type.shape.dim[1:], fixed[output.name]):
            if size is not None:
                dim.dim_value = size


def session(file, threads=None):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads:
        options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def compare(graph, module, file, kind, batches):
    """Runs both on the same inputs; a line for each batch. `module` is in 32 bits, the file in `kind`.

    Raises ValueError when they differ by more than the precision explains.
    """
    runner, worst, lines = session(file), TOLERANCE[kind], []
    torch.manual_seed(1)
    for batch in batches:
        examples = graph.examples(batch, torch.float32)
        with torch.inference_mode():
            wanted = module.to(torch.float32)(*examples.values()).numpy()
        given = {name: value.to(kind).numpy() if name == "mouth" else value.numpy() for name, value in examples.items()}
        found = runner.run(graph.outputs, given)[0]
        if found.shape != wanted.shape:
            raise ValueError(f"{file}: batch {batch} gives {found.shape}, PyTorch {wanted.shape}")
        apart = np.abs(found.astype(np.float64) - wanted.astype(np.float64))
        if wanted.dtype == np.uint8:
            largest, typical, limit, unit = apart.max(), apart.mean(), worst[0], "of 255"
        else:
            scale = np.abs(wanted).max()
            largest, typical, limit, unit = apart.max() / scale, apart.mean() / scale, worst[1], "of the largest value"
        lines.append(f"batch {batch}: largest difference {largest:.2g}, mean {typical:.2g} {unit}")
        if not largest <= limit:
            raise ValueError(f"{file}: {lines[-1]}, more than {limit} that rounding explains")
    return lines
