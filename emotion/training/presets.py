"""The two recipes as plain values; each constant carries its reason. `dataclasses.replace` makes a third."""

from dataclasses import dataclass

from emotion.training import augment
from emotion.training.augment import Policy


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Everything that makes one training run differ from another, data and starting weights apart."""

    sizes: tuple[int, ...]
    """Pixels of the square the network sees, in turn, each for an equal share of the run; the last is for use."""
    crop_size: int
    """Pixels of the face crop before it is enlarged to the size: what the data hold."""
    channels: int
    """1: grey, repeated for the network's three inputs; 3: colour."""
    mean: tuple[float, ...]
    """Of the pixels on 0..1, one value a channel; with ``std`` it brings them to what the weights expect."""
    std: tuple[float, ...]
    training_data: str
    """In words, for the checkpoint's configuration."""
    epochs: int | None = None
    """Length of the run in passes over the data; where None, ``minutes`` says it."""
    minutes: float | None = None
    """Length of the run in wall-clock minutes, validation and pauses included, so that its end can be foreseen."""
    check_minutes: float = 20
    """Minutes between two looks at the validation faces, where the length is in minutes (else: every epoch)."""
    check_faces: int | None = None
    """How many validation faces a look takes, evenly spread; None: all."""
    batch: int
    optimiser: str
    """``adam`` or ``adamw``."""
    rate: float
    weight_decay: float = 0.0
    """Pulls the kernels (not biases and normalisations) towards zero; used by ``adamw``."""
    warm_up: int = 0
    """Steps over which the rate climbs from zero."""
    cosine: bool = False
    """Whether the rate falls along a half cosine to a hundredth; else it is constant."""
    gradient_norm: float | None = None
    """Gradients longer than this are shortened to it."""
    average: float | None = None
    """Decay of the running average of the weights, which is then what is validated and saved."""
    balance: float = 0.0
    """Classes are drawn with chance count^-balance an image; 0: as they are, 1: all alike."""
    children: float = 1.0
    """How many times as often a child's face is drawn as a grown-up's."""
    bfloat16: bool = False
    """Whether products are computed in bfloat16."""
    policy: Policy
    save_seconds: float = 300
    """Seconds of work that a kill may cost."""


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
