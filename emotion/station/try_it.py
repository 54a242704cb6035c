"""The Try it tab: a photograph in, boxes and bars out; also the endpoints `predict` and `predict_batch`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from PIL import Image

from emotion.classifier import EmotionClassifier
from emotion.faces.detector import Face, align
from emotion.faces.quality import Quality
from emotion.images import ImageError, read_image
from emotion.labels import KEYS, Emotion, Prediction
from emotion.station.annotate import MAXIMUM_SIDE, annotate
from emotion.station.heat_overlay import overlay_heat
from emotion.station.observing import image_refusal
from emotion.station.photo import photo_input
from emotion.station.responses import confidences, probability_bars, recognition_details
from emotion.station.texts import say

if TYPE_CHECKING:
    from emotion.network.gradcam import Explainer

EXAMPLES = Path(__file__).resolve().parent / "examples"
LOW_QUALITY = 0.3  # below it the page says that the bars are less reliable
MAXIMUM_IMAGES = 64  # of one `predict_batch`: about ten seconds on two cores

Details = dict[str, Any]


@dataclass(frozen=True)
class TryIt:
    """The handlers of the tab."""

    classifier: EmotionClassifier
    language_of: Callable[[gr.Request], str]

    def predict(self, image: str | None, request: gr.Request) -> tuple[Image.Image, dict[str, float] | None, Details]:
        """Reads the expressions of all faces in a photograph.

        Returns the photograph with boxes and labels, the label with its confidences for the largest face (empty without
        a face), and details: faces (box, landmarks, score, quality, expression, probabilities), model, milliseconds.
        """
        language = self.language_of(request)
        if image is None:
            raise gr.Error(say(language, "error_no_image"), print_exception=False)
        try:
            pixels = read_image(image)
            recognition = self.classifier.recognise(pixels)
        except ImageError as error:
            raise gr.Error(str(image_refusal(error, language)), print_exception=False) from error
        faces = recognition.faces
        drawn = annotate(
            pixels, [found.face.box for found in faces], [found.prediction for found in faces], language=language
        )
        answer = recognition_details(recognition)
        first = dict(zip(KEYS, faces[0].prediction.probabilities, strict=True)) if faces else None
        return drawn, confidences(first, language) if first else None, answer

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
                answers.append(recognition_details(self.classifier.recognise(image)))
            except ImageError as error:
                answers.append({"error": str(image_refusal(error, language)), "reason": error.key})
        return answers

    @cached_property
    def explainer(self) -> "Explainer":
        """Made at the first question: it needs torch, which a start on OpenVINO does without."""
        from emotion.network.gradcam import Explainer

        return Explainer(self.classifier.checkpoint)

    def read(self, image: str | None, request: gr.Request) -> tuple[Any, Any, Any]:
        """`predict` for the page, where an empty photograph is no mistake: it clears the answer."""
        return (None, None, None) if image is None else self.predict(image, request)

    def describe(self, answer: Details | None, request: gr.Request) -> tuple[Any, str, str, Any]:
        """The choice of faces, the sentence under the photograph, the bars of the largest face, the button."""
        if not answer:
            return gr.Radio(choices=[], value=None, visible=False), "", "", gr.Button(visible=False)
        language, faces = self.language_of(request), answer["faces"]
        choices = [(say(language, "face_number", number=index + 1), index) for index in range(len(faces))]
        choice = gr.Radio(choices=choices, value=0 if faces else None, visible=len(faces) > 1)
        if not faces:
            return choice, say(language, "no_face_found"), "", gr.Button(visible=False)
        key = "one_face" if len(faces) == 1 else "many_faces"
        sentence = say(language, key, count=len(faces), milliseconds=round(answer["milliseconds"]))
        bars_of_first = probability_bars(faces[0]["probabilities"], language)
        note = _quality_note(faces[0], language)
        return choice, f"{sentence} {note}", bars_of_first, gr.Button(visible=True)

    def choose(
        self, image: str | None, answer: Details | None, chosen: int | None, request: gr.Request
    ) -> tuple[Any, Any]:
        """The photograph with the chosen face marked, and its bars."""
        if image is None or not answer or chosen is None or not 0 <= chosen < len(answer["faces"]):
            return gr.skip(), gr.skip()
        language = self.language_of(request)
        drawn = _drawn(read_image(image), answer, chosen, language)
        return drawn, probability_bars(answer["faces"][chosen]["probabilities"], language)

    def explain(self, image: str | None, answer: Details | None, chosen: int | None, request: gr.Request) -> Any:
        """The photograph with the places of the chosen face that spoke for its expression in warm colours."""

        language = self.language_of(request)
        if image is None or not answer or chosen is None or not 0 <= chosen < len(answer["faces"]):
            gr.Info(say(language, "choose_photo_first"))
            return gr.skip()
        pixels = read_image(image)
        preset = self.classifier.checkpoint.configuration
        details_of_face = answer["faces"][chosen]
        quality = {key: value for key, value in details_of_face["quality"].items() if key != "overall"}
        face = Face(
            tuple(details_of_face["box"]),
            tuple((x, y) for x, y in details_of_face["landmarks"]),
            details_of_face["score"],
            Quality(**quality),
        )
        crop = align(pixels, face, preset.crop_template, preset.crop_size, preset.colour)
        heat = self.explainer.explain(crop, Emotion[details_of_face["expression"].upper()])
        # Laid over the copy that is shown: over a photograph of 50 megapixels it would take gigabytes.
        scale = min(1.0, MAXIMUM_SIDE / max(pixels.shape[:2]))
        shown = Image.fromarray(pixels)
        shown = shown.resize((max(1, round(shown.width * scale)), max(1, round(shown.height * scale))))
        smaller = replace(face, landmarks=tuple((x * scale, y * scale) for x, y in face.landmarks))
        warm = overlay_heat(np.asarray(shown), smaller, heat, preset)
        return _drawn(warm, answer, chosen, language, scale)

    @staticmethod
    def face_at(answer: Details | None, event: gr.SelectData) -> Any:
        """The face that was tapped on the drawn photograph: the smallest box around the place."""
        if not answer or not answer["faces"]:
            return gr.skip()
        x, y = event.index
        # The drawn copy may be smaller than the photograph to which the boxes belong.
        scale = max(1.0, max(answer["width"], answer["height"]) / MAXIMUM_SIDE)
        around = [
            (_area(face["box"]), index)
            for index, face in enumerate(answer["faces"])
            if face["box"][0] <= x * scale <= face["box"][2] and face["box"][1] <= y * scale <= face["box"][3]
        ]
        return min(around)[1] if around else gr.skip()


def build_try_it(
    classifier: EmotionClassifier, language_of: Callable[[gr.Request], str], word: Callable[[str], Any]
) -> None:
    """Put the tab's components and endpoints into the present Blocks. ``word``: a key's text, translated by Gradio."""
    page = TryIt(classifier, language_of)
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
    with gr.Accordion(word("details"), open=False):
        answer = gr.JSON(show_label=False, label="details")
    label = gr.Label(num_top_classes=len(KEYS), visible=False, label="expression")

    private: dict[str, Any] = {"api_visibility": "private"}
    photo.change(page.read, photo, [drawn, label, answer], **private).then(
        page.describe, answer, [which, sentence, chart, explain], **private
    )
    chosen: dict[str, Any] = {"fn": page.choose, "inputs": [photo, answer, which], "outputs": [drawn, chart], **private}
    which.input(**chosen)
    explain.click(page.explain, [photo, answer, which], drawn, **private)
    drawn.select(page.face_at, answer, which, **private).then(**chosen)

    # The named endpoints hang on components that the page does not show: their arguments and answers are the contract.
    gr.Button(visible=False).click(page.predict, photo, [drawn, label, answer], api_name="predict")
    files = gr.File(file_count="multiple", visible=False, label="images")
    batch = gr.JSON(visible=False, label="details")
    gr.Button(visible=False).click(page.predict_batch, files, batch, api_name="predict_batch")


def _drawn(pixels: np.ndarray, answer: Details, chosen: int, language: str, scale: float = 1.0) -> Image.Image:
    """The answer's faces on ``pixels``, which may be a copy of the photograph reduced by ``scale``."""
    predictions = [
        Prediction(tuple(face["probabilities"][key] for key in KEYS), face["quality"]["overall"], answer["model"])
        for face in answer["faces"]
    ]
    boxes = [tuple(value * scale for value in face["box"]) for face in answer["faces"]]
    return annotate(pixels, boxes, predictions, chosen, language)


def _quality_note(face: Details, language: str) -> str:
    return say(language, "low_quality") if face["quality"]["overall"] < LOW_QUALITY else ""


def _area(box: list[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
