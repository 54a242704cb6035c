"""The named endpoints about a child's own face: link, fitting, forgetting. Each docstring documents its endpoint."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from analytics.classroom.calibration_links import VALID
from analytics.teacher.calibrations import fit, forget, make_code, outcome_json
from analytics.teacher.context import TeacherContext


def add_calibration_api(context: TeacherContext, endpoint: Callable[[Callable[..., Any]], None]) -> None:
    """Adds the endpoints to the page that is being built."""

    def calibration_link(child: str, class_name: str = "", request: gr.Request = None) -> dict:  # type: ignore[assignment]
        """Makes a code with which a child (pseudonym, or code with its class) may show its own face for an hour: it
        stands in the address of the station page, ``/?calibration=CODE``, and is the ``child`` of the endpoint teach.

        The child needs a consent of its own for this: set_consent with the purpose calibration. An earlier code of the
        child ends. Answers child, code, seconds."""
        known = context.child(class_name, child)
        code = make_code(context, known)
        return {"child": known.pseudonym, "code": code, "seconds": round(VALID.total_seconds())}

    def fit_child(child: str, class_name: str = "", request: gr.Request = None) -> dict:  # type: ignore[assignment]
        """Fits the network's last layer to the pictures that a child (pseudonym, or code with its class) has shown,
        those that the teacher has left out apart, within five seconds. From the next lesson on the child is read by it
        if it is ``adopted``.

        Answers child, adopted, reason (null, or no_gain: it is not certain that the child would be read better),
        message, frames, shown (the expressions that were fitted), before and after (mean recall on bursts that were
        left out, 0 to 1), gain_low and gain_high (the interval, -1 to 1, of what the probability of the right
        expression gains there, which decides)."""
        known = context.child(class_name, child)
        return outcome_json(known, fit(context, known), context.language_of(request))

    def forget_calibration(child: str, class_name: str = "", request: gr.Request = None) -> dict:  # type: ignore[assignment]
        """Deletes all that was taught of the face of a child (pseudonym, or code with its class): there is no way back.
        From the next frame on it is read as everybody is. The layer of its class, which may have been fitted to it too,
        goes as well. Answers child and frames (how many there were)."""
        known = context.child(class_name, child)
        return {"child": known.pseudonym, "frames": forget(context, known)}

    for handler in (calibration_link, fit_child, forget_calibration):
        endpoint(handler)
