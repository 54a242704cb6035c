"""The station page: Try it, Lesson, About."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from emotion.classifier import EmotionClassifier
from emotion.images.isolated import IsolatedDecoder
from emotion.serving.upload_limits import KEEP_SECONDS
from emotion.station.calibration.panel import build_calibration
from emotion.station.calibration.teaching import Teaching
from emotion.station.endpoints import add_endpoints
from emotion.station.frame_intake import FrameIntake
from emotion.station.lesson import OPENING_SCRIPT, STATIC, build_lesson
from emotion.station.live.panel import build_live
from emotion.station.pace import Pace
from emotion.station.photograph.panel import build_photograph
from emotion.station.texts import TEXTS, say
from emotion.station.try_it import add_try_it

CSS = (STATIC / "station.css").read_text(encoding="utf-8")
NOTICES_CSS = (STATIC / "notices.css").read_text(encoding="utf-8")  # of both pages, as the theme is

LOW_QUALITY = 0.3  # of a face; below it Try it says that the bars are less reliable
# Seconds between clean-ups, and the age at which an uploaded or a drawn photograph is deleted.
DELETE_CACHE = (30, int(KEEP_SECONDS))


def theme() -> gr.themes.Base:
    """The look of both pages: calm, and without a font from another server, which would learn who visits.

    Only weights of which Gradio ships the whole font are used: its semi-bold Plex has some letters of Latin only.
    """
    return gr.themes.Soft(
        primary_hue="blue",
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "monospace"],
    ).set(  # as the theme, but so dark (or, on a dark page, so light) that every text has a contrast of 4.5:1
        background_fill_primary="*neutral_50",  # that of the theme, which `set` would forget
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_300",
        block_label_text_color="*primary_700",
        block_title_text_color="*primary_700",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        checkbox_label_background_fill_selected="*primary_600",
    )


def translations(classifier: EmotionClassifier) -> gr.I18n:
    """The page's words for Gradio, which shows those of the browser's language."""
    versions = {"model": classifier.checkpoint.version, "runtime": classifier.runtime.name}
    return gr.I18n(**{language: TEXTS[language] | {"about": say(language, "about", **versions)} for language in TEXTS})


def build_station(
    classifier: EmotionClassifier,
    intake: FrameIntake,
    language_of: Callable[[gr.Request], str],
    word: Callable[[str], Any],
    decoder: IsolatedDecoder,
    teaching: Teaching,
    pace: Pace,
    photograph_bytes: int,
    frames_per_second: float = 1.0,
    retention_days: int = 30,
    is_teacher: Callable[[Any], bool] = lambda _: False,
) -> gr.Blocks:
    """The page and its named endpoints. ``word``: `translations`; ``decoder`` opens the photographs of programs, which
    keep to ``pace``; ``photograph_bytes``: the largest photograph of the page; ``frames_per_second``: where a lesson
    begins; ``is_teacher``: whether a request may speak of the whole class."""
    with gr.Blocks(title=TEXTS["en"]["title"], analytics_enabled=False, delete_cache=DELETE_CACHE) as page:
        gr.Markdown(word("title_heading"))
        with gr.Tabs() as tabs:
            with gr.Tab(word("tab_try"), id="try"), gr.Tabs():
                with gr.Tab(word("photo"), id="photograph"):
                    build_photograph(LOW_QUALITY, photograph_bytes)
                    gr.Markdown(word("meaning"), elem_id="meaning")
                with gr.Tab(word("tab_live"), id="live"):
                    build_live(LOW_QUALITY)
            with gr.Tab(word("tab_lesson"), id="lesson"):
                build_lesson(frames_per_second, retention_days)
            with gr.Tab(word("tab_about"), id="about"):
                gr.Markdown(word("about"))
        build_calibration()
        page.load(None, None, [tabs], js=OPENING_SCRIPT, api_visibility="private")
        add_try_it(classifier, language_of, decoder, pace)
        add_endpoints(intake, teaching, language_of, page.upload_file_set, is_teacher)
    return page
