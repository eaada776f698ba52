"""TFLite to ONNX, for float graphs made of the twelve operators that the face networks use.

The graph's input `image` keeps its layout, [1, height, width, channels]. Inside, pictures are [1, channels, height,
width], as ONNX wants them; a tensor is turned back where a reshape or an output needs it. Weights stored as 16-bit
floats become 32-bit ones.
"""
import numpy as np
import tflite
from onnx import TensorProto, helper, numpy_helper

OPERATOR = tflite.BuiltinOperator
ACTIVATION = tflite.ActivationFunctionType
DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.INT64: np.int64,
}


def translate(data, name):
    """The ONNX model of the TFLite file `data`."""
    return Translation(tflite.Model.GetRootAs(data, 0)).model(name)


class Translation:
    def __init__(self, source):
        self.source = source
        self.graph = source.Subgraphs(0)
        self.tensors = [self.graph.Tensors(i) for i in range(self.graph.TensorsLength())]
        self.constants = dict(filter(lambda pair: pair[1] is not None, map(self.stored, range(len(self.tensors)))))
        self.nodes, self.initializers = [], []
        self.channels_first = set()  # tensors laid out as [1, channels, height, width]
        self.turned = {}  # the [1, height, width, channels] version of such a tensor

    def model(self, name):
        graph_input = self.graph.Inputs(0)
        assert self.graph.InputsLength() == 1, "one picture goes in"
        inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, self.shape(graph_input))]
        self.add("Transpose", ["image"], label(graph_input), perm=[0, 3, 1, 2])
        self.channels_first.add(graph_input)
        for i in range(self.graph.OperatorsLength()):
            self.operator(self.graph.Operators(i))
        outputs = []
        for i in (self.graph.Outputs(k) for k in range(self.graph.OutputsLength())):
            output = self.tensors[i].Name().decode()
            self.add("Identity", [self.channels_last(i)], output)
            outputs.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, self.shape(i)))
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.initializers)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="mouthpiece")

    # ---- tensors

    def stored(self, i):
        """A tensor's number and its constant value, if it has one."""
        tensor = self.tensors[i]
        buffer = self.source.Buffers(tensor.Buffer())
        if not buffer.DataLength():
            return i, None
        return i, np.frombuffer(buffer.DataAsNumpy().tobytes(), DTYPES[tensor.Type()]).reshape(self.shape(i))

    def shape(self, i):
        tensor = self.tensors[i]
        return [int(side) for side in tensor.ShapeAsNumpy()] if tensor.ShapeLength() else []

    def add(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def constant(self, value):
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def channels_last(self, i):
        """The name under which tensor `i` lies as TFLite has it."""
        if i not in self.channels_first:
            return label(i)
        if i not in self.turned:
            self.turned[i] = f"{label(i)}_turned"
            self.add("Transpose", [label(i)], self.turned[i], perm=[0, 2, 3, 1])
        return self.turned[i]

    # ---- operators

    def operator(self, op):
        code = self.source.OperatorCodes(op.OpcodeIndex())
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        inputs, output = [op.Inputs(k) for k in range(op.InputsLength())], op.Outputs(0)
        if kind == OPERATOR.DEQUANTIZE:
            self.constants[output] = self.constants[inputs[0]].astype(np.float32)
        elif kind in (OPERATOR.CONV_2D, OPERATOR.DEPTHWISE_CONV_2D):
            self.convolution(op, inputs, output, kind == OPERATOR.DEPTHWISE_CONV_2D)
        elif kind == OPERATOR.PRELU:
            slope = self.constant(self.constants[inputs[1]].reshape(-1, 1, 1))
            self.picture("PRelu", [label(inputs[0]), slope], output)
        elif kind == OPERATOR.RELU:
            self.picture("Relu", [label(inputs[0])], output)
        elif kind == OPERATOR.ADD:
            assert all(i in self.channels_first for i in inputs), "two pictures are added"
            fused = options(op, tflite.AddOptions).FusedActivationFunction()
            self.activated("Add", [label(i) for i in inputs], output, fused)
        elif kind == OPERATOR.PAD:
            before_after = self.constants[inputs[1]].astype(np.int64)[[0, 3, 1, 2]]
            self.picture("Pad", [label(inputs[0]), self.constant(before_after.T.reshape(-1))], output)
        elif kind == OPERATOR.MAX_POOL_2D:
            self.max_pool(options(op, tflite.Pool2DOptions), inputs[0], output)
        elif kind == OPERATOR.RESHAPE:
            shape = self.constant(np.array(self.shape(output), np.int64))
            self.add("Reshape", [self.channels_last(inputs[0]), shape], label(output))
        elif kind == OPERATOR.CONCATENATION:
            axis = options(op, tflite.ConcatenationOptions).Axis()
            self.add("Concat", [self.channels_last(i) for i in inputs], label(output), axis=axis)
        else:
            names = {number: text for text, number in vars(OPERATOR).items() if isinstance(number, int)}
            raise NotImplementedError(f"operator {names.get(kind, kind)}")

    def convolution(self, op, inputs, output, depthwise):
        o = options(op, tflite.DepthwiseConv2DOptions if depthwise else tflite.Conv2DOptions)
        weights = self.constants[inputs[1]].transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
        kernel, strides = list(weights.shape[2:]), [o.StrideH(), o.StrideW()]
        dilations = [o.DilationHFactor(), o.DilationWFactor()]
        self.activated(
            "Conv", [label(inputs[0]), self.constant(weights), self.constant(self.constants[inputs[2]])], output,
            o.FusedActivationFunction(), kernel_shape=kernel, strides=strides, dilations=dilations,
            group=weights.shape[0] // o.DepthMultiplier() if depthwise else 1,
            pads=pads(o.Padding(), self.shape(inputs[0])[1:3], kernel, strides, dilations))

    def max_pool(self, o, source, output):
        kernel, strides = [o.FilterHeight(), o.FilterWidth()], [o.StrideH(), o.StrideW()]
        self.picture("MaxPool", [label(source)], output, kernel_shape=kernel, strides=strides,
                     pads=pads(o.Padding(), self.shape(source)[1:3], kernel, strides, [1, 1]))

    def picture(self, kind, inputs, output, **attributes):
        self.add(kind, inputs, label(output), **attributes)
        self.channels_first.add(output)

    def activated(self, kind, inputs, output, activation, **attributes):
        """A node and the activation that TFLite fuses into it."""
        self.channels_first.add(output)
        if activation == ACTIVATION.NONE:
            self.add(kind, inputs, label(output), **attributes)
            return
        plain = f"{label(output)}_plain"
        self.add(kind, inputs, plain, **attributes)
        if activation == ACTIVATION.RELU:
            self.add("Relu", [plain], label(output))
        elif activation == ACTIVATION.RELU6:
            self.add("Clip", [plain, self.constant(np.float32(0)), self.constant(np.float32(6))], label(output))
        else:
            raise NotImplementedError(f"activation {activation}")


def label(i):
    return f"t{i}"


def options(op, kind):
    result, table = kind(), op.BuiltinOptions()
    result.Init(table.Bytes, table.Pos)
    return result


def pads(padding, sides, kernel, strides, dilations):
    """ONNX pads [top, left, bottom, right]; TFLite's SAME puts the odd one at the bottom and right."""
    if padding == tflite.Padding.VALID:
        return [0, 0, 0, 0]
    total = [max((-(-side // step) - 1) * step + (size - 1) * spread + 1 - side, 0)
             for side, size, step, spread in zip(sides, kernel, strides, dilations)]
    return [t // 2 for t in total] + [t - t // 2 for t in total]
