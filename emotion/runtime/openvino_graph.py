"""ResNet152 as an OpenVINO model, built straight from the checkpoint's tensors, in float32 or quantised to int8.

Going through torch (trace, then convert) takes half a minute on two cores, which no start can afford, and pulls torch
into a server that needs none. Building the graph takes about a second. Its equality with torchvision's is tested.
"""

from collections.abc import Mapping

import numpy as np
import openvino
from openvino import Node, Type
from openvino import opset15 as ops

from emotion.network.checkpoint import Checkpoint, CheckpointError, Configuration
from emotion.network.quantisation import LEVELS, NO_QUANTISATION, Quantisation

# Bottlenecks: He et al., "Deep Residual Learning" (2016), table 1, 152 layers.
BLOCKS_PER_STAGE = (3, 8, 36, 3)
RESIZE_NODE = "preprocessing.enlarged"  # the name of the operation, for those who quantise all but the preprocessing
FEATURES = 2048  # means that the last layer weighs
LOGITS, POOLED, EVIDENCE = range(3)  # the places of the outputs; of a model that is not for serving there is one
_EPSILON = 1e-5  # of torch's BatchNorm2d


def build_model(
    checkpoint: Checkpoint, quantisation: Quantisation = NO_QUANTISATION, serving: bool = False
) -> openvino.Model:
    """Crops (n, crop_size, crop_size, channels) uint8 in, logits (n, 8) float32 out; for ``serving`` also the features
    of `emotion.runtime.base.Reading` and the evidence of `emotion.runtime.base.Runtime`, which add a ten-thousandth to
    the work.

    Layers and their outputs carry torchvision's names; with a ``quantisation`` they compute in int8 where it says so.
    Raises `CheckpointError` when the weights are not a ResNet152's.
    """
    configuration = checkpoint.configuration
    crops = ops.parameter([-1, configuration.crop_size, configuration.crop_size, configuration.channels], Type.u8)
    builder = _Builder(checkpoint.state_dict(), quantisation)
    try:
        outputs = builder.network(crops, configuration)
    except (KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"The weights of {checkpoint.folder} are not those of a ResNet152 with 8 outputs: {error}"
        ) from error
    results = [ops.result(output) for output in outputs[: 3 if serving else 1]]
    return openvino.Model(results, [crops], checkpoint.version)


class _Builder:
    """Holds the tensors while the graph grows."""

    def __init__(self, tensors: Mapping[str, np.ndarray], quantisation: Quantisation) -> None:
        self._tensors = tensors
        self._quantisation = quantisation

    def network(self, crops: Node, configuration: Configuration) -> tuple[Node, Node, Node]:
        """Logits, pooled features and evidence."""
        features = self._convolution(self._preprocessing(crops, configuration), "conv1", "bn1", stride=2, padding=3)
        features = self._output("relu", ops.relu(features))
        features = ops.max_pool(features, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3]).output(0)
        for stage, blocks in enumerate(BLOCKS_PER_STAGE, start=1):
            for block in range(blocks):
                stride = 2 if stage > 1 and block == 0 else 1
                features = self._bottleneck(features, f"layer{stage}.{block}", stride)
        pooled = self._output("avgpool", ops.reduce_mean(features, np.array([2, 3]), keep_dims=False))
        weight = self._float("fc.weight")
        if weight.shape != (8, FEATURES):
            raise ValueError(f"fc.weight has the shape {weight.shape}, not (8, {FEATURES})")
        product = ops.matmul(pooled, self._weight("fc", weight), False, True, name="fc")
        logits = ops.add(product, self._bias("fc", self._float("fc.bias")).reshape(1, -1))
        filters = ops.constant(weight.reshape(*weight.shape, 1, 1))
        return logits, pooled, ops.convolution(features, filters, [1, 1], [0, 0], [0, 0], [1, 1], name="evidence")

    def _preprocessing(self, crops: Node, configuration: Configuration) -> Node:
        """The same arithmetic as `emotion.network.resnet152.Preprocessing`, except that grey stays one channel."""
        images = ops.transpose(ops.convert(crops, Type.f32), np.array([0, 3, 1, 2]))
        size = np.array([configuration.input_size, configuration.input_size])
        enlarged = ops.interpolate(
            images,
            size,
            "linear_onnx",
            "sizes",
            coordinate_transformation_mode="half_pixel",
            axes=np.array([2, 3]),
            name=RESIZE_NODE,
        )
        mean = np.array(configuration.mean, np.float32).reshape(1, -1, 1, 1)
        std = np.array(configuration.std, np.float32).reshape(1, -1, 1, 1)
        normalised = ops.multiply(ops.subtract(enlarged, 255 * mean), 1 / (255 * std))
        return self._output("preprocessing", normalised)

    def _bottleneck(self, features: Node, name: str, stride: int) -> Node:
        """1x1, 3x3 (which carries the stride, as in torchvision), 1x1, plus the shortcut."""
        shortcut = features
        if f"{name}.downsample.0.weight" in self._tensors:
            shortcut = self._convolution(features, f"{name}.downsample.0", f"{name}.downsample.1", stride, 0)
        inner = ops.relu(self._convolution(features, f"{name}.conv1", f"{name}.bn1", 1, 0))
        inner = self._output(f"{name}.relu1", inner)
        inner = ops.relu(self._convolution(inner, f"{name}.conv2", f"{name}.bn2", stride, 1))
        inner = self._output(f"{name}.relu2", inner)
        inner = self._convolution(inner, f"{name}.conv3", f"{name}.bn3", 1, 0)
        return self._output(name, ops.relu(ops.add(inner, shortcut)))

    def _convolution(self, features: Node, name: str, norm: str, stride: int, padding: int) -> Node:
        """A convolution with its batch normalisation multiplied in."""
        gain, shift, mean, variance = (
            self._float(f"{norm}.{part}") for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(variance + _EPSILON)
        filters = self._float(f"{name}.weight") * scale.reshape(-1, 1, 1, 1)
        if name == "conv1" and features.get_output_partial_shape(0)[1].get_length() == 1:
            filters = filters.sum(axis=1, keepdims=True)  # three equal channels are one channel under the summed filter
        result = ops.convolution(
            features, self._weight(name, filters), [stride] * 2, [padding] * 2, [padding] * 2, [1, 1], name=name
        )
        bias = self._bias(name, shift - mean * scale)
        return self._output(f"{name}.biased", ops.add(result, bias.reshape(1, -1, 1, 1)))

    def _float(self, name: str) -> np.ndarray:
        return self._tensors[name].astype(np.float32)

    def _weight(self, layer: str, weight: np.ndarray) -> Node:
        """The layer's weight, in int8 with a scale per output where the quantisation knows the layer."""
        scale = self._quantisation.scales.get(layer)
        if scale is None:
            return ops.constant(weight)
        scale = scale.reshape(-1, *[1] * (weight.ndim - 1))
        codes = np.clip(np.rint(weight / scale), -128, 127).astype(np.int8)
        return ops.multiply(ops.convert(ops.constant(codes), Type.f32), ops.constant(scale))

    def _bias(self, layer: str, bias: np.ndarray) -> np.ndarray:
        """The layer's bias (outputs,), corrected for what the quantisation of the weights shifts."""
        return self._quantisation.biases.get(layer, bias)

    def _output(self, name: str, node: Node) -> Node:
        """Names ``node`` and rounds what it passes on to 256 levels where the quantisation has a range for it."""
        node.set_friendly_name(name)
        limits = self._quantisation.ranges.get(name)
        if limits is None:
            return node
        low, high = (np.float32(limit) for limit in limits)
        return ops.fake_quantize(node, low, high, low, high, LEVELS)
