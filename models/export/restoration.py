"""Networks that restore a mouth that was drawn too soft: `picture` u8 [b, 128, 128, 3] -> `restored` u8 [b, 256, 256, 3], RGB.

| of | layout | what is folded in |
|---|---|---|
| `esrgan-slim`, doubles: npm @upscalerjs/esrgan-slim 1.0.0, MIT, 0.9 MB | a residual dense network, as its `model.json` tells | nothing: it takes and gives 0..255 |
| `real-esrgan-general`, quadruples: `realesr-general-x4v3.pth`, BSD-3-Clause, 4.9 MB | SRVGGNetCompact: 64 channels, 32 convolutions | 0..1, and the mean of 2x2 pixels |
"""
import json
import tarfile

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

IN, OUT = 128, 256


class Layers(nn.Module):
    """A network as Keras writes it down, of the few layers that this one has; 0..255, planes of [b, 3, h, w]."""

    def __init__(self, layers, of=lambda channels: channels):
        super().__init__()
        self.layers, channels = layers, {}
        for layer in layers:
            name, config, ins = layer["name"], layer["config"], layer["from"]
            channels[name] = sum(channels[i] for i in ins) if layer["kind"] == "Concatenate" else channels[ins[0]] if ins else 3
            if layer["kind"] == "Conv2D":
                after = config["filters"] if name == "SR" else of(config["filters"])
                kernel = tuple(config["kernel_size"])
                self.add_module(name, nn.Conv2d(channels[ins[0]], after, kernel, padding=tuple(k // 2 for k in kernel)))
                channels[name] = after

    def forward(self, planes):
        values = {}
        for layer in self.layers:
            given = [values[name] for name in layer["from"]]
            values[layer["name"]] = {
                "InputLayer": lambda: planes, "Conv2D": lambda: self.get_submodule(layer["name"])(given[0]),
                "Activation": lambda: F.relu(given[0]), "Concatenate": lambda: torch.cat(given, 1), "Add": lambda: given[0] + given[1],
                "UpSampling2D": lambda: given[0].repeat_interleave(2, 2).repeat_interleave(2, 3)}[layer["kind"]]()
        return values[self.layers[-1]["name"]]


class Compact(nn.Module):
    """SRVGGNetCompact (Real-ESRGAN): convolutions at the small size, then a shuffle to four times it. 0..255."""

    def __init__(self, channels=64, convolutions=32, scale=4):
        super().__init__()
        self.body = nn.ModuleList([nn.Conv2d(3, channels, 3, padding=1), nn.PReLU(channels)])
        for _ in range(convolutions):
            self.body += [nn.Conv2d(channels, channels, 3, padding=1), nn.PReLU(channels)]
        self.body.append(nn.Conv2d(channels, 3 * scale * scale, 3, padding=1))
        self.scale = scale

    def forward(self, planes):
        x = planes = planes / 255
        for layer in self.body:
            x = layer(x)
        large = F.pixel_shuffle(x, self.scale) + F.interpolate(planes, scale_factor=self.scale, mode="nearest")
        return F.avg_pool2d(large, self.scale // 2) * 255


class Restoration(nn.Module):
    """Bytes in, bytes out, around a network of planes."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, picture):
        kind = next(self.net.parameters()).dtype
        planes = self.net(picture.permute(0, 3, 1, 2).to(kind))
        return planes.clamp(0, 255).round().permute(0, 2, 3, 1).to(torch.uint8)


def slim_layers(topology):
    """The layers of `model.json`, in their order."""
    config = topology["modelTopology"]["model_config"]["config"]
    return [{"name": layer["config"]["name"], "kind": layer["class_name"], "config": layer["config"],
             "from": [each[0] for node in layer["inbound_nodes"] for each in node]} for layer in config["layers"]]


def load_slim(package):
    """Of the npm package as it is published: its `models/x2`."""
    with tarfile.open(package) as files:
        read = lambda name: files.extractfile(f"package/models/x2/{name}").read()
        topology = json.loads(read("model.json"))
        (manifest,) = topology["weightsManifest"]
        values, at = np.frombuffer(b"".join(read(path) for path in manifest["paths"]), "<f4"), 0
    net = Layers(slim_layers(topology))
    states = {}
    for weight in manifest["weights"]:
        count = int(np.prod(weight["shape"]))
        value, at = torch.from_numpy(values[at:at + count].reshape(weight["shape"]).copy()), at + count
        name, part = weight["name"].rsplit("/", 1)
        states[f"{name}.{'weight' if part == 'kernel' else 'bias'}"] = value.permute(3, 2, 0, 1) if value.dim() == 4 else value
    net.load_state_dict(states)
    return Restoration(net).eval()


def load_general(file):
    """`realesr-general-x4v3.pth`."""
    net, states = Compact(), torch.load(file, map_location="cpu", weights_only=True)
    net.load_state_dict(states.get("params", states))
    return Restoration(net).eval()


def twin():
    """The slim network, four channels wide: what it answers is near the picture, doubled, since its last layer begins there."""
    conv = lambda name, before, filters, kernel: {
        "name": name, "kind": "Conv2D", "from": [before], "config": {"filters": filters, "kernel_size": [kernel, kernel]}}
    plain = lambda name, kind, *before: {"name": name, "kind": kind, "from": list(before), "config": {}}
    layers = [plain("LR", "InputLayer"), conv("F_m1", "LR", 4, 3), conv("F_0", "F_m1", 4, 3), conv("F_1_1", "F_0", 2, 3),
              plain("relu", "Activation", "F_1_1"), plain("concat", "Concatenate", "F_0", "relu"), conv("LFF_1", "concat", 4, 1),
              plain("FDF", "Add", "LFF_1", "F_0"), conv("UPN3", "FDF", 3, 3), plain("sum", "Add", "UPN3", "LR"),
              plain("UPsample", "UpSampling2D", "sum"), conv("SR", "UPsample", 3, 3)]
    net = Layers(layers)
    generator = torch.Generator().manual_seed(12)
    for name, value in net.named_parameters():
        wide = value.dim() > 1
        value.data = torch.randn(value.shape, generator=generator) * (0.3 * (1 / value[0].numel()) ** 0.5 if wide else 0.0)
    sharpen = torch.tensor([[0.0, -0.25, 0.0], [-0.25, 2.0, -0.25], [0.0, -0.25, 0.0]])
    net.SR.weight.data = torch.eye(3)[:, :, None, None] * sharpen
    return Restoration(net).eval()
