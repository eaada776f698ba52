"""How much work a graph is, counted from its nodes: floating-point operations, and the bytes that it must at least move.

| node | operations | counted as |
|---|---|---|
| `Conv` | 2 x values of the output x (input channels / groups) x kernel's area | a multiplication and an addition each |
| `MatMul`, `Gemm` | 2 x values of the output x length of the inner dimension | likewise |

All else (norms, activations, sums, resizing) is not counted, as is usual: it is under a hundredth of these networks' arithmetic. Bytes are
those that are left when everything between two such nodes is fused into them: weights once a call, and what each of them reads and
writes (fused attention moves less). A device that is slower than both allow is held up by something else.
"""
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, defs, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

HEAVY = ("Conv", "MatMul", "Gemm")
# Values of a tensor that may be part of a shape.
SMALL = 1024


@dataclass
class Work:
    """Of one call. `by_op`: name of the operator -> (nodes, operations)."""
    flops: int = 0
    weight_bytes: int = 0
    moved_bytes: int = 0
    by_op: dict = field(default_factory=dict)

    @property
    def bytes(self):
        return self.weight_bytes + self.moved_bytes


def size_of(shape):
    count = 1
    for dim in shape:
        count *= dim
    return count


def bytes_of(kind):
    return helper.tensor_dtype_to_np_dtype(kind).itemsize


class Shapes:
    """Shapes and types of all tensors of a graph whose inputs have the shapes that are given.

    Exported graphs calculate shapes while they run; what of it hangs on shapes alone is calculated here, node by node.
    """

    def __init__(self, made, inputs):
        self.graph, self.ir = made.graph, made.ir_version
        self.opsets = {entry.domain: entry.version for entry in made.opset_import}
        self.types, self.values = {}, {}
        self.weights = {tensor.name for tensor in self.graph.initializer}
        for tensor in self.graph.initializer:
            self.types[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
            if size_of(tensor.dims) <= SMALL and not tensor.external_data:
                self.values[tensor.name] = numpy_helper.to_array(tensor)
        for value in self.graph.input:
            self.types[value.name] = helper.make_tensor_type_proto(value.type.tensor_type.elem_type, inputs[value.name])
        for node in self.graph.node:
            self.follow(node)

    def __getitem__(self, name):
        """Sizes of all dimensions, and the type."""
        tensor = self.types[name].tensor_type if name in self.types else None
        if tensor is None or not tensor.HasField("shape") or not all(dim.HasField("dim_value") for dim in tensor.shape.dim):
            raise ValueError(f"the shape of '{name}' cannot be told from the graph: its work cannot be counted")
        return [dim.dim_value for dim in tensor.shape.dim], tensor.elem_type

    def follow(self, node):
        given = [name for name in node.input if name]
        if node.op_type == "Shape" and not node.attribute and given[0] in self.types:
            self.put(node.output[0], np.array(self[given[0]][0], np.int64))
        elif all(name in self.values for name in given):
            self.calculate(node, given)
        else:
            self.infer(node, given)

    def put(self, name, array):
        self.types[name] = helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        if array.size <= SMALL:
            self.values[name] = array

    def calculate(self, node, given):
        ins = [helper.make_value_info(name, self.types[name]) for name in given]
        outs = [helper.make_empty_tensor_value_info(name) for name in node.output]
        opsets = [helper.make_opsetid(domain, version) for domain, version in self.opsets.items()]
        model = helper.make_model(helper.make_graph([node], "one", ins, outs), opset_imports=opsets)
        answers = ReferenceEvaluator(model).run(None, {name: self.values[name] for name in given})
        for name, array in zip(node.output, answers):
            self.put(name, np.asarray(array))

    def infer(self, node, given):
        try:
            schema = defs.get_schema(node.op_type, self.opsets[node.domain], node.domain)
            types = {name: self.types[name] for name in given}
        except (KeyError, defs.SchemaError):
            return    # whoever needs its answer's shape says so
        data = {name: numpy_helper.from_array(self.values[name], name) for name in given if name in self.values}
        opsets = [helper.make_opsetid(domain, version) for domain, version in self.opsets.items()]
        self.types |= shape_inference.infer_node_outputs(schema, node, types, data, opset_imports=opsets, ir_version=self.ir)


def flops_of(node, shapes):
    """Operations of one node."""
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    out = size_of(shapes[node.output[0]][0])
    if node.op_type == "Conv":
        # [channels out, channels in / groups, kernel...]: the groups are divided out already.
        return 2 * out * size_of(shapes[node.input[1]][0][1:])
    first = shapes[node.input[0]][0]
    inner = first[0] if node.op_type == "Gemm" and attributes.get("transA") else first[-1]
    return 2 * out * inner


def count(made, inputs):
    """The [`Work`] of a graph (`onnx.ModelProto`, weights need not be loaded) at inputs of these shapes (name -> list)."""
    shapes, work, by_op = Shapes(made, inputs), Work(), defaultdict(lambda: [0, 0])
    for node in shapes.graph.node:
        if node.op_type not in HEAVY:
            continue
        flops = flops_of(node, shapes)
        by_op[node.op_type][0] += 1
        by_op[node.op_type][1] += flops
        for name in [*node.input, *node.output]:
            if name and name not in shapes.weights:
                shape, kind = shapes[name]
                work.moved_bytes += size_of(shape) * bytes_of(kind)
    work.by_op = {op: tuple(counted) for op, counted in by_op.items()}
    work.flops = sum(flops for _, flops in work.by_op.values())
    work.weight_bytes = sum(size_of(t.dims) * bytes_of(t.data_type) for t in shapes.graph.initializer
                            if t.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16))
    return work


def of_file(file, graph, batch):
    """The work of a call of `batch` frames of an exported graph."""
    import torch
    inputs = {name: list(value.shape) for name, value in graph.examples(batch, torch.float32).items()}
    return count(onnx.load(file, load_external_data=False), inputs)


def by_pytorch(graph, sizes, batch):
    """The operations that PyTorch counts for the same network and batch: a second opinion. Nothing is computed."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    with torch.device("meta"):
        module = graph.build(sizes)
        examples = [value.to("meta") for value in graph.examples(batch, torch.float32).values()]
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        module(*examples)
    return counter.get_total_flops()
