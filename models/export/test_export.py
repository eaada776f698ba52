"""Tests of the export, with weights of the twins' widths. `python -m unittest discover -s models/export`"""
import contextlib
import io
import json
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import numpy as np
import onnx
import torch

import export
import networks
import onnx_file
import twin_weights
import weights
from graphs import GRAPHS


class Exporting(unittest.TestCase):
    def setUp(self):
        passing = tempfile.TemporaryDirectory()
        self.addCleanup(passing.cleanup)
        self.models = Path(passing.name)
        self.nets = twin_weights.write(self.models)
        self.graphs = self.models / "graphs"

    def run_export(self, *words):
        """What it said, and how it ended."""
        said, before = io.StringIO(), sys.argv
        sys.argv = ["export.py", str(self.models), "--twin", *words]
        try:
            with contextlib.redirect_stdout(said):
                export.main()
            return said.getvalue(), 0
        except SystemExit as e:
            return said.getvalue(), e.code
        finally:
            sys.argv = before

    def made(self, *words):
        """What it said when it did what it should."""
        said, code = self.run_export(*words)
        self.assertEqual(code, 0, said)
        return said

    def there(self):
        return sorted(path.name for path in self.graphs.iterdir())

    def test_published_forms_come_back_as_the_networks_that_they_were_taken_from(self):
        for name, net in self.nets.items():
            loaded = weights.load(name, self.models / weights.FILES[name], networks.TWIN)
            for key, value in net.state_dict().items():
                self.assertTrue(torch.equal(value, loaded.state_dict()[key]), f"{name}: {key}")

    def test_all_graphs_are_made_with_one_file_of_weights_each_and_run_every_profile(self):
        self.made()
        names = [f"{name}.onnx{end}" for name in GRAPHS for end in ("", ".data")]
        self.assertEqual(self.there(), sorted([*names, "graphs.json"]))
        for name, graph in GRAPHS.items():
            file = self.graphs / f"{name}.onnx"
            onnx_file.check_form(graph, file, torch.float16)
            runner = onnx_file.session(file)
            for batch in (1, 2, 4, 8):
                answer = runner.run(None, onnx_file.given(graph.examples(batch, torch.float32), torch.float16))[0]
                self.assertEqual(answer.shape[0], batch, name)
        decoded = onnx.load(self.graphs / "vae_decoder.onnx").graph.output[0]
        self.assertEqual(decoded.type.tensor_type.elem_type, onnx.TensorProto.UINT8)

    def test_the_graph_is_what_the_weights_make_of_it(self):
        self.made("--graphs", "vae_encoder", "--precision", "fp32")
        graph = GRAPHS["vae_encoder"]
        (examples, wanted), = onnx_file.references(graph, graph.module(self.nets["vae_decoder"]).eval(), (2,))
        found = onnx_file.session(self.graphs / "vae_encoder.onnx").run(None, onnx_file.given(examples, torch.float32))[0]
        told, fine = onnx_file.apart(found, wanted, torch.float32)
        self.assertTrue(fine, told)

    def test_what_is_there_and_right_is_not_made_again(self):
        self.made("--graphs", "tiny_decoder")
        file = self.graphs / "tiny_decoder.onnx"
        made = file.stat().st_mtime_ns
        self.assertIn("here, and right", self.made("--graphs", "tiny_decoder"))
        self.assertEqual(file.stat().st_mtime_ns, made)
        for change in (lambda: file.write_bytes(b"damaged"), lambda: (self.graphs / "graphs.json").write_text("damaged"),
                       lambda: twin_weights.save_file({key: value + 1 for key, value in self.nets["tiny_decoder"].state_dict().items()},
                                                      self.models / weights.FILES["tiny_decoder"])):
            change()
            self.assertNotIn("here, and right", self.made("--graphs", "tiny_decoder"))
        self.assertNotIn("here, and right", self.made("--graphs", "tiny_decoder", "--again"))

    def test_what_does_not_hold_the_weights_is_named_and_nothing_is_written(self):
        file = self.models / weights.FILES["whisper"]
        for spoil in (lambda: file.write_bytes(b"no weights"), lambda: file.write_bytes(b""),
                      lambda: torch.save({"model_state_dict": {}}, file)):
            spoil()
            said, code = self.run_export("--graphs", "whisper")
            self.assertIn("does not hold the weights of whisper", str(code))
            self.assertEqual(self.there(), [])
        file.unlink()
        _, code = self.run_export("--graphs", "whisper")
        self.assertIn("tiny.pt is missing: mouthpiece models fetch", str(code))

    def test_convolutions_that_are_calculated_in_32_bits_are_traced_as_before(self):
        graph, module = GRAPHS["tiny_decoder"], GRAPHS["tiny_decoder"].build(networks.TWIN)
        onnx_file.write(graph, module, self.models / "quick.onnx", torch.float16)
        with unittest.mock.patch.object(onnx_file, "quick_half_convolutions", contextlib.nullcontext):
            onnx_file.write(graph, module, self.models / "slow.onnx", torch.float16)
        quick, slow = (onnx.load(self.models / f"{name}.onnx").graph for name in ("quick", "slow"))
        self.assertEqual(quick, slow)
        with torch.inference_mode():
            half, before = torch.randn(1, 3, 8, 8).half(), torch.nn.Conv2d(3, 3, 3).half()
            with onnx_file.quick_half_convolutions():
                inside = before(half)
            self.assertEqual(inside.dtype, torch.float16)
            self.assertLess((inside - before(half)).abs().max(), 5e-3)

    def test_an_answer_that_rounding_does_not_explain_is_refused(self):
        graph = GRAPHS["tiny_decoder"]
        (examples, wanted), = onnx_file.references(graph, graph.build(networks.TWIN), (1,))
        self.made("--graphs", "tiny_decoder")
        with self.assertRaisesRegex(ValueError, "more than rounding explains"):
            onnx_file.compare(graph, [(examples, 255 - wanted)], self.graphs / "tiny_decoder.onnx", torch.float16)
        self.assertFalse(onnx_file.apart(np.full(3, np.nan), np.ones(3), torch.float16)[1])

    def test_a_graph_of_another_form_is_refused(self):
        self.made("--graphs", "tiny_decoder")
        graph, file = GRAPHS["tiny_decoder"], self.graphs / "tiny_decoder.onnx"
        with self.assertRaisesRegex(ValueError, "'mouth' has type"):
            onnx_file.check_form(graph, file, torch.float32)
        made = onnx.load(file)
        onnx.save_model(made, file)
        with self.assertRaisesRegex(ValueError, "not in one file beside it"):
            onnx_file.check_form(graph, file, torch.float16)
        made.graph.input[0].type.tensor_type.shape.dim[0].Clear()
        made.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
        onnx.save_model(made, file)
        with self.assertRaisesRegex(ValueError, "'mouth' has type"):
            onnx_file.check_form(graph, file, torch.float16)

    def test_a_request_to_end_leaves_nothing_half_made(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            child = subprocess.Popen([sys.executable, "-B", str(HERE / "export.py"), str(self.models), "--twin", "--graphs",
                                      "tiny_decoder,unet"], stdout=subprocess.PIPE, text=True)
            for line in child.stdout:
                if "tracing and writing" in line:
                    break
            child.send_signal(number)
            child.stdout.read()
            child.stdout.close()
            self.assertEqual(child.wait(), 130)
            self.assertEqual([name for name in self.there() if name.startswith(".export-") or name.endswith(".part")], [])
            told = json.loads(note.read_text()) if (note := self.graphs / "graphs.json").is_file() else {}
            made = {name.split(".")[0] for name in self.there()} - {"graphs"}
            self.assertEqual(made, set(told))
        self.made("--graphs", "tiny_decoder,unet")


if __name__ == "__main__":
    unittest.main()
