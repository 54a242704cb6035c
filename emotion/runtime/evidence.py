"""Where the network looked: what each place of a face adds to the answer for a class.

The last layer weighs the mean of 2,048 maps. Weighed before the mean is taken, the same maps say how much each place
speaks for a class: class activation maps (Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR
2016). For such a network Grad-CAM (Selvaraju et al., ICCV 2017) gives the same maps and needs gradients for them.
"""

import numpy as np
from PIL import Image


def strongest_places(evidence: np.ndarray, side: int) -> np.ndarray:
    """One class's evidence, (rows, columns), as a map (side, side) float32 in 0..1: what speaks against the class is 0,
    the strongest place 1; all zero if no place speaks for it."""
    positive = np.maximum(evidence, 0).astype(np.float32)
    enlarged = np.asarray(Image.fromarray(positive).resize((side, side), Image.Resampling.BILINEAR))
    strongest = float(enlarged.max())
    return enlarged / strongest if strongest > 0 else enlarged
