"""Draws boxes and labels of the faces found on a photo, readable at the size at which a page shows it."""

from collections.abc import Sequence

import numpy as np
from gradio.themes.utils.fonts import font_file_path
from PIL import Image, ImageColor, ImageDraw, ImageFont

from emotion.labels import COLOURS, NAMES, Prediction

# Pixels of the drawn copy: more than a page shows at once, and a small answer even to a 50 MP photo.
MAXIMUM_SIDE = 1280
# Comes with Gradio (SIL Open Font License) and has Cyrillic letters, which Pillow's own font lacks.
FONT = font_file_path("IBMPlexSans", 700)
LABEL_SHARE = 1 / 34  # height of the label's letters as a share of the picture's longer side


def reduced(image: np.ndarray) -> np.ndarray:
    """``image`` (height, width, 3) uint8, or a copy of it that is at most `MAXIMUM_SIDE` long."""
    height, width, _ = image.shape
    scale = min(1.0, MAXIMUM_SIDE / max(height, width))
    if scale == 1:
        return image
    return np.asarray(Image.fromarray(image).resize((max(1, round(width * scale)), max(1, round(height * scale)))))


def annotate(
    image: np.ndarray,
    boxes: Sequence[tuple[float, float, float, float]],
    predictions: Sequence[Prediction],
    chosen: int = 0,
    language: str = "en",
) -> Image.Image:
    """``image`` ((height, width, 3) uint8 RGB) with a box and a label for each face.

    ``boxes``: left, top, right, bottom in pixels of ``image``. The ``chosen`` face has the thicker frame. Labels carry
    the number of the face if there are several, the name of its expression in ``language`` and its percentage.
    """
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.truetype(FONT, size=max(12, round(max(picture.size) * LABEL_SHARE)))
    # The chosen face is drawn last, so that its label is never covered.
    for index in sorted(range(len(boxes)), key=lambda index: index == chosen):
        expression = predictions[index].expression
        percent = round(100 * predictions[index].probabilities[expression])
        number = f"{index + 1}  " if len(boxes) > 1 else ""
        label = f"{number}{NAMES[language][expression]} {percent} %"
        width = max(2, round(max(picture.size) / (200 if index == chosen else 400)))
        _draw_face(draw, picture.size, boxes[index], label, COLOURS[expression], width, font)
    return picture


def _draw_face(
    draw: ImageDraw.ImageDraw,
    size: tuple[int, int],
    box: Sequence[float],
    label: str,
    colour: str,
    width: int,
    font: ImageFont.FreeTypeFont,
) -> None:
    left, top, right, bottom = box
    # A dark rim outside and inside keeps the frame visible on a background of its own colour.
    draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="black", width=width + 2)
    draw.rectangle((left, top, right, bottom), outline=colour, width=width)
    _, _, text_width, text_height = draw.textbbox((0, 0), label, font=font)
    padding = text_height / 4
    label_left = min(max(0.0, left), max(0.0, size[0] - text_width - 2 * padding))
    above = top - text_height - 2 * padding
    label_top = above if above >= 0 else min(bottom, size[1] - text_height - 2 * padding)
    draw.rectangle(
        (label_left, label_top, label_left + text_width + 2 * padding, label_top + text_height + 2 * padding),
        fill=colour,
    )
    draw.text((label_left + padding, label_top + padding / 2), label, fill=_ink(colour), font=font)


def _ink(background: str) -> str:
    """Black or white, whichever contrasts more with ``background`` (relative luminance of WCAG 2.2)."""
    linear = [
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (value / 255 for value in ImageColor.getrgb(background)[:3])
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "white"
