"""The ASGI application: its routes, and the workers that run as long as it does."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from longspan.inference.refusals import NoRoute
from longspan.inference.requests.options import Profiles
from longspan.inference.requests.planning import Planner
from longspan.inference.server.admission import Admission
from longspan.inference.server.connections import REQUEST_LOG
from longspan.inference.server.deadlines import Deadlines
from longspan.inference.server.invocations import Invocations
from longspan.inference.server.openapi import describe
from longspan.inference.server.request_log import RequestLog, RequestRecord, refusal_response
from longspan.inference.server.service import TranslationService
from longspan.inference.server.settings import ServerSettings
from longspan.inference.translation.parts import Limits
from longspan.inference.workers.metrics import CONTENT_TYPE, ServerMetrics
from longspan.inference.workers.pool import WorkerPool
from longspan.inference.workers.server_log import ServerLog
from longspan.inference.workers.worker_process import WorkerSettings
from longspan.training.errors import LongspanError
from longspan.training.model.config import TOKENIZER, ModelConfig
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["Server", "build_server"]

_MEGABYTE = 10**6
_BODIES = 8  # bodies of the largest size that may be in memory at a time
# The page is one file and connects to its own server alone.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Server:
    """An ASGI application and the deadlines of its requests."""

    application: Starlette
    deadlines: Deadlines


def build_server(
    model: Path,
    settings: ServerSettings,
    server_log: ServerLog,
    on_failure: Callable[[LongspanError], None],
) -> Server:
    """Build the server of one model directory; nothing runs before the application starts.

    `on_failure` is called when the workers cannot use the model. Raises ModelDirectoryError for a
    directory without a readable configuration or tokenizer.
    """
    hyperparameters = ModelConfig.load(model).hyperparameters
    tokenizer = Tokenizer.load(model / TOKENIZER)
    metrics = ServerMetrics()
    workers, threads = settings.shares()
    worker = WorkerSettings(
        threads,
        settings.device,
        settings.precision,
        settings.batch_size,
        settings.batch_tokens,
        settings.silence,
    )
    pool = WorkerPool(model, worker, workers, server_log, metrics)
    planner = Planner(
        tokenizer,
        Profiles.of(hyperparameters, settings.profile),
        hyperparameters.attention_type != "none",
        Limits(settings.max_source_tokens, settings.max_text_tokens),
        settings.language,
        "never" if settings.long_input == "refuse" else "auto",
    )
    service = TranslationService(planner, pool, metrics, settings.batch_delay_ms / 1000)
    most_bytes = int(settings.max_body_mb * _MEGABYTE)
    admission = Admission(settings.queue, _BODIES * most_bytes)
    metrics.in_flight.set_function(lambda: admission.inside)
    metrics.arriving.set_function(lambda: admission.arriving)
    metrics.body_bytes.set_function(lambda: admission.bytes)
    deadlines = Deadlines(settings.deadline)
    request_log = RequestLog(server_log, metrics, settings.log_text)
    invocations = Invocations(
        service,
        admission,
        request_log,
        deadlines,
        most_bytes,
        settings.max_texts,
    )

    @asynccontextmanager
    async def lifespan(application: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        pool.open(on_failure)
        try:
            yield {REQUEST_LOG: request_log}
        finally:
            await pool.close()

    routes = [
        Route("/invocations", invocations, methods=["POST"]),
        *_routes(pool, metrics, settings),
    ]
    handlers = {HTTPException: _http_error}
    application = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    application.router.redirect_slashes = False  # a redirect would go to the client's `Host`
    return Server(application, deadlines)


def _routes(pool: WorkerPool, metrics: ServerMetrics, settings: ServerSettings) -> list[Route]:
    async def ping(request: Request) -> Response:
        """Answer 200 once the model of a worker has answered its warm-up."""
        return Response(status_code=200 if pool.is_ready else 503)

    async def parameters(request: Request) -> Response:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html"""
        return JSONResponse(_batch_parameters(settings))

    async def show_metrics(request: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    async def schema(request: Request) -> Response:
        return JSONResponse(describe())

    async def page(request: Request) -> Response:
        html = files("longspan.inference.server").joinpath("page.html").read_text("utf-8")
        return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})

    routes = [
        Route("/ping", ping),
        Route("/execution-parameters", parameters),
        Route("/metrics", show_metrics),
        Route("/openapi.json", schema),
    ]
    return [*routes, Route("/", page)] if settings.page else routes


def _batch_parameters(settings: ServerSettings) -> Mapping[str, Any]:
    workers, _ = settings.shares()
    return {
        "MaxConcurrentTransforms": 2 * workers,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": max(1, min(6, int(settings.max_body_mb))),
    }


async def _http_error(request: Request, error: Exception) -> Response:
    """Answer for a path or method that does not exist."""
    status = getattr(error, "status_code", 500)
    message = f"{request.method} {request.url.path}: {getattr(error, 'detail', 'error')}"
    answer = refusal_response(NoRoute(message, status), RequestRecord.of(request.headers).id)
    answer.headers.update(getattr(error, "headers", None) or {})  # Allow
    return answer
