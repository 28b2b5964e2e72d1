"""int8 quantisation of the folded network, with the rules of TFLite's int8 specification.

Values: int8, one scale and zero point a tensor. Weights of convolutions: int8 in [-127, 127], zero
point 0, one scale an output channel; of the fully connected layer: one scale for the tensor, as the
specification has it. Biases: int32, scale input scale * weight scale.
"""

import dataclasses

import numpy as np
import torch
import torch.nn.functional as F

import network

LOW, HIGH, WEIGHT_LIMIT = -128, 127, 127


@dataclasses.dataclass(frozen=True)
class Grid:
    """real = scale * (q - zero_point); the scale is a float32 number."""

    scale: float
    zero_point: int

    @staticmethod
    def covering(low, high):
        """The finest grid that has 0, `low` and `high` in its range."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = float(np.float32((high - low) / (HIGH - LOW)))
        if scale == 0:
            raise ValueError("a value is 0 for all calibration images; calibrate with more of them")
        return Grid(scale, round(LOW - low / scale))

    def fake_quantize(self, x):
        return torch.fake_quantize_per_tensor_affine(x, self.scale, self.zero_point, LOW, HIGH)

    def nearest(self, real):
        """The nearest number of the grid, as a float tensor of integers."""
        q = torch.round(torch.as_tensor(real) / self.scale) + self.zero_point
        return torch.clamp(q, LOW, HIGH)


INPUT = Grid(float(np.float32(1 / 255)), LOW)
PROBABILITIES = Grid(1 / 256, LOW)


@dataclasses.dataclass(frozen=True)
class QuantizedWeights:
    weight: torch.Tensor  # integers, PyTorch's order
    scales: np.ndarray  # float32, one an output channel, or one in all
    bias: torch.Tensor  # integers
    bias_scales: np.ndarray  # float32


@dataclasses.dataclass(frozen=True)
class QuantizedModel:
    layers: list
    grids: dict  # name of a value -> Grid
    weights: dict  # name of a layer -> QuantizedWeights


@torch.no_grad()
def calibrate(layers, parameters, images):
    """The grid of each value, from the extremes it takes over `images` (real, 0..1)."""
    extremes = {}

    def observe(name, value):
        low, high = extremes.get(name, (0.0, 0.0))
        extremes[name] = min(low, value.min().item()), max(high, value.max().item())
        return value

    for batch in images.split(500):
        compute = lambda layer, args: network.compute_float(layer, args, parameters)
        network.run(layers, batch, compute, observe)
    grids = {"input": INPUT}
    for layer in layers:
        if layer.kind in ("average_pool", "reshape"):
            grids[layer.name] = grids[layer.inputs[0]]
        elif layer.kind == "softmax":
            grids[layer.name] = PROBABILITIES
        else:
            grids[layer.name] = Grid.covering(*extremes[layer.name])
    return grids


@torch.no_grad()
def weight_scales(layer, weight, bias, input_scale):
    """Float32 scales with which every weight fits into int8 and every bias into int32."""
    scales = weight.abs().flatten(1).amax(1) / WEIGHT_LIMIT
    bias_limits = bias.abs() / (input_scale * 2**30)
    if layer.kind == "fully_connected":
        scales, bias_limits = scales.max().expand(1), bias_limits.max().expand(1)
    return torch.maximum(scales, bias_limits).clamp(min=1e-12)  # a channel may be all zero


def fake_quantized(layers, parameters, grids):
    """A differentiable forward function that rounds as the int8 network does; gives logits.

    Rounding passes the gradient through where the value was in range (straight-through estimator,
    Jacob et al. 2018, section 3).
    """
    layers = [layer for layer in layers if layer.kind != "softmax"]

    def compute(layer, args):
        if not layer.has_weights:
            return network.compute_float(layer, args, parameters)
        weight, bias = parameters[layer.name]
        scales = weight_scales(layer, weight, bias, grids[layer.inputs[0]].scale)
        scales = scales.expand(layer.channels).contiguous()
        zeros = torch.zeros(layer.channels, dtype=torch.int32)
        weight = torch.fake_quantize_per_channel_affine(
            weight, scales, zeros, 0, -WEIGHT_LIMIT, WEIGHT_LIMIT
        )
        return network.compute_float(layer, args, {layer.name: (weight, bias)})

    def finish(name, value):
        return grids[name].fake_quantize(value)

    return lambda image: network.run(layers, image, compute, finish)


@torch.no_grad()
def quantize(layers, parameters, grids):
    weights = {}
    for layer in layers:
        if not layer.has_weights:
            continue
        weight, bias = parameters[layer.name]
        scales = weight_scales(layer, weight, bias, grids[layer.inputs[0]].scale)
        divisors = scales.reshape(-1, *[1] * (weight.dim() - 1))
        bias_scales = scales.numpy() * np.float32(grids[layer.inputs[0]].scale)
        weights[layer.name] = QuantizedWeights(
            torch.round(weight / divisors).clamp(-WEIGHT_LIMIT, WEIGHT_LIMIT),
            scales.numpy(),
            torch.round(bias.double() / torch.from_numpy(bias_scales)),
            bias_scales,
        )
    return QuantizedModel(layers, grids, weights)


def requantize(accumulator, scale, grid, low=LOW, high=HIGH):
    """Round to nearest even of float32(accumulator) * scale, saturated to [low, high]."""
    x = accumulator.float() * scale
    return torch.clamp(x, low - grid.zero_point, high - grid.zero_point).round() + grid.zero_point


@torch.no_grad()
def simulate(model, image):
    """The int8 output for a batch of images in 0..1, computed in integers held as floats.

    Sums of products are exact in float32 below 2^24: that is 518 terms of 255 * 127, more than any
    layer here has. The bias is added in double.
    """

    def compute(layer, args):
        grid, source = model.grids[layer.name], model.grids[layer.inputs[0]]
        if layer.has_weights:
            w = model.weights[layer.name]
            assert w.weight[0].numel() * (HIGH - LOW) * WEIGHT_LIMIT < 2**24
            x = args[0].float() - source.zero_point
            bias = w.bias.reshape(-1, *[1] * (x.dim() - 2))
            accumulator = network.convolve(layer, x, w.weight).double() + bias
            scale = torch.from_numpy(np.float32(w.bias_scales / np.float32(grid.scale)))
            scale = scale.reshape(-1, *[1] * (x.dim() - 2))
            limits = (grid.nearest(0.0), grid.nearest(6.0)) if layer.relu6 else (LOW, HIGH)
            return requantize(accumulator, scale, grid, *limits)
        if layer.kind == "add":
            terms = [
                (q - model.grids[name].zero_point).float() * (model.grids[name].scale / grid.scale)
                for q, name in zip(args, layer.inputs)
            ]
            return requantize(terms[0] + terms[1], 1.0, grid)
        if layer.kind == "average_pool":
            return torch.round(args[0].mean((2, 3), keepdim=True))
        if layer.kind == "reshape":
            return args[0].flatten(1)
        return grid.nearest(F.softmax((args[0].float() - source.zero_point) * source.scale, dim=1))

    return network.run(model.layers, INPUT.nearest(image), compute)
