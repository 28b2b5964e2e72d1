"""Writes a quantised model as a .tflite file (schema version 3) with the FlatBuffers builder.

The numbers here are those of the public schema: a field's position in its table is its place in the
call of `table`, and the constants are values of its enumerations.
"""

import flatbuffers
import numpy as np

TENSOR_TYPES = {"int8": 9, "int32": 2}
SAME, VALID = 0, 1
NO_ACTIVATION, RELU6 = 0, 3

# kind of layer: (code of the operator, its version, type of its options)
OPERATORS = {
    "add": (0, 2, 11),
    "average_pool": (1, 2, 5),
    "conv": (3, 3, 1),
    "depthwise": (4, 3, 2),
    "fully_connected": (9, 4, 8),
    "reshape": (22, 1, 17),
    "softmax": (25, 2, 9),
}


class TableBuilder:
    """Tables and vectors, written leaves first; each method returns an offset."""

    def __init__(self):
        self.builder = flatbuffers.Builder(1 << 18)

    def table(self, *fields):
        """A field is (type of the builder's slot, value), or None where it is left out."""
        self.builder.StartObject(len(fields))
        for position, field in enumerate(fields):
            if field is not None:
                slot_type, value = field
                getattr(self.builder, f"Prepend{slot_type}Slot")(position, value, 0)
        return self.builder.EndObject()

    def offset(self, value):
        return "UOffsetTRelative", value

    def vector(self, values, dtype=np.int32):
        return self.offset(self.builder.CreateNumpyVector(np.array(values, dtype)))

    def text(self, value):
        return self.offset(self.builder.CreateString(value))

    def tables(self, offsets):
        self.builder.StartVector(4, len(offsets), 4)
        for table in reversed(offsets):
            self.builder.PrependUOffsetTRelative(table)
        return self.offset(self.builder.EndVector())

    def constant(self, data):
        """Bytes that start at a multiple of 16, as the schema asks of constants."""
        self.builder.StartVector(1, len(data), 16)
        for byte in reversed(data):
            self.builder.PrependByte(byte)
        return self.offset(self.builder.EndVector())

    def finish(self, root):
        self.builder.Finish(root, file_identifier=b"TFL3")
        return bytes(self.builder.Output())


def options(t, layer):
    """The options table of a layer's operator."""
    stride, kernel = ("Int32", layer.stride), ("Int32", layer.kernel)
    activation = ("Int8", RELU6 if layer.relu6 else NO_ACTIVATION)
    if layer.kind == "conv":
        return t.table(("Int8", SAME), stride, stride, activation)
    if layer.kind == "depthwise":
        multiplier = ("Int32", 1)
        return t.table(("Int8", SAME), stride, stride, multiplier, activation)
    if layer.kind == "average_pool":
        return t.table(("Int8", VALID), stride, stride, kernel, kernel, activation)
    if layer.kind == "reshape":
        shape = t.vector([1, layer.channels])
        return t.table(shape)
    if layer.kind == "softmax":
        return t.table(("Float32", 1.0))
    return t.table(activation)  # add, fully_connected


def file_weights(layer, weight):
    """The weights in the order of the file, and the dimension that counts output channels."""
    if layer.kind == "conv":  # out, row, column, in
        return weight.permute(0, 2, 3, 1), 0
    if layer.kind == "depthwise":  # 1, row, column, channel
        return weight.permute(1, 2, 3, 0), 3
    return weight, 0


class ModelWriter:
    def __init__(self, model):
        self.model = model
        self.t = TableBuilder()
        self.buffers = [self.t.table()]  # buffer 0 is the empty one of tensors without data
        self.tensors, self.indices = [], {}

    def tensor(self, name, shape, dtype, scales=None, zero_points=None, axis=0, data=None):
        t = self.t
        quantization = None
        if scales is not None:
            scale, zero_point = t.vector(scales, np.float32), t.vector(zero_points, np.int64)
            axis_field = ("Int32", axis)
            quantization = t.offset(t.table(None, None, scale, zero_point, None, None, axis_field))
        buffer = 0
        if data is not None:
            buffer = len(self.buffers)
            self.buffers.append(t.table(t.constant(np.ascontiguousarray(data, dtype).tobytes())))
        shape, type_field = t.vector(shape), ("Int8", TENSOR_TYPES[dtype])
        fields = shape, type_field, ("Uint32", buffer), t.text(name), quantization
        self.indices[name] = len(self.tensors)
        self.tensors.append(t.table(*fields))
        return self.indices[name]

    def activation(self, name, shape):
        grid = self.model.grids[name]
        return self.tensor(name, shape, "int8", [grid.scale], [grid.zero_point])

    def constants(self, layer):
        """Indices of the constant inputs of a layer."""
        if layer.kind == "reshape":
            return [self.tensor(f"{layer.name}/shape", [2], "int32", data=[1, layer.channels])]
        if not layer.has_weights:
            return []
        w = self.model.weights[layer.name]
        weight, axis = file_weights(layer, w.weight)
        zeros = np.zeros(len(w.scales))
        return [
            self.tensor(
                f"{layer.name}/weights", weight.shape, "int8", w.scales, zeros, axis, weight.numpy()
            ),
            self.tensor(
                f"{layer.name}/bias", w.bias.shape, "int32", w.bias_scales, zeros, 0, w.bias.numpy()
            ),
        ]

    def operator(self, layer, code_index):
        t = self.t
        inputs = [self.indices[name] for name in layer.inputs] + self.constants(layer)
        flat = layer.kind in ("reshape", "fully_connected", "softmax")
        shape = [1, layer.channels] if flat else [1, layer.side, layer.side, layer.channels]
        output = self.activation(layer.name, shape)
        options_type = OPERATORS[layer.kind][2]
        inputs, outputs = t.vector(inputs), t.vector([output])
        options_field = t.offset(options(t, layer))
        code = ("Uint32", code_index)
        return t.table(code, inputs, outputs, ("Uint8", options_type), options_field)

    def write(self, description):
        t, layers = self.t, self.model.layers
        kinds = sorted({layer.kind for layer in layers})
        codes = []
        for kind in kinds:
            code, version, _ = OPERATORS[kind]
            # The code is there twice: as the byte of older readers and as the later int32.
            codes.append(t.table(("Int8", code), None, ("Int32", version), ("Int32", code)))
        side = layers[0].in_side
        first = self.activation("input", [1, side, side, layers[0].in_channels])
        operators = [self.operator(layer, kinds.index(layer.kind)) for layer in layers]
        tensors, operators = t.tables(self.tensors), t.tables(operators)
        inputs, outputs = t.vector([first]), t.vector([self.indices[layers[-1].name]])
        graph = t.table(tensors, inputs, outputs, operators, t.text("main"))
        codes, graphs, buffers = t.tables(codes), t.tables([graph]), t.tables(self.buffers)
        return t.finish(t.table(("Uint32", 3), codes, graphs, t.text(description), buffers))


def serialize(model, description):
    """The bytes of the file for a quantize.QuantizedModel."""
    return ModelWriter(model).write(description)
