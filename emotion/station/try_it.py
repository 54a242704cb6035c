"""The Try it tab: a photograph in, boxes and bars out; also the endpoints `predict` and `predict_batch`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from emotion.classifier import EmotionClassifier
from emotion.images import ImageError
from emotion.images.isolated import IsolatedDecoder
from emotion.labels import KEYS
from emotion.station.annotate import annotate, reduced
from emotion.station.heat_overlay import overlay_heat
from emotion.station.observing import image_refusal
from emotion.station.pace import Pace
from emotion.station.photo import photo_input
from emotion.station.recent_photographs import Photograph, RecentPhotographs
from emotion.station.responses import confidences, probability_bars, recognition_details
from emotion.station.texts import say

EXAMPLES = Path(__file__).resolve().parent / "examples"
LOW_QUALITY = 0.3  # below it the page says that the bars are less reliable
MAXIMUM_IMAGES = 64  # of one `predict_batch`: about ten seconds on two cores

Details = dict[str, Any]


@dataclass(frozen=True)
class TryIt:
    """The handlers of the tab. What `read` found stays in ``recent``; the other handlers get its token back."""

    classifier: EmotionClassifier
    language_of: Callable[[gr.Request], str]
    decoder: IsolatedDecoder
    pace: Pace
    recent: RecentPhotographs = field(default_factory=RecentPhotographs)

    def predict(self, image: str | None, request: gr.Request) -> tuple[Image.Image, dict[str, float] | None, Details]:
        """Reads the expressions of all faces in a photograph.

        Returns the photograph with boxes and labels, the label with its confidences for the largest face (empty without
        a face), and details: faces (box, landmarks, score, quality, expression, probabilities), model, milliseconds.
        """
        language = self.language_of(request)
        return self._answer(self._recognise(image, language), language)

    def predict_batch(self, images: list[str], request: gr.Request) -> list[Details]:
        """Reads many photographs: one details object each, in their order; ``error`` for one that is no picture."""
        language = self.language_of(request)
        if not images:
            raise gr.Error(say(language, "error_no_image"), print_exception=False)
        if len(images) > MAXIMUM_IMAGES:
            message = say(language, "error_too_many_images", count=len(images), limit=MAXIMUM_IMAGES)
            raise gr.Error(message, print_exception=False)
        answers: list[Details] = []
        for image in images:
            try:
                with self.pace.piece():
                    answers.append(recognition_details(self.classifier.recognise(self.decoder.read(Path(image)))))
            except ImageError as error:
                answers.append({"error": str(image_refusal(error, language)), "reason": error.key})
        return answers

    def read(self, image: str | None, request: gr.Request) -> tuple[Any, Any, Any, str]:
        """`predict` for the page, where an empty photograph is no mistake: it clears the answer. Also the token."""
        if image is None:
            return None, None, None, ""
        language = self.language_of(request)
        photograph = self._recognise(image, language)
        return *self._answer(photograph, language), self.recent.put(photograph)

    def describe(self, token: str, request: gr.Request) -> tuple[Any, ...]:
        """The choice of faces, the sentence under the photograph, the bars of the largest face, and `_looking`."""
        photograph = self.recent.get(token)
        if photograph is None:
            return gr.Radio(choices=[], value=None, visible=False), "", "", *_looking(None)
        language, faces = self.language_of(request), photograph.recognition.faces
        choices = [(say(language, "face_number", number=index + 1), index) for index in range(len(faces))]
        choice = gr.Radio(choices=choices, value=0 if faces else None, visible=len(faces) > 1)
        if not faces:
            return choice, say(language, "no_face_found"), "", *_looking(None)
        key = "one_face" if len(faces) == 1 else "many_faces"
        sentence = say(language, key, count=len(faces), milliseconds=round(photograph.recognition.milliseconds))
        note = say(language, "low_quality") if faces[0].face.quality.overall < LOW_QUALITY else ""
        return choice, f"{sentence} {note}", _bars(photograph, 0, language), *_looking(False)

    def choose(self, token: str, chosen: object, request: gr.Request) -> tuple[Any, ...]:
        """The photograph with the chosen face marked, its bars, and `_looking`."""
        language = self.language_of(request)
        photograph, face = self._chosen(token, chosen, language)
        if photograph is None:
            return (gr.skip(),) * 5
        drawn = _drawn(photograph, photograph.pixels, face, language)
        return drawn, _bars(photograph, face, language), *_looking(False)

    def explain(self, token: str, chosen: object, request: gr.Request) -> tuple[Any, ...]:
        """The photograph with the places of the chosen face that spoke for its expression in warm colours, and
        `_looking`."""
        language = self.language_of(request)
        photograph, index = self._chosen(token, chosen, language)
        if photograph is None:
            return (gr.skip(),) * 4
        found = photograph.recognition.faces[index]
        face = found.face.scaled(photograph.scale, photograph.scale)
        with self.pace.piece():
            heat = self.classifier.where_it_looked(photograph.pixels, face, found.prediction.expression)
        preset = self.classifier.checkpoint.configuration
        drawn = _drawn(photograph, overlay_heat(photograph.pixels, face, heat, preset), index, language)
        return drawn, *_looking(True)

    def face_at(self, token: str, event: gr.SelectData) -> Any:
        """The face that was tapped on the drawn photograph: the smallest box around the place."""
        photograph, place = self.recent.get(token), event.index
        if photograph is None or not isinstance(place, (list, tuple)) or len(place) != 2:
            return gr.skip()
        if not all(type(value) in (int, float) for value in place):
            return gr.skip()
        x, y = (value / photograph.scale for value in place)
        boxes = [found.face.box for found in photograph.recognition.faces]
        around = [
            ((right - left) * (bottom - top), index)
            for index, (left, top, right, bottom) in enumerate(boxes)
            if left <= x <= right and top <= y <= bottom
        ]
        return min(around)[1] if around else gr.skip()

    def _recognise(self, image: str | None, language: str) -> Photograph:
        if image is None:
            raise gr.Error(say(language, "error_no_image"), print_exception=False)
        try:
            with self.pace.piece():
                decoded = self.decoder.read(Path(image))
                recognition = self.classifier.recognise(decoded)
                shown = reduced(decoded.pixels)
        except ImageError as error:
            raise gr.Error(str(image_refusal(error, language)), print_exception=False) from error
        return Photograph(shown, shown.shape[1] / decoded.size[0], recognition)

    def _answer(self, photograph: Photograph, language: str) -> tuple[Image.Image, dict[str, float] | None, Details]:
        drawn = _drawn(photograph, photograph.pixels, 0, language)
        faces = photograph.recognition.faces
        first = dict(zip(KEYS, faces[0].prediction.probabilities, strict=True)) if faces else None
        return drawn, confidences(first, language) if first else None, recognition_details(photograph.recognition)

    def _chosen(self, token: str, chosen: object, language: str) -> tuple[Photograph | None, int]:
        """The photograph and the number of one of its faces; None, and the visitor is told, if there is no such."""
        photograph = self.recent.get(token)
        if photograph is None or type(chosen) is not int or not 0 <= chosen < len(photograph.recognition.faces):
            gr.Info(say(language, "choose_photo_first"))
            return None, 0
        return photograph, chosen


def build_try_it(
    classifier: EmotionClassifier,
    language_of: Callable[[gr.Request], str],
    word: Callable[[str], Any],
    decoder: IsolatedDecoder,
    pace: Pace,
) -> None:
    """Put the tab's components and endpoints into the present Blocks. ``word``: a key's text, translated by Gradio."""
    page = TryIt(classifier, language_of, decoder, pace)
    gr.Markdown(word("try_intro"))
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320):
            photo = photo_input(
                label=word("photo"),
                sources=["upload", "clipboard", "webcam"],
                height=360,
                webcam_options=gr.WebcamOptions(mirror=True),
                buttons=[],
                elem_id="photo",
            )
            gr.Examples(sorted(str(path) for path in EXAMPLES.glob("*.jpg")), photo, label=word("examples"))
            gr.Markdown(word("meaning"), elem_id="meaning")
        with gr.Column(min_width=320):
            drawn = gr.Image(
                label=word("result_photo"),
                format="jpeg",
                height=360,
                interactive=False,
                buttons=["fullscreen"],
                elem_id="drawn",
            )
            sentence = gr.Markdown(elem_id="sentence")
            which = gr.Radio(label=word("which_face"), choices=[], visible=False, elem_id="which-face")
            chart = gr.HTML(elem_id="bars")
            explain = gr.Button(word("explain"), visible=False, elem_id="explain")
            legend = gr.Markdown(word("heat_legend"), visible=False, elem_id="heat-legend")
            back = gr.Button(word("explain_back"), visible=False, elem_id="explain-back")
    with gr.Accordion(word("details"), open=False):
        answer = gr.JSON(show_label=False, label="details")
    label = gr.Label(num_top_classes=len(KEYS), visible=False, label="expression")

    token = gr.Textbox(visible="hidden")  # a State would keep a connection of each visitor open
    private: dict[str, Any] = {"api_visibility": "private"}
    photo.change(page.read, photo, [drawn, label, answer, token], **private).then(
        page.describe, token, [which, sentence, chart, explain, legend, back], **private
    )
    looking = [explain, legend, back]
    chosen: dict[str, Any] = {"fn": page.choose, "inputs": [token, which], **private}
    chosen["outputs"] = [drawn, chart, *looking]
    which.input(**chosen)
    back.click(**chosen)
    explain.click(page.explain, [token, which], [drawn, *looking], **private)
    drawn.select(page.face_at, token, which, **private).then(**chosen)

    # The named endpoints hang on components that the page does not show: their arguments and answers are the contract.
    gr.Button(visible=False).click(page.predict, photo, [drawn, label, answer], api_name="predict")
    files = gr.File(file_count="multiple", visible=False, label="images")
    batch = gr.JSON(visible=False, label="details")
    gr.Button(visible=False).click(page.predict_batch, files, batch, api_name="predict_batch")


def _looking(shown: bool | None) -> tuple[gr.Button, gr.Markdown, gr.Button]:
    """The button that shows where the network looked; while it is ``shown``, instead of it what the colours mean and
    the way back. None: there is no face that could be looked at."""
    return gr.Button(visible=shown is False), gr.Markdown(visible=bool(shown)), gr.Button(visible=bool(shown))


def _drawn(photograph: Photograph, pixels: np.ndarray, chosen: int, language: str) -> Image.Image:
    """The faces of a photograph on ``pixels``, which have the size of its shown copy."""
    faces = photograph.recognition.faces
    boxes = [found.face.scaled(photograph.scale, photograph.scale).box for found in faces]
    return annotate(pixels, boxes, [found.prediction for found in faces], chosen, language)


def _bars(photograph: Photograph, chosen: int, language: str) -> str:
    probabilities = photograph.recognition.faces[chosen].prediction.probabilities
    return probability_bars(dict(zip(KEYS, probabilities, strict=True)), language)
