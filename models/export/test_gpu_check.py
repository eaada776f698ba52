"""Tests of gpu_check: what is counted, what is calculated, what is said. `python -m unittest discover -s models/export`"""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "gpu_check")]

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import torch

import networks
import onnx_file
import projection
import report
import runners
import work
from graphs import GRAPHS


def small_graph():
    """[b, 4, 8, 8] -> a convolution with 2 groups, then a product with a 8x5 matrix."""
    kernel = numpy_helper.from_array(np.ones((6, 2, 3, 3), np.float16), "kernel")
    matrix = numpy_helper.from_array(np.ones((8, 5), np.float16), "matrix")
    nodes = [helper.make_node("Conv", ["x", "kernel"], ["c"], group=2, pads=[1, 1, 1, 1]), helper.make_node("Relu", ["c"], ["r"]),
             helper.make_node("MatMul", ["r", "matrix"], ["y"])]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT16, shape)
    graph = helper.make_graph(nodes, "g", [value("x", ["batch", 4, 8, 8])], [value("y", ["batch", 6, 8, 5])], [kernel, matrix])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


class Counting(unittest.TestCase):
    def test_operations_and_bytes_are_those_of_the_formulas(self):
        counted = work.count(small_graph(), {"x": [3, 4, 8, 8]})
        conv, product = 2 * (3 * 6 * 8 * 8) * (2 * 3 * 3), 2 * (3 * 6 * 8 * 5) * 8
        self.assertEqual(counted.by_op, {"Conv": (1, conv), "MatMul": (1, product)})
        self.assertEqual(counted.flops, conv + product)
        self.assertEqual(counted.weight_bytes, 2 * (6 * 2 * 9 + 8 * 5))
        # x and c; r and y: two bytes a value.
        self.assertEqual(counted.moved_bytes, 2 * 3 * (4 * 64 + 6 * 64 + 6 * 64 + 6 * 8 * 5))

    def test_what_cannot_be_counted_is_refused(self):
        made = small_graph()
        made.graph.node[1].op_type = "Unknown"
        made.graph.node[1].domain = "nobody"
        with self.assertRaisesRegex(ValueError, "'[ry]' cannot be told"):
            work.count(made, {"x": [1, 4, 8, 8]})

    def test_the_twins_count_as_pytorch_counts_them(self):
        for name, graph in GRAPHS.items():
            counted = work.of_file(HERE.parent / "twins" / f"{name}.onnx", graph, 2)
            self.assertAlmostEqual(counted.flops / work.by_pytorch(graph, networks.TWIN, 2), 1, delta=0.02, msg=name)


class Projecting(unittest.TestCase):
    def test_a_device_that_is_at_its_floor_projects_a_t4_at_its_floor(self):
        here = projection.Ceilings(flops=650e12, bytes=3200e9)
        told = projection.project(0.001, 0.65e12, 1e9, here, share=0.5)
        self.assertAlmostEqual(told["lost"], 1)
        self.assertAlmostEqual(told["floor_t4_s"], 0.01)
        self.assertAlmostEqual(told["t4_s"][0], 0.01)
        self.assertAlmostEqual(told["t4_s"][1], 0.02)

    def test_memory_binds_where_it_is_slower_than_arithmetic(self):
        self.assertAlmostEqual(projection.t4().floor(65e9, 3.2e9), 0.01)
        self.assertAlmostEqual(projection.t4().floor(6.5e12, 3.2e9), 0.1)

    def test_streams_are_calls_over_their_time(self):
        self.assertAlmostEqual(projection.streams([0.02, 0.02], batch=4, rate=25), 4)


def figures(gpu):
    """As __main__ collects them."""
    row = lambda graph, seconds: {"graph": graph, "batch": 2, "precision": "FP16", "ready_s": 1.0, "apart": "largest difference 0.001", "fine": True,
                                  "seconds": seconds, "seconds_90": seconds, "calls": 3, "gpu_bytes": 10, "process_bytes": 10}
    one = {"flops": 10**11, "by_op": {"Conv": [1, 10**11]}, "weight_bytes": 10**8, "moved_bytes": 10**7, "pytorch_flops": 10**11}
    device = {"name": "a GPU", "compute_capability": "9.0", "memory_bytes": 2**34, "cuda": "13.0", "cudnn": "9"} if gpu else None
    told = {"machine": {"processor": "a processor", "cores": 2, "python": "3", "packages": {}, "gpu": device}, "sizes": "full",
            "batches": [2], "t4_share": 0.6, "work": {"unet": one, "vae_decoder": one},
            "ceilings": {"flops": 1e14, "bytes": 1e12, "of": "products"},
            "runners": {"pytorch": {"what": "PyTorch", "rows": [row("unet", 0.004), row("vae_decoder", 0.006)], "not_run": None},
                        "tensorrt": {"what": "TensorRT", "rows": [], "not_run": "its libraries are missing"}}}
    told["projection"] = list(report.projections(told))
    return told


class Reporting(unittest.TestCase):
    def test_a_gpu_is_projected_and_the_projection_is_called_one(self):
        text = "\n".join(report.lines(figures(gpu=True)))
        for words in ("GPU: a GPU", "PROJECTION for a T4, NOT A MEASUREMENT", "not run: tensorrt"):
            self.assertIn(words, text)
        # 2 x 0.1 TFLOP in 4 ms.
        line = next(line for line in text.splitlines() if line.startswith("unet") and "4.00" in line)
        self.assertIn(" 50 ", line)
        first = figures(gpu=True)["projection"][0]
        self.assertAlmostEqual(first["t4_s"][0], 2 * 10**11 / 65e12 * (0.004 + 0.006) / 0.002)

    def test_without_a_gpu_it_is_said_and_nothing_is_projected(self):
        told = figures(gpu=False)
        text = "\n".join(report.lines(told))
        self.assertEqual(told["projection"], [])
        self.assertIn("No GPU was there", text)
        self.assertNotIn("PROJECTION", text)


class Binding(unittest.TestCase):
    def test_answers_have_the_sizes_that_are_bound(self):
        for name, graph in GRAPHS.items():
            examples = graph.examples(3, torch.float32)
            twin = HERE.parent / "twins" / f"{name}.onnx"
            found = onnx_file.session(twin).run(None, onnx_file.given(examples, torch.float16))[0]
            self.assertEqual(list(found.shape), runners.answer_shape(graph, examples), name)


class Running(unittest.TestCase):
    """The command itself, on a small graph of the twins."""

    def check(self, *words):
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, "-B", str(HERE / "gpu_check"), "--tiny", "--graphs", "tiny_decoder", "--out", out, *words]
            run = subprocess.run(command, capture_output=True, text=True)
            file = Path(out, "gpu_check.json")
            return run, json.loads(file.read_text()) if file.is_file() else None

    def test_it_compares_and_times_what_is_here(self):
        run, told = self.check("--by", "pytorch,cpu,tensorrt-rtx", "--batches", "1,2", "--calls", "1")
        self.assertEqual(run.returncode, 0, run.stderr)
        rows = told["runners"]["cpu"]["rows"]
        self.assertEqual([(row["batch"], row["fine"], row["seconds"] > 0) for row in rows], [(1, True, True), (2, True, True)])
        if told["machine"]["gpu"] is None:
            self.assertEqual(told["runners"]["tensorrt-rtx"]["not_run"], "no GPU is here")
            self.assertIn("No GPU was there", run.stdout)

    def test_what_nobody_knows_is_refused(self):
        run, told = self.check("--by", "abacus")
        self.assertEqual((run.returncode, told), (2, None))
        self.assertIn("there is no runner 'abacus'", run.stderr)


if __name__ == "__main__":
    unittest.main()
