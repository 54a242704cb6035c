"""The hyperparameters of the two training recipes, each with its reason; `dataclasses.replace` makes variants.

The names of the fields stand in every run's run.json, which a resumed run is compared with.
"""

from dataclasses import dataclass

from emotion.training import augment
from emotion.training.augment import Policy


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Hyperparameters of a training run: all but the data, the starting weights and the seed."""

    sizes: tuple[int, ...]
    """Input sizes in pixels, used in turn for equal shares of the run; the last is the checkpoint's."""
    crop_size: int
    """Side of the face crops in pixels, before they are enlarged to the input size."""
    channels: int
    """1: grey, repeated to the network's three channels; 3: colour."""
    mean: tuple[float, ...]
    """Mean of the pixels (0..1) per channel, subtracted before ``std`` divides."""
    std: tuple[float, ...]
    """Standard deviation of the pixels (0..1) per channel."""
    training_data: str
    """Description for the checkpoint's configuration."""
    epochs: int | None = None
    """Length of the run in passes over the data; where None, ``minutes`` says it."""
    minutes: float | None = None
    """Length of the run in wall-clock minutes, validation and pauses included."""
    check_minutes: float = 20
    """Minutes between two validations, where the length is in minutes (else: every epoch)."""
    check_faces: int | None = None
    """Faces of a validation, evenly spread over the set; None: all."""
    batch: int
    """Faces in a batch."""
    optimiser: str
    """``adam`` or ``adamw``."""
    rate: float
    """Highest learning rate."""
    weight_decay: float = 0.0
    """Decoupled weight decay of the kernels (not of biases and normalisations); used by ``adamw``."""
    warm_up: int = 0
    """Steps over which the learning rate rises linearly from zero."""
    cosine: bool = False
    """Whether the learning rate follows a half cosine down to a hundredth; else it is constant."""
    gradient_norm: float | None = None
    """Largest norm of the gradient, to which longer ones are clipped; None: no clipping."""
    average: float | None = None
    """Decay of the exponential moving average of the weights, which is then validated and saved; None: no average."""
    balance: float = 0.0
    """Class-balanced sampling: an image's weight is (images of its class)^-balance; 0: none, 1: classes alike."""
    children: float = 1.0
    """Sampling weight of a child's face relative to a grown-up's."""
    bfloat16: bool = False
    """Whether the network is computed under bfloat16 autocast."""
    policy: Policy
    save_seconds: float = 300
    """Seconds between two saved states: the work that a kill may cost."""


PAPER = Preset(
    # What the paper states: 224x224x3, 15 epochs, batches of 32, Adam at 0.0005 with its other defaults, cross-entropy.
    sizes=(224,),
    crop_size=224,
    channels=3,
    epochs=15,
    batch=32,
    optimiser="adam",
    rate=5e-4,
    # ImageNet's, as the starting weights expect.
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    training_data="a folder of photographs of one's own, one sub-folder per class",
    # It names the families of its 18 functions, not how often each is used. So an image meets three of them.
    policy=tuple((function, 0.5 if function is augment.flip else 0.15) for function in augment.AUGMENTATIONS),
)

FERPLUS = Preset(
    # Half of the time at 160 pixels, where a step costs half of one at 224: two thirds of the faces are seen there.
    sizes=(160, 224),
    crop_size=48,
    channels=1,
    mean=(0.508,),  # of the FER+ training images, on 0..1
    std=(0.255,),
    training_data="FER+ (FER2013's images with the votes of ten people each), the training split",
    minutes=40,
    check_faces=1000,  # all 3,553 would take minutes at 224 pixels; `emotion.training.evaluate` judges on all of them
    batch=32,  # fits into 24 GB at 224 pixels and is large enough for the normalisations' statistics
    optimiser="adamw",
    # The weights come from a run that ended at 3e-5 to 4e-5 with batches of 64: enough to move, not enough to forget.
    rate=1e-4,
    weight_decay=0.05,
    warm_up=20,  # AdamW's second moments start empty
    cosine=True,
    gradient_norm=5.0,
    average=0.985,  # spans about 70 steps, a sixth of what 40 minutes on two cores allow
    # Between the data as they are and all classes alike: contempt has 165 faces of 26,775; at 1 each of them would be
    # drawn twenty times a pass and learnt by heart.
    balance=0.45,
    children=2.5,  # one face in nine shows a child; drawn so, one in four does
    bfloat16=True,
    # In this order: what happens to the face, the light, the camera, the file. FER+ is grey: no colour functions.
    policy=(
        (augment.flip, 0.5),
        (augment.rotate, 0.6),
        (augment.scale, 0.6),
        (augment.shift, 0.6),
        (augment.perspective, 0.15),
        (augment.distort, 0.1),
        (augment.brightness, 0.6),
        (augment.contrast, 0.6),
        (augment.gamma, 0.2),
        (augment.shadow, 0.1),
        (augment.low_resolution, 0.15),
        (augment.blur, 0.1),
        (augment.noise, 0.4),
        (augment.jpeg, 0.15),
        (augment.erase, 0.3),
    ),
)

PRESETS: dict[str, Preset] = {"paper": PAPER, "ferplus": FERPLUS}
