"""The endpoints `predict` and `predict_batch`: photographs of programs in, boxes and numbers out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from emotion.classifier import EmotionClassifier, Recognition
from emotion.images import DecodedImage, ImageError
from emotion.images.isolated import IsolatedDecoder
from emotion.labels import KEYS
from emotion.station.annotate import annotate, reduced
from emotion.station.observing import image_refusal
from emotion.station.pace import Pace
from emotion.station.photo import photo_input
from emotion.station.responses import confidences, recognition_details
from emotion.station.texts import say

MAXIMUM_IMAGES = 64  # of one `predict_batch`: about ten seconds on two cores

Details = dict[str, Any]


@dataclass(frozen=True)
class TryIt:
    """The handlers of the two endpoints."""

    classifier: EmotionClassifier
    language_of: Callable[[gr.Request], str]
    decoder: IsolatedDecoder
    pace: Pace

    def predict(self, image: str | None, request: gr.Request) -> tuple[Image.Image, dict[str, float] | None, Details]:
        """Reads the expressions of all faces in a photograph.

        Returns the photograph with boxes and labels, the label with its confidences for the largest face (empty without
        a face), and details: faces (box, landmarks, score, quality, expression, probabilities), model, milliseconds.
        """
        language = self.language_of(request)
        decoded, recognition = self._recognise(image, language)
        shown, faces = reduced(decoded.pixels), recognition.faces
        scale = shown.shape[1] / decoded.size[0]
        boxes = [found.face.scaled(scale, scale).box for found in faces]
        drawn = annotate(shown, boxes, [found.prediction for found in faces], language=language)
        first = dict(zip(KEYS, faces[0].prediction.probabilities, strict=True)) if faces else None
        return drawn, confidences(first, language) if first else None, recognition_details(recognition)

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

    def _recognise(self, image: str | None, language: str) -> tuple[DecodedImage, Recognition]:
        if image is None:
            raise gr.Error(say(language, "error_no_image"), print_exception=False)
        try:
            with self.pace.piece():
                decoded = self.decoder.read(Path(image))
                return decoded, self.classifier.recognise(decoded)
        except ImageError as error:
            raise gr.Error(str(image_refusal(error, language)), print_exception=False) from error


def add_try_it(
    classifier: EmotionClassifier, language_of: Callable[[gr.Request], str], decoder: IsolatedDecoder, pace: Pace
) -> None:
    """Put the two endpoints into the present Blocks. They hang on components that the page does not show: their
    arguments and answers are the contract."""
    page = TryIt(classifier, language_of, decoder, pace)
    hidden: dict[str, Any] = {"visible": False}
    drawn, label = gr.Image(format="jpeg", **hidden), gr.Label(num_top_classes=len(KEYS), label="expression", **hidden)
    answer = gr.JSON(label="details", **hidden)
    gr.Button(**hidden).click(page.predict, photo_input(**hidden), [drawn, label, answer], api_name="predict")
    files, batch = gr.File(file_count="multiple", label="images", **hidden), gr.JSON(label="details", **hidden)
    gr.Button(**hidden).click(page.predict_batch, files, batch, api_name="predict_batch")
