"""What the teacher's page and its endpoints do with a child's own face: consent, link, fitting, forgetting."""

from collections.abc import Collection
from typing import Any

from markupsafe import Markup

from analytics.classroom.calibration_links import VALID
from analytics.classroom.calibrator import Burst, Calibrator, FitOutcome
from analytics.store.calibrations import Calibration
from analytics.store.records import Child
from analytics.teacher.context import TeacherContext
from analytics.teacher.downloads import remove_downloads
from analytics.teacher.station_links import qr_code, station_address
from analytics.words.sentences import animal_name, class_title, date_time_text, time_of_day
from analytics.words.templates import render
from analytics.words.texts import expression_name, say
from analytics.words.user_errors import UserError

# Below this a burst is told to disagree: the expression asked for is less probable than all others together, by far.
DISAGREES = 0.25


def calibrator_of(context: TeacherContext) -> Calibrator:
    """The page's calibrator. `UserError` where nothing can be fitted here."""
    if context.calibrator is None:
        raise UserError("error_calibration_none")
    return context.calibrator


def set_calibration_consent(context: TeacherContext, child: Child, given: bool, role: str) -> Child:
    """Puts the consent to the game on file or withdraws it, which deletes what was taught. `UserError` for a child that
    may not be recorded."""
    if given and (child.consent is None or not child.consent.holds_at(context.store.clock())):
        raise UserError("error_recording_consent")
    if not given:
        remove_downloads()
    return calibrator_of(context).set_consent(child.pseudonym, given, role)


def forget(context: TeacherContext, child: Child) -> int:
    """Deletes all that was taught of a child's face, and what was written of it to be fetched; returns how many frames
    there were."""
    remove_downloads()
    return calibrator_of(context).forget(child.pseudonym)


def make_code(context: TeacherContext, child: Child) -> str:
    """The code of a new link for a child. `UserError` without its consents."""
    if not child.may_be_calibrated(context.store.clock()):
        raise UserError("error_calibration_consent")
    return calibrator_of(context).invite(child.pseudonym)


def link_html(context: TeacherContext, child: Child, code: str, place: str, language: str, zone: str) -> Markup:
    """The link to the game as an address and as a QR code that a tablet's camera reads."""
    address = station_address(place, calibration=code)
    return render(
        "teacher/calibration_link.html",
        language,
        animal=child.animal,
        until=time_of_day(context.store.clock() + VALID, zone),
        picture=qr_code(address),
        link=address,
    )


def fit(context: TeacherContext, child: Child, counted: Collection[int] | None = None) -> FitOutcome:
    """Fits a layer to the bursts ``counted``, or to those that counted before. `UserError` where that is too little,
    and without the child's consents; then nothing changes."""
    if not child.may_be_calibrated(context.store.clock()):
        raise UserError("error_calibration_consent")
    outcome = calibrator_of(context).fit(child.pseudonym, counted)
    if outcome.reason == "too_few":
        raise UserError("error_calibration_few")
    return outcome


def fit_class(context: TeacherContext, class_name: str) -> FitOutcome:
    """Fits a layer to a class. `UserError` where too few of its children have played."""
    outcome = calibrator_of(context).fit_class(class_name)
    if outcome.reason == "too_few":
        raise UserError("error_class_calibration_few")
    return outcome


def class_calibration_html(context: TeacherContext, class_name: str, language: str, zone: str) -> Markup:
    """What was fitted to a class of the reader's, and what that brought."""
    calibrator = calibrator_of(context)
    name = class_title(language, class_name)
    found = calibrator.class_calibration(class_name)
    if found is None:
        state = say(language, "class_calibration_none", class_name=name)
        return render("teacher/calibration.html", language, state=state, measured="")
    if calibrator.is_current(found):
        key = "class_calibration_used" if found.adopted else "class_calibration_refused"
    else:
        key = "class_calibration_outdated"
    when = date_time_text(language, found.at, zone)
    state = say(language, key, when=when, class_name=name, moments=found.frames)
    return render("teacher/calibration.html", language, state=state, measured=measured_text(found, language))


def calibration_html(context: TeacherContext, child: Child, language: str, zone: str) -> Markup:
    """Whether a child is read by its own face, since when, by how many pictures, and what that brought."""
    calibrator = calibrator_of(context)
    found, bursts = calibrator.calibration(child.pseudonym), calibrator.taken(child.pseudonym)
    if found is None:
        frames = sum(burst.frames for burst in bursts)
        shared = calibrator.class_calibration(child.class_name)
        if not frames and shared is not None and shared.adopted and calibrator.is_current(shared):
            state = say(language, "calibration_by_class")
            return render("teacher/calibration.html", language, state=state, measured="")
        state = say(language, "calibration_frames_only", frames=frames) if frames else say(language, "calibration_none")
        return render("teacher/calibration.html", language, state=state, measured="")
    key = state_key(calibrator, found)
    shown = ", ".join(expression_name(language, label) for label in found.shown)
    when = date_time_text(language, found.at, zone)
    state = say(language, key, when=when, frames=found.frames, shown=shown)
    return render("teacher/calibration.html", language, state=state, measured=measured_text(found, language))


def state_key(calibrator: Calibrator, found: Calibration) -> str:
    """The key of the sentence about what was fitted."""
    if not calibrator.is_current(found):
        return "calibration_outdated"
    if not found.adopted:
        return "calibration_refused"
    return "calibration_used" if found.in_use else "calibration_paused"


def measured_text(found: Calibration, language: str) -> str:
    """Before and after in per cent, and the interval of the gain in points."""
    return say(
        language,
        "calibration_measured",
        before=round(100 * found.before),
        after=round(100 * found.after),
        low=_signed(found.low),
        high=_signed(found.high),
    )


def burst_text(burst: Burst, language: str) -> str:
    """One line about a burst."""
    if burst.agreement is None:
        key = "calibration_burst" if burst.left_out else "calibration_burst_alone"
    else:
        key = "calibration_burst_disagrees" if burst.agreement < DISAGREES else "calibration_burst"
    label = expression_name(language, burst.label)
    return say(language, key, label=label, burst=burst.burst + 1, frames=burst.frames)


def outcome_json(child: Child, outcome: FitOutcome, language: str) -> dict[str, Any]:
    """What a fit brought, as the endpoint tells it."""
    found = outcome.calibration
    assert found is not None
    key = "calibration_fitted" if outcome.reason is None else "calibration_not_fitted"
    return {
        "child": child.pseudonym,
        "adopted": found.adopted,
        "reason": outcome.reason,
        "message": say(language, key, animal=animal_name(language, child.animal)),
        "frames": found.frames,
        "shown": list(found.shown),
        "before": round(found.before, 4),
        "after": round(found.after, 4),
        "gain_low": round(found.low, 4),
        "gain_high": round(found.high, 4),
    }


def _signed(share: float) -> str:
    points = round(100 * share)
    return f"+{points}" if points > 0 else f"−{-points}" if points < 0 else "0"
