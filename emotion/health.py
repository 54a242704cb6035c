"""For whoever looks after the server: is it alive, is it ready, how is it doing. No personal data in any of it."""

import logging
from collections.abc import Callable

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.concurrency import run_in_threadpool

logger = logging.getLogger(__name__)

# Seconds from a frame's arrival to its answer: around the promise of one second, where the difference matters.
FRAME_SECONDS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0)


class Metrics:
    """The server's own registry, so that two apps in one process (tests) do not meet in a global one."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.frames = Counter(
            "expression_frames", "Frames of lessons by what became of them", ["outcome"], registry=self.registry
        )
        self.seconds = Histogram(
            "expression_frame_seconds", "From arrival to answer", buckets=FRAME_SECONDS, registry=self.registry
        )

    def gauge(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """A value that is asked for whenever somebody looks."""
        Gauge(name, meaning, registry=self.registry).set_function(value)


def add_health_routes(app: FastAPI, metrics: Metrics, store_answers: Callable[[], bool]) -> None:
    """``/healthz``, ``/readyz`` (503 while the store does not answer; the model is loaded before the server listens),
    ``/metrics`` for Prometheus."""

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        try:
            ready = await run_in_threadpool(store_answers)
        except Exception:
            logger.exception("The store does not answer")
            ready = False
        return JSONResponse({"model": "ready", "store": "ready" if ready else "not ready"}, 200 if ready else 503)

    @app.get("/metrics")
    async def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)
