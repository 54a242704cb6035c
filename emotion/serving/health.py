"""Health checks and metrics for whoever looks after the server. No personal data in any of it."""

import hmac
import logging
from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.concurrency import run_in_threadpool

from emotion.serving.language import language_of
from emotion.serving.texts import say

logger = logging.getLogger(__name__)

# Seconds from a frame's arrival to its answer: around the promise of one second, where the difference matters.
FRAME_SECONDS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0)
LOOKING = ["GET", "HEAD"]  # a container's health check may ask with either
BATCH_FACES = (1, 2, 3, 4)  # up to `emotion.runtime.batching.LARGEST_BATCH`


class Metrics:
    """The server's own registry, so that two apps in one process (tests) do not meet in a global one."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.frames = Counter(
            "expression_frames", "Frames of lessons by what became of them", ["outcome"], registry=self.registry
        )
        self.frame_seconds = Histogram(
            "expression_frame_seconds", "From arrival to answer", buckets=FRAME_SECONDS, registry=self.registry
        )
        self.batch_faces = Histogram(
            "expression_batch_faces", "Faces in one run of the network", buckets=BATCH_FACES, registry=self.registry
        )
        self.errors = Counter("expression_errors", "Errors written to the log", registry=self.registry)
        logging.getLogger().addHandler(_Counting(self.errors))
        ProcessCollector(registry=self.registry)

    def gauge(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """A value that is asked for whenever somebody looks."""
        Gauge(name, meaning, registry=self.registry).set_function(value)


class _Counting(logging.Handler):
    """Counts what is logged as an error, wherever it comes from."""

    def __init__(self, errors: Counter) -> None:
        super().__init__(logging.ERROR)
        self.errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        """One more."""
        self.errors.inc()


def add_health_routes(
    app: FastAPI,
    metrics: Metrics,
    parts: dict[str, Callable[[], object]],
    is_local: Callable[[Request], bool],
    metrics_token: str | None = None,
) -> None:
    """``/healthz``, ``/readyz`` (503 while one of ``parts`` cannot work), ``/metrics`` for Prometheus.

    ``parts``: name -> a call that raises while that part cannot work. The metrics, which tell when somebody is in
    school, are for this computer (``is_local``) and for who sends ``Authorization: Bearer`` with ``metrics_token``.
    """

    @app.api_route("/healthz", methods=LOOKING)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.api_route("/readyz", methods=LOOKING)
    async def readyz() -> JSONResponse:
        states = {}
        for name, prove in parts.items():
            try:
                await run_in_threadpool(prove)
                states[name] = "ready"
            except Exception:
                logger.exception("Not ready: %s", name)
                states[name] = "not ready"
        return JSONResponse(states, 200 if set(states.values()) == {"ready"} else 503)

    @app.api_route("/metrics", methods=LOOKING)
    async def show_metrics(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        expected = f"Bearer {metrics_token}".encode()
        if not is_local(request) and not (metrics_token and hmac.compare_digest(given, expected)):
            return JSONResponse({"error": say(language_of(request), "error_metrics_closed")}, 403)
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)
