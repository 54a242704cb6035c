"""A child that teaches the network its face, over the wire of the composed app. Its pictures are one photograph in four
moods, made by turning its mouth or its eyes over, so that a layer has something to tell apart."""

import itertools
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

import httpx
import skimage.data
from PIL import Image, ImageEnhance

from tests.composed import ComposedApp

_MOUTH, _EYES, _NOSE = (195, 140, 255, 168), (188, 92, 258, 118), (205, 112, 245, 142)
# The expressions that are shown, and what is turned over in the photograph for each.
MOODS = {"neutral": (_MOUTH,), "happy": (), "sad": (_EYES,), "surprise": (_MOUTH, _EYES)}
MORE_MOODS = MOODS | {"angry": (_NOSE,), "fear": (_NOSE, _EYES)}
_NUMBERS = itertools.count()


@dataclass
class Child:
    """A child of a class of its own. ``link``: the code of its game."""

    server: ComposedApp
    class_name: str
    code: str
    pseudonym: str
    link: str = ""

    def call(self, endpoint: str, *data: Any) -> Any:
        """The answer of a named endpoint of the teacher page."""
        return called(self.server.url, endpoint, *data)


def called(url: str, endpoint: str, *data: Any, client: httpx.Client | None = None) -> Any:
    """The answer of an endpoint of the teacher page at ``url``."""
    import json

    asking = client or httpx
    path = f"{url}/teacher/gradio_api/call/{endpoint}"
    event = asking.post(path, json={"data": data}, timeout=60).json()["event_id"]
    heard = asking.get(f"{path}/{event}", timeout=60).text
    assert heard.startswith("event: complete"), heard
    return json.loads(heard.partition("data: ")[2])[0]


def child_with_link(server: ComposedApp) -> Child:
    """A new child with both consents and a link."""
    class_name = f"Game {next(_NUMBERS)}"
    code, known = server.recorder.enrol(class_name, "parent", "2")
    child = Child(server, class_name, code, known.pseudonym)
    child.call("set_consent", known.pseudonym, "", True, "parent", 365, "calibration")
    child.link = child.call("calibration_link", known.pseudonym, "")["code"]
    return child


@lru_cache(128)
def picture(place: int = 0, mood: str = "happy") -> bytes:
    """A JPEG of 640x480 with one face; ``place`` shifts and lights it a little, ``mood``: one of `MORE_MOODS`."""
    whole = Image.fromarray(skimage.data.astronaut())
    for part in MORE_MOODS[mood]:
        whole.paste(whole.crop(part).transpose(Image.Transpose.FLIP_TOP_BOTTOM), part[:2])
    box = (10 + 3 * place, 5 * place % 20, 410 + 3 * place, 300 + 5 * place % 20)
    frame = ImageEnhance.Brightness(whole.crop(box).resize((640, 480))).enhance(0.9 + 0.03 * (place % 6))
    content = BytesIO()
    frame.save(content, "JPEG", quality=90)
    return content.getvalue()


def show(child: Child, frames: int = 3, bursts: int = 3, client: httpx.Client | None = None) -> None:
    """Plays ``bursts`` rounds of four expressions."""
    asking = client or httpx
    for burst in range(len(MOODS) * bursts):
        label = tuple(MOODS)[burst % len(MOODS)]
        for place in range(frames):
            while True:
                query: dict[str, Any] = {"code": child.link, "label": label, "burst": burst}
                content = picture(burst * frames + place, label)
                answer = asking.post(f"{child.server.url}/teach", params=query, content=content, timeout=60).json()
                if answer.get("reason") != "busy":
                    break
            assert answer["kept"], answer
