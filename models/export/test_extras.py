"""Tests of the export of what restores mouths, with random weights in the published form. `python -m unittest discover -s models/export`"""
import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import torch

import extras
import onnx_file
import restoration


class ExportingExtras(unittest.TestCase):
    def setUp(self):
        passing = tempfile.TemporaryDirectory()
        self.addCleanup(passing.cleanup)
        self.models = Path(passing.name)
        torch.manual_seed(5)
        weights = self.models / extras.FILES["restoration"]
        weights.parent.mkdir()
        torch.save({"params": restoration.Compact().state_dict()}, weights)
        self.graph = self.models / "graphs" / "restoration.onnx"

    def made(self, *words):
        """What it said, and how it ended."""
        said, before = io.StringIO(), sys.argv
        sys.argv = ["extras.py", str(self.models), "--graphs", "restoration", *words]
        try:
            with contextlib.redirect_stdout(said):
                extras.main()
            return said.getvalue(), 0
        except SystemExit as e:
            return said.getvalue(), e.code
        finally:
            sys.argv = before

    def test_a_graph_is_made_once_of_the_same_weights_and_told_of(self):
        said, code = self.made()
        self.assertEqual(code, 0, said)
        told = json.loads((self.graph.parent / "graphs.json").read_text())["restoration"]
        self.assertEqual((told["of"], told["weights"]), ("realesr-general-x4v3.pth", ""))
        self.assertEqual(told["graph"], extras.export.sha256(self.graph))
        self.assertEqual(sorted(path.name for path in self.graph.parent.iterdir()), ["graphs.json", "restoration.onnx"])
        picture = {"picture": torch.randint(0, 256, (3, 128, 128, 3), dtype=torch.uint8).numpy()}
        self.assertEqual(onnx_file.session(self.graph).run(None, picture)[0].shape, (3, 256, 256, 3))
        self.assertEqual(self.made(), ("restoration: here, and right\n", 0))
        self.graph.write_bytes(b"damaged")
        said, code = self.made()
        self.assertTrue(code == 0 and "batch 3" in said, said)

    def test_what_is_missing_or_damaged_is_named(self):
        self.assertIn("esrgan-slim-1.0.0.tgz is missing", self.made("--restoration", "esrgan-slim")[1])
        self.assertEqual(self.made("--graphs", "vnet")[1], 2)


if __name__ == "__main__":
    unittest.main()
