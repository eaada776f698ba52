"""tfjs graph (JSON and 16-bit float weights) to ONNX, for the operators that the attention mesh and the matte use.

The graph's input `image` keeps its layout, [1, height, width, channels]. Inside, the pictures of the convolutions are
[1, channels, height, width], as ONNX wants them; a tensor is turned back where anything else reads it. Weights stay
16-bit floats in the file and become 32-bit ones when it is loaded. What depends on constants alone is worked out here.
"""
import base64
import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper

DTYPES = {"float32": np.float32, "int32": np.int32}


def translate(graph_json, weights, name, outputs):
    """The ONNX model of a tfjs graph; `outputs` are the nodes whose values it gives: name in the result and length."""
    graph = json.loads(graph_json)
    return Translation(graph, constants(graph["weightsManifest"], weights)).model(name, outputs)


def constants(manifest, data):
    """Every stored tensor by name; quantized floats as 16-bit floats."""
    found, at = {}, 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        stored = np.dtype(entry.get("quantization", {}).get("dtype", entry["dtype"]))
        count = int(np.prod(entry["shape"], dtype=np.int64))
        found[entry["name"]] = np.frombuffer(data, stored, count, at).reshape(entry["shape"])
        at += count * stored.itemsize
    assert at == len(data), "all weights are read"
    return found


class Translation:
    def __init__(self, graph, stored):
        self.known = dict(stored)  # constant values by node name
        self.sources = {node["name"]: node for node in graph["modelTopology"]["node"]}
        self.nodes, self.initializers = [], {}
        self.turned = {}  # the [1, channels, height, width] version of a tensor
        self.plain = {}  # the [1, height, width, channels] version of one

    def model(self, name, outputs):
        image = next(node["name"] for node in self.sources.values() if node["op"] == "Placeholder")
        self.plain[image] = "image"
        order = self.in_order()
        for source in order:
            self.operator(source)
        values = []
        for node, (result, length) in outputs.items():
            self.add("Flatten", [self.as_it_is(node)], result, axis=1)
            values.append(helper.make_tensor_value_info(result, TensorProto.FLOAT, [1, length]))
        sides = [int(d["size"]) for d in self.sources[image]["attr"]["shape"]["shape"]["dim"]]
        graph = helper.make_graph(
            self.nodes, name, [helper.make_tensor_value_info("image", TensorProto.FLOAT, sides)], values,
            list(self.initializers.values()))
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="mouthpiece")

    def in_order(self):
        """The nodes, each after what it reads."""
        order, done = [], set()

        def visit(name):
            if name in done:
                return
            done.add(name)
            source = self.sources[name]
            for given in inputs(source):
                visit(given)
            order.append(source)

        for name in self.sources:
            visit(name)
        return [source for source in order if source["op"] not in ("Const", "Placeholder")]

    # ---- tensors

    def add(self, kind, given, output, **attributes):
        self.nodes.append(helper.make_node(kind, given, [output], **attributes))
        return output

    def constant(self, value):
        """The name of a stored constant; 16-bit floats are stored so and made 32-bit when the graph is loaded."""
        value = np.ascontiguousarray(value)
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self.initializers:
            self.initializers[key] = numpy_helper.from_array(value, f"c{len(self.initializers)}")
            if value.dtype == np.float16:
                half = self.initializers[key].name
                self.add("Cast", [half], f"{half}_wide", to=TensorProto.FLOAT)
        found = self.initializers[key].name
        return f"{found}_wide" if value.dtype == np.float16 else found

    def as_it_is(self, name):
        """The tensor in tfjs's own layout."""
        if name in self.known:
            return self.constant(self.known[name])
        if name not in self.plain:
            self.plain[name] = self.add("Transpose", [self.turned[name]], f"{name}:last", perm=[0, 2, 3, 1])
        return self.plain[name]

    def channels_first(self, name):
        if name not in self.turned:
            self.turned[name] = self.add("Transpose", [self.plain[name]], f"{name}:first", perm=[0, 3, 1, 2])
        return self.turned[name]

    # ---- operators

    def operator(self, source):
        name, kind, given = source["name"], source["op"], inputs(source)
        if all(i in self.known for i in given):
            self.known[name] = fold(source, [self.known[i] for i in given])
            return
        if kind in ("Conv2D", "DepthwiseConv2dNative"):
            self.convolution(source, kind != "Conv2D")
        elif kind == "MaxPool":
            kernel, steps = numbers(source, "ksize")[1:3], numbers(source, "strides")[1:3]
            assert text(source, "padding") == "VALID"
            self.turned[name] = self.add("MaxPool", [self.channels_first(given[0])], name, kernel_shape=kernel, strides=steps)
        elif kind == "Conv2DBackpropInput":
            self.transposed_convolution(source)
        elif kind == "AvgPool":
            kernel, steps = numbers(source, "ksize")[1:3], numbers(source, "strides")[1:3]
            assert text(source, "padding") == "VALID"
            self.turned[name] = self.add("AveragePool", [self.channels_first(given[0])], name, kernel_shape=kernel, strides=steps)
        elif kind == "ResizeBilinear":
            assert source["attr"]["half_pixel_centers"]["b"] and not source["attr"]["align_corners"]["b"]
            self.turned[name] = self.resized(given, name)
        elif kind in ("Add", "AddV2", "Mul", "Prelu") and given[1] in self.known and given[0] in self.turned:
            along = self.known[given[1]].reshape(-1, 1, 1)  # one value a channel, or one for all
            onnx_kind = {"Mul": "Mul", "Prelu": "PRelu"}.get(kind, "Add")
            self.turned[name] = self.add(onnx_kind, [self.turned[given[0]], self.constant(along)], name)
        elif kind in ("Add", "AddV2", "AddN") and all(i in self.turned for i in given):
            self.turned[name] = self.sum([self.turned[i] for i in given], name)
        elif kind == "Mul" and all(i in self.turned for i in given):
            self.turned[name] = self.add("Mul", [self.turned[i] for i in given], name)
        elif kind in ("Relu", "Sigmoid") and given[0] in self.turned:
            self.turned[name] = self.add(kind, [self.turned[given[0]]], name)
        elif kind == "Relu6" and given[0] in self.turned:
            bounds = [self.constant(np.float32(bound)) for bound in (0, 6)]
            self.turned[name] = self.add("Clip", [self.turned[given[0]], *bounds], name)
        elif kind == "Pad" and given[0] in self.turned:
            before_after = self.known[given[1]].astype(np.int64)[[0, 3, 1, 2]]
            self.turned[name] = self.add("Pad", [self.turned[given[0]], self.constant(before_after.T.reshape(-1))], name)
        else:
            self.plain[name] = self.plain_operator(source, name, kind, given)

    def plain_operator(self, source, name, kind, given):
        simple = {"Sub": "Sub", "Mul": "Mul", "Maximum": "Max", "Minimum": "Min", "Floor": "Floor"}
        reduced = {"Max": "ReduceMax", "Min": "ReduceMin", "Prod": "ReduceProd"}
        tensors = lambda names: [self.as_it_is(i) for i in names]
        if kind in simple:
            return self.add(simple[kind], tensors(given), name)
        if kind in ("AddV2", "AddN"):
            return self.sum(tensors(given), name)
        if kind == "Prelu":
            return self.add("PRelu", tensors(given), name)
        if kind == "Square":
            return self.add("Mul", tensors(given) * 2, name)
        if kind == "Rsqrt":
            root = self.add("Sqrt", tensors(given), f"{name}:root")
            return self.add("Reciprocal", [root], name)
        if kind == "Sum":
            return self.add("ReduceSum", [self.as_it_is(given[0]), self.indices(given[1])], name, keepdims=1)
        if kind in reduced:
            return self.add(reduced[kind], tensors(given[:1]), name, axes=axes(self.known[given[1]]), keepdims=1)
        if kind == "Reshape":
            return self.add("Reshape", [self.as_it_is(given[0]), self.indices(given[1])], name)
        if kind == "ConcatV2":
            return self.add("Concat", tensors(given[:-1]), name, axis=axes(self.known[given[-1]])[0])
        if kind == "Transpose":
            return self.add("Transpose", tensors(given[:1]), name, perm=axes(self.known[given[1]]))
        if kind == "GatherV2":
            return self.add("Gather", [self.as_it_is(given[0]), self.indices(given[1])], name,
                            axis=axes(self.known[given[2]])[0])
        if kind == "GatherNd":
            wide = self.add("Cast", [self.as_it_is(given[1])], f"{name}:at", to=TensorProto.INT64)
            return self.add("GatherND", [self.as_it_is(given[0]), wide], name)
        if kind == "Cast":
            assert source["attr"]["DstT"]["type"] == "DT_INT32"
            return self.add("Cast", tensors(given), name, to=TensorProto.INT32)
        if kind == "BatchMatMulV2":
            assert not source["attr"]["adj_x"]["b"]
            a, b = tensors(given)
            if source["attr"]["adj_y"]["b"]:
                b = self.add("Transpose", [b], f"{name}:turned", perm=[0, 2, 1])
            return self.add("MatMul", [a, b], name)
        if kind == "StridedSlice":
            begin, end, step = (self.known[i].astype(np.int64) for i in given[1:])
            begin, end = masked(source, begin, end)
            assert int(source["attr"]["shrink_axis_mask"]["i"]) == 0
            return self.add("Slice", [self.as_it_is(given[0])] + [
                self.constant(v) for v in (begin, end, np.arange(len(begin), dtype=np.int64), step)], name)
        raise NotImplementedError(f"operator {kind} ({name})")

    def indices(self, name):
        return self.constant(self.known[name].astype(np.int64))

    def sum(self, tensors, name):
        return self.add("Sum" if len(tensors) != 2 else "Add", tensors, name)

    def convolution(self, source, depthwise):
        name, given = source["name"], inputs(source)
        weights = self.known[given[1]]
        if depthwise:
            high, wide, channels, times = weights.shape
            weights = weights.transpose(2, 3, 0, 1).reshape(channels * times, 1, high, wide)
            group = channels
        else:
            weights, group = weights.transpose(3, 2, 0, 1), 1
        steps, kernel = numbers(source, "strides")[1:3], list(weights.shape[2:])
        same = {"auto_pad": "SAME_UPPER"} if text(source, "padding") == "SAME" else {}
        self.turned[name] = self.add(
            "Conv", [self.channels_first(given[0]), self.constant(weights)], name,
            kernel_shape=kernel, strides=steps, group=group, **same)

    def transposed_convolution(self, source):
        name, (_, weights, picture) = source["name"], inputs(source)
        weights = self.known[weights].transpose(3, 2, 0, 1)  # from [high, wide, out, in]
        steps, kernel = numbers(source, "strides")[1:3], list(weights.shape[2:])
        assert text(source, "padding") == "SAME" and kernel == steps, "every value lands in one square of the result"
        self.turned[name] = self.add(
            "ConvTranspose", [self.channels_first(picture), self.constant(weights)], name, kernel_shape=kernel, strides=steps)

    def resized(self, given, name):
        high, wide = (int(side) for side in self.known[given[1]])
        picture = self.channels_first(given[0])
        shape = self.add("Shape", [picture], f"{name}:shape")
        kept = self.add("Slice", [shape, self.constant(np.int64([0])), self.constant(np.int64([2]))], f"{name}:kept")
        sides = self.add("Concat", [kept, self.constant(np.int64([high, wide]))], f"{name}:sides", axis=0)
        return self.add("Resize", [picture, "", "", sides], name, mode="linear", coordinate_transformation_mode="half_pixel")


def fold(source, values):
    """The value of an operator on constants."""
    kind, first = source["op"], values[0]
    if kind == "ConcatV2":
        return np.concatenate(values[:-1], axis=int(values[-1]))
    if kind == "StridedSlice":
        begin, end = masked(source, *(v.astype(np.int64) for v in values[1:3]))
        return first[tuple(slice(b, e if e < 2**31 else None, s) for b, e, s in zip(begin, end, values[3]))]
    if kind == "AddV2":
        return first + values[1]
    raise NotImplementedError(f"operator {kind} on constants ({source['name']})")


def masked(source, begin, end):
    """Begin and end of a slice: a masked axis is taken whole."""
    mask = lambda key: int(source["attr"][key]["i"])
    for k in range(len(begin)):
        if mask("begin_mask") >> k & 1:
            begin = np.where(np.arange(len(begin)) == k, 0, begin)
        if mask("end_mask") >> k & 1:
            end = np.where(np.arange(len(end)) == k, np.int64(2**31), end)
    return begin, end


def inputs(source):
    return [name.split(":")[0].lstrip("^") for name in source.get("input", [])]


def numbers(source, key):
    return [int(i) for i in source["attr"][key]["list"]["i"]]


def text(source, key):
    return base64.b64decode(source["attr"][key]["s"]).decode()


def axes(value):
    return [int(i) for i in np.atleast_1d(value)]
