"""Starts the app: the station page at ``/``, the teacher page at ``/teacher``, one lesson store behind both."""

import hmac
import logging
import os
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio.utils import get_upload_folder
from starlette.requests import HTTPConnection
from starlette.types import Scope

from analytics.access.accounts import Accounts, AccountsError, accounts_file, load_accounts, missing_accounts
from analytics.access.known_devices import KnownDevices
from analytics.access.login import LoginMiddleware, authenticated_teacher, is_local, known_devices, known_teacher
from analytics.access.tokens import LiveTokens
from analytics.classroom.calibrator import Calibrator
from analytics.classroom.pseudonyms import load_secret
from analytics.classroom.recorder import LessonRecorder
from analytics.insight.own_signals import OwnSignals
from analytics.signals.announcements import SignalJournals
from analytics.store.housekeeping import Housekeeper
from analytics.store.hub_backup import HubBackup
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError
from analytics.store.recovery import open_store
from analytics.teacher.downloads import DownloadsMiddleware, downloads_folder
from analytics.teacher.page import build_page, make_context
from analytics.teacher.page import css as teacher_css
from analytics.teacher.page import translations as teacher_words
from analytics.teacher.programs.http_routes import add_teacher_routes
from analytics.teacher.programs.token_audit import audit_tokens
from analytics.words.sentences import animal_name
from emotion.classifier import EmotionClassifier
from emotion.faces.detector import FaceDetectorError
from emotion.images.isolated import IsolatedDecoder
from emotion.network.checkpoint import CheckpointError
from emotion.personal.serving import HeadFitting
from emotion.serving.addresses import network_of
from emotion.serving.allowed_routes import AllowedRoutesMiddleware
from emotion.serving.function_calls import FunctionCallsMiddleware
from emotion.serving.health import Metrics, add_health_routes
from emotion.serving.html_head import HtmlHeadMiddleware
from emotion.serving.input_guard import guard_inputs
from emotion.serving.language import language_of
from emotion.serving.logs import log_to_stderr
from emotion.serving.memory import limit_heaps, periodic_memory_trim
from emotion.serving.programs.answers import PREFIX as PROGRAMS
from emotion.serving.programs.answers import ProgramAnswersMiddleware, carried
from emotion.serving.programs.event_streams import EventStreams
from emotion.serving.programs.interface import make_interface
from emotion.serving.rate_limits import RateLimitMiddleware
from emotion.serving.response_headers import OwnSiteMiddleware, ResponseHeadersMiddleware
from emotion.serving.settings import Settings, SettingsError
from emotion.serving.slow_clients import SlowClientProtocol, allow_open_files
from emotion.serving.unexpected_errors import add_error_answer, tell_in_a_sentence
from emotion.serving.upload_limits import keep_uploads_apart, periodic_sweep
from emotion.serving.uploads import forbid_core_dumps, use_private_upload_folder
from emotion.station.calibration.http_routes import add_calibration_routes
from emotion.station.calibration.teaching import make_teaching
from emotion.station.frame_intake import FrameIntake
from emotion.station.http_routes import add_frame_routes
from emotion.station.known_stations import KnownStations
from emotion.station.live.http_routes import add_live_route
from emotion.station.live.live_frames import LiveFrames
from emotion.station.observing import Observer
from emotion.station.pace import Pace
from emotion.station.page import CSS, NOTICES_CSS, build_station, theme, translations
from emotion.station.photograph.http_routes import add_photograph_routes
from emotion.station.photograph.photographs import Photographs
from emotion.station.programs.http_routes import add_station_routes
from emotion.station.tablet_marks import COOKIE, TabletMarks

DRAIN_SECONDS = 5  # for requests that run when the server is told to stop; open pages never finish by themselves
# Who closes an idle connection first must be the client: closed by the server in the moment in which a frame sets off
# (uvicorn's own 5 s are also what httpx waits), it fails for nothing. Browsers and curl wait up to two minutes.
KEEP_ALIVE_SECONDS = 125

logger = logging.getLogger("app")


class PortTakenError(RuntimeError):
    """Another program listens on the address; the message names it and the remedy."""


def reserve_port(settings: Settings) -> socket.socket:
    """Take the address before anything heavy is loaded. Raises `PortTakenError`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = None
    try:
        # The protocol is named because asyncio sends small answers at once (TCP_NODELAY) only where it is: each answer
        # on a kept connection would wait 40 ms for the other side's acknowledgement.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # "::" means both kinds of address, whatever the system's default is
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((settings.host, settings.port))
    except OSError as error:
        if listener is not None:
            listener.close()
        raise PortTakenError(
            f"{address_text(settings.host, settings.port)} cannot be used ({error.strerror}): stop the program that "
            "listens there, or set GRADIO_SERVER_PORT to another port."
        ) from error
    return listener


def address_text(host: str, port: int) -> str:
    """Host and port as they stand in a web address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def known_device(marks: TabletMarks, devices: KnownDevices, scope: Scope) -> str:
    """The tablet that took part before, or the computer on which a teacher logged in, that a request is from; "" for
    neither."""
    cookies = HTTPConnection(scope).cookies
    if mark := marks.owner(cookies.get(COOKIE, "")):
        return f"tablet {mark}"
    return f"computer {device}" if (device := devices.owner(cookies)) else ""


def compose(settings: Settings, store: LessonStore) -> FastAPI:
    """Both pages and the plain routes on one server."""
    metrics = Metrics()
    classifier = EmotionClassifier(settings.checkpoint, settings.runtime, on_batch=metrics.batch_faces.observe)
    classifier.warm_up()
    secret = load_secret(settings.secret, settings.database.with_name("secret"))
    recorder = LessonRecorder(store, secret)
    station_recorder = recorder if settings.keeps_lessons else None
    metrics.gauge("expression_store_waiting", "Writes that wait for their commit", lambda: store.waiting_writes)
    calibrator = Calibrator(store, HeadFitting(classifier))
    intake = FrameIntake(Observer(classifier, station_recorder, calibrator.head), metrics)
    teaching = make_teaching(classifier, calibrator if station_recorder else None, intake.door, animal_name)
    marks = TabletMarks(hmac.digest(secret, b"tablets", "sha256"))
    accounts = load_accounts(settings.accounts) if settings.keeps_lessons else Accounts({})
    visitors = settings.is_demonstration
    if not settings.keeps_lessons:
        logger.info("A demonstration: without EMOTION_SECRET nothing is recorded, and no account is read")
    elif warning := missing_accounts(settings.accounts):
        logger.warning("%s", warning)
    devices = known_devices(accounts, hmac.digest(secret, b"teachers' devices", "sha256"))
    tokens = LiveTokens(
        lambda: load_accounts(settings.accounts).tokens if settings.keeps_lessons else {},
        accounts_file(settings.accounts),
        noted=partial(audit_tokens, store),
    )
    journals = SignalJournals(store)

    app = FastAPI(title="Expression station", docs_url=None, redoc_url=None, openapi_url=None)
    pages: dict[str, gr.Blocks] = {}
    # The last one added is the first that a request meets.
    app.add_middleware(DownloadsMiddleware, language_of=language_of)
    app.add_middleware(FunctionCallsMiddleware, pages=pages, visitor=known_teacher)
    app.add_middleware(
        LoginMiddleware,
        accounts=accounts,
        language_of=language_of,
        idle_minutes=settings.session_minutes,
        network_of=network_of,
        devices=devices,
        visitors=visitors,
        tokens=tokens,
    )
    app.add_middleware(HtmlHeadMiddleware)
    app.add_middleware(AllowedRoutesMiddleware)
    app.add_middleware(OwnSiteMiddleware, origins=settings.other_origins)
    app.add_middleware(
        RateLimitMiddleware,
        requests_per_minute=settings.requests_per_minute,
        body_bytes=settings.upload_megabytes * 1_000_000,
        known=KnownStations(intake.door, marks),
        device=partial(known_device, marks, devices),
    )
    app.add_middleware(ResponseHeadersMiddleware, on_space=bool(settings.space), origins=settings.other_origins)
    app.add_middleware(ProgramAnswersMiddleware, now=store.clock)
    add_error_answer(app)
    add_frame_routes(app, intake, marks)
    add_calibration_routes(app, teaching)
    add_health_routes(
        app,
        metrics,
        {"model": classifier.require_working, "store": store.require_writable},
        is_local,
        settings.metrics_token,
    )
    api, streams = make_interface(), EventStreams(partial(carried, store.clock))
    own_signals = OwnSignals(store, journals) if station_recorder else None

    def is_teacher(request: Any) -> bool:
        return not accounts and not visitors and is_local(request)  # as on the teacher page

    add_station_routes(api, intake, own_signals, streams, is_teacher, store.clock)
    app.mount(PROGRAMS, api)
    words = translations(classifier)
    decoder = IsolatedDecoder()
    decoder.process.start()
    add_live_route(app, LiveFrames(classifier, decoder, intake.is_lesson))
    pace, upload_bytes = Pace(intake.is_lesson), settings.upload_megabytes * 1_000_000
    add_photograph_routes(app, Photographs(classifier, decoder, pace, upload_bytes))
    station = build_station(
        classifier,
        intake,
        language_of,
        words,
        decoder,
        teaching,
        pace,
        upload_bytes,
        settings.frames_per_second,
        settings.retention_days,
        is_teacher=is_teacher,
    )
    page_options: dict[str, Any] = {
        "theme": theme(),
        "footer_links": [],
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "show_error": False,
        "app_kwargs": {"docs_url": None, "redoc_url": None, "openapi_url": None},
    }
    upload = f"{settings.upload_megabytes}mb"
    context = make_context(
        store,
        recorder,
        language_of,
        classifier.checkpoint.folder,
        accounts=accounts,
        lessons_open=settings.lessons_open,
        hides_small_groups=settings.small_groups == "hide",
        calibrator=calibrator,
        visitors=visitors,
        journals=journals,
        tokens=tokens,
    )
    add_teacher_routes(api, context, streams)
    teacher = build_page(context)
    pages |= {"": station, "/teacher": teacher}
    for page in pages.values():
        guard_inputs(page)
        tell_in_a_sentence(page)
    keep_uploads_apart()
    # First, because everything that is under no other path belongs to the station.
    gr.mount_gradio_app(
        app,
        teacher,
        "/teacher",
        i18n=gr.I18n(**teacher_words()),
        css=teacher_css() + NOTICES_CSS,
        auth_dependency=authenticated_teacher,
        **page_options,
    )
    gr.mount_gradio_app(
        app,
        station,
        "/",
        i18n=words,
        css=CSS + NOTICES_CSS,
        max_file_size=upload,
        blocked_paths=[str(downloads_folder())],  # both pages share Gradio's folder, and the station asks for no login
        **page_options,
    )
    return app


def serve(settings: Settings) -> None:
    """Runs until told to stop. Raises the errors of the parts that cannot start."""
    listener = reserve_port(settings)
    hub = HubBackup(settings.backup_dataset) if settings.backup_dataset else None
    if hub:
        hub.fetch_if_missing(settings.database)
    upload = hub.upload if hub else None
    with (
        listener,
        open_store(settings.database) as store,
        Housekeeper(store, settings.retention_days, upload),
        periodic_memory_trim(),
    ):
        app = compose(settings, store)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=SlowClientProtocol,
                ws="none",  # no page uses one, and a refused upgrade would keep its place among the connections
                log_config=None,
                server_header=False,
                access_log=False,  # its lines would hold the codes of lessons and children
                timeout_graceful_shutdown=DRAIN_SECONDS,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                forwarded_allow_ips=settings.trusted_proxies or "",  # None would mean this computer
                ssl_certfile=settings.tls_certificate,
                ssl_keyfile=settings.tls_key,
            )
        )
        scheme = "https" if settings.tls_certificate else "http"
        logger.info("Open %s://%s (teacher: /teacher)", scheme, address_text(*listener.getsockname()[:2]))
        with periodic_sweep(Path(get_upload_folder())):  # what lies there by now is the pages' own
            server.run(sockets=[listener])


def main() -> int:
    """Exit code 0 after an orderly stop, 1 with one sentence when the app cannot start."""
    os.umask(0o077)  # whatever is written here is for its owner alone
    log_to_stderr()
    # uvicorn raises the signal again after it has drained; leaving by SystemExit closes the store on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        settings = Settings.from_environment()
        forbid_core_dumps()
        allow_open_files()
        limit_heaps()
        use_private_upload_folder()
        serve(settings)
    except KeyboardInterrupt:
        return 0
    except (AccountsError, SettingsError, StoreError, CheckpointError, FaceDetectorError, PortTakenError) as error:
        logger.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
