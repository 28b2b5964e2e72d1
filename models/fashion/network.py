"""The network: its layers written down once, and the trainable form of them.

Everything else (calibration, fake quantisation, the integer simulation, the .tflite writer) walks
the same list of layers. Inverted residual blocks are those of MobileNetV2 (Sandler et al. 2018,
section 3.3); the second layer is a full 3x3 convolution because at 28x28 an expanded block would
cost more memory traffic than it saves multiplications.
"""

import dataclasses

import torch
import torch.nn.functional as F
from torch import nn

SIDE = 28
CLASSES = 10


@dataclasses.dataclass(frozen=True)
class Layer:
    """One operator. `name` also names its output; "input" is the image."""

    name: str
    kind: str  # conv, depthwise, add, average_pool, reshape, fully_connected, softmax
    inputs: tuple
    in_channels: int
    channels: int
    in_side: int = 1
    kernel: int = 1
    stride: int = 1
    relu6: bool = False

    @property
    def side(self):
        return -(-self.in_side // self.stride)

    @property
    def has_weights(self):
        return self.kind in ("conv", "depthwise", "fully_connected")

    @property
    def weight_shape(self):
        """PyTorch's order: output channels first, then input channels a group, then the window."""
        if self.kind == "fully_connected":
            return (self.channels, self.in_channels)
        per_group = 1 if self.kind == "depthwise" else self.in_channels
        return (self.channels, per_group, self.kernel, self.kernel)

    @property
    def macs(self):
        if not self.has_weights:
            return 0
        positions = 1 if self.kind == "fully_connected" else self.side**2
        return positions * torch.Size(self.weight_shape).numel()

    @property
    def parameters(self):
        return torch.Size(self.weight_shape).numel() + self.channels if self.has_weights else 0


class TopologyBuilder:
    def __init__(self):
        self.layers = []
        self.name, self.channels, self.side = "input", 1, SIDE

    def add(self, name, kind, channels=None, inputs=None, **options):
        layer = Layer(
            name,
            kind,
            inputs or (self.name,),
            self.channels,
            channels or self.channels,
            self.side,
            **options,
        )
        self.layers.append(layer)
        self.name, self.channels, self.side = name, layer.channels, layer.side

    def inverted_residual(self, name, channels, expansion, stride=1):
        start, in_channels = self.name, self.channels
        self.add(f"{name}_expand", "conv", in_channels * expansion, relu6=True)
        self.add(f"{name}_depthwise", "depthwise", kernel=3, stride=stride, relu6=True)
        self.add(f"{name}_project", "conv", channels)
        if stride == 1 and channels == in_channels:
            self.add(f"{name}_add", "add", inputs=(start, self.name))


def topology():
    t = TopologyBuilder()
    t.add("stem", "conv", 16, kernel=3, relu6=True)
    t.add("down", "conv", 32, kernel=3, stride=2, relu6=True)
    t.inverted_residual("block1", 32, expansion=4)
    t.inverted_residual("block2", 32, expansion=4)
    t.inverted_residual("block3", 64, expansion=4, stride=2)
    t.inverted_residual("block4", 64, expansion=3)
    t.inverted_residual("block5", 64, expansion=3)
    t.inverted_residual("block6", 64, expansion=3)
    t.add("head", "conv", 256, relu6=True)
    t.add("pool", "average_pool", kernel=t.side, stride=t.side)
    t.add("flat", "reshape")
    t.add("logits", "fully_connected", CLASSES)
    t.add("probabilities", "softmax")
    return t.layers


def pad_same(x, layer, value=0):
    """TFLite's SAME padding: an odd total puts the larger half at the bottom and the right."""
    total = max((layer.side - 1) * layer.stride + layer.kernel - layer.in_side, 0)
    before, after = total // 2, total - total // 2
    return F.pad(x, (before, after, before, after), value=value) if total else x


def convolve(layer, x, weight, bias=None, pad_value=0):
    """The linear part of a layer with weights; x is NCHW."""
    if layer.kind == "fully_connected":
        return F.linear(x, weight, bias)
    groups = layer.channels if layer.kind == "depthwise" else 1
    padded = pad_same(x, layer, pad_value)
    return F.conv2d(padded, weight, bias, stride=layer.stride, groups=groups)


def compute_float(layer, args, parameters):
    """The real value of one layer. `parameters` maps names to (weight, bias)."""
    if layer.has_weights:
        y = convolve(layer, args[0], *parameters[layer.name])
        return F.relu6(y) if layer.relu6 else y
    if layer.kind == "add":
        return args[0] + args[1]
    if layer.kind == "average_pool":
        return args[0].mean((2, 3), keepdim=True)
    if layer.kind == "reshape":
        return args[0].flatten(1)
    return F.softmax(args[0], dim=1)


def run(layers, image, compute, finish=lambda name, value: value):
    """Runs the layers in order; `finish(name, value)` sees, and may replace, each value."""
    values = {"input": finish("input", image)}
    for layer in layers:
        args = [values[name] for name in layer.inputs]
        values[layer.name] = finish(layer.name, compute(layer, args))
    return values[layers[-1].name]


class TrainingNetwork(nn.Module):
    """Layers with batch normalisation after each convolution; gives logits."""

    def __init__(self, layers):
        super().__init__()
        self.layers = [layer for layer in layers if layer.kind != "softmax"]
        self.weights = nn.ParameterDict()
        self.norms = nn.ModuleDict()
        for layer in self.layers:
            if not layer.has_weights:
                continue
            fan_in = torch.Size(layer.weight_shape[1:]).numel()
            weight = torch.randn(layer.weight_shape) * (2 / fan_in) ** 0.5
            if layer.kind == "fully_connected":
                self.bias = nn.Parameter(torch.zeros(layer.channels))
            else:
                self.norms[layer.name] = nn.BatchNorm2d(layer.channels)
            self.weights[layer.name] = nn.Parameter(weight)

    def forward(self, image):
        def compute(layer, args):
            if layer.name not in self.norms:
                return compute_float(layer, args, {"logits": (self.weights["logits"], self.bias)})
            y = self.norms[layer.name](convolve(layer, args[0], self.weights[layer.name]))
            return F.relu6(y) if layer.relu6 else y

        return run(self.layers, image, compute)

    @torch.no_grad()
    def fold(self):
        """Name -> (weight, bias), batch normalisation multiplied into them."""
        parameters = {"logits": (self.weights["logits"].clone(), self.bias.clone())}
        for name, norm in self.norms.items():
            factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weight = self.weights[name] * factor[:, None, None, None]
            parameters[name] = (weight, norm.bias - norm.running_mean * factor)
        return parameters
