"""ResNet152 as an OpenVINO model, built straight from the checkpoint's tensors.

Going through torch (trace, then convert) takes half a minute on two cores, which no start can afford, and pulls torch
into a server that needs none. Building the graph takes about a second. Its equality with torchvision's network is
tested.
"""

from collections.abc import Mapping

import numpy as np
import openvino
from openvino import Node, Type
from openvino import opset15 as ops

from emotion.checkpoint import Checkpoint, CheckpointError, Configuration

BLOCKS = (3, 8, 36, 3)  # bottlenecks per stage: He et al., "Deep Residual Learning" (2016), table 1, 152 layers
_EPSILON = 1e-5  # of torch's BatchNorm2d


def build_model(checkpoint: Checkpoint) -> openvino.Model:
    """Crops (n, crop_size, crop_size, channels) uint8 in, logits (n, 8) float32 out. Raises `CheckpointError`."""
    configuration = checkpoint.configuration
    side = configuration.crop_size
    crops = ops.parameter([-1, side, side, configuration.channels], Type.u8, name="crops")
    tensors = checkpoint.state_dict()
    try:
        logits = _backbone(_preprocessing(crops, configuration), tensors, configuration.channels)
    except (KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"The weights of {checkpoint.folder} are not those of a ResNet152 with 8 outputs: {error}"
        ) from error
    return openvino.Model([ops.result(logits, name="logits")], [crops], checkpoint.version)


def _preprocessing(crops: Node, configuration: Configuration) -> Node:
    """The same arithmetic as `emotion.network.Preprocessing`, except that grey stays one channel."""
    images = ops.transpose(ops.convert(crops, Type.f32), np.array([0, 3, 1, 2]))
    size = np.array([configuration.input_size, configuration.input_size])
    enlarged = ops.interpolate(
        images, size, "linear_onnx", "sizes", coordinate_transformation_mode="half_pixel", axes=np.array([2, 3])
    )
    mean = np.array(configuration.mean, np.float32).reshape(1, -1, 1, 1)
    std = np.array(configuration.std, np.float32).reshape(1, -1, 1, 1)
    return ops.multiply(ops.subtract(enlarged, 255 * mean), 1 / (255 * std))


def _backbone(images: Node, tensors: Mapping[str, np.ndarray], channels: int) -> Node:
    filters, bias = _folded(tensors, "conv1", "bn1")
    if channels == 1:  # three equal channels under three filters are one channel under their sum
        filters = filters.sum(axis=1, keepdims=True)
    features = ops.relu(_convolution(images, filters, bias, stride=2, padding=3))
    features = ops.max_pool(features, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3]).output(0)
    for stage, blocks in enumerate(BLOCKS, start=1):
        for block in range(blocks):
            stride = 2 if stage > 1 and block == 0 else 1
            features = _bottleneck(features, tensors, f"layer{stage}.{block}", stride)
    pooled = ops.reduce_mean(features, np.array([2, 3]), keep_dims=False)
    weight, bias = tensors["fc.weight"].astype(np.float32), tensors["fc.bias"].astype(np.float32)
    if weight.shape != (8, 2048):
        raise ValueError(f"fc.weight has the shape {weight.shape}, not (8, 2048)")
    return ops.add(ops.matmul(pooled, weight, False, True), bias.reshape(1, -1))


def _bottleneck(features: Node, tensors: Mapping[str, np.ndarray], name: str, stride: int) -> Node:
    """1x1, 3x3 (which carries the stride, as in torchvision), 1x1, plus the shortcut."""
    shortcut = features
    if f"{name}.downsample.0.weight" in tensors:
        shortcut = _convolution(features, *_folded(tensors, f"{name}.downsample.0", f"{name}.downsample.1"), stride, 0)
    inner = ops.relu(_convolution(features, *_folded(tensors, f"{name}.conv1", f"{name}.bn1"), 1, 0))
    inner = ops.relu(_convolution(inner, *_folded(tensors, f"{name}.conv2", f"{name}.bn2"), stride, 1))
    inner = _convolution(inner, *_folded(tensors, f"{name}.conv3", f"{name}.bn3"), 1, 0)
    return ops.relu(ops.add(inner, shortcut))


def _folded(tensors: Mapping[str, np.ndarray], convolution: str, norm: str) -> tuple[np.ndarray, np.ndarray]:
    """The convolution's filters (out, in, height, width) and bias (out) with the batch normalisation multiplied in."""
    gain, shift, mean, variance = (
        tensors[f"{norm}.{part}"].astype(np.float32) for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gain / np.sqrt(variance + _EPSILON)
    filters = tensors[f"{convolution}.weight"].astype(np.float32) * scale.reshape(-1, 1, 1, 1)
    return filters, shift - mean * scale


def _convolution(features: Node, filters: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> Node:
    result = ops.convolution(features, filters, [stride] * 2, [padding] * 2, [padding] * 2, [1, 1])
    return ops.add(result, bias.reshape(1, -1, 1, 1))
