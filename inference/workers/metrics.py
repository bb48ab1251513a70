"""The server's metrics, in Prometheus's text format at `/metrics`."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

__all__ = ["CONTENT_TYPE", "ServerMetrics"]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# Upper bounds of the buckets of the histograms: seconds, and parts of a search.
_SECONDS = (0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class ServerMetrics:
    """The metrics of one server, in a registry of its own: servers in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "longspan_requests",
            "Invocations by HTTP status, and what was no HTTP",
            ["status"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "longspan_request_seconds",
            "Seconds from the first byte of an invocation to the last of its answer",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.waiting_seconds = Histogram(
            "longspan_waiting_seconds",
            "Seconds that a part waited for its search to start",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.together = Histogram(
            "longspan_batch_parts", "Parts searched together", buckets=_SIZES,
            registry=self._registry,
        )  # fmt: skip
        self.texts = Counter("longspan_texts", "Texts translated", registry=self._registry)
        self.split = Counter("longspan_split_texts", "Texts split", registry=self._registry)
        self.unfinished = Counter(
            "longspan_unfinished_texts",
            "Texts stopped at the length limit, or in a loop",
            registry=self._registry,
        )
        self.looping = Counter(
            "longspan_looping_texts",
            "Texts stopped because their translation repeated itself",
            registry=self._registry,
        )
        self.source_tokens = Counter(
            "longspan_source_tokens", "Source tokens read", registry=self._registry
        )
        self.target_tokens = Counter(
            "longspan_target_tokens", "Target tokens written", registry=self._registry
        )
        self.in_flight = Gauge(
            "longspan_requests_in_flight", "Invocations being answered", registry=self._registry
        )
        self.arriving = Gauge(
            "longspan_requests_arriving",
            "Invocations whose body is on its way",
            registry=self._registry,
        )
        self.body_bytes = Gauge(
            "longspan_body_bytes",
            "Bytes of the bodies of invocations that are here",
            registry=self._registry,
        )
        self.workers = Gauge("longspan_workers_ready", "Workers ready", registry=self._registry)
        self.worker_ends = Counter(
            "longspan_worker_ends", "Workers that ended unasked", registry=self._registry
        )

    def text(self) -> bytes:
        """Return the body of `/metrics`."""
        return generate_latest(self._registry)
