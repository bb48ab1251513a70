"""Fleets: the containers of one endpoint config, one for each production variant.

The number of instances is stored and shown, but one container does the work of all of them.
"""

import random
import secrets
import shutil
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longspan.infra.local.containers.containers import role_environment
from longspan.infra.local.containers.failures import ServingFailure
from longspan.infra.local.containers.logs import LogStream, LogTail
from longspan.infra.local.containers.model_server import InvocationTimeout, ModelServer, NotServing
from longspan.infra.local.control.api import ValidationError
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key, Missing
from longspan.infra.local.control.invocations import (
    Invocation,
    InvocationResponse,
    model_error,
    unavailable,
    validation_error,
)
from longspan.infra.local.models.container import ModelContainer
from longspan.infra.local.runtimes.runtime import Container

__all__ = ["EndpointFleet"]

_STARTUP_SECONDS = 240.0  # ContainerStartupHealthCheckTimeoutInSeconds
_CUSTOM = "X-Amzn-SageMaker-Custom-Attributes"
# Headers of a request that a container gets.
_PASSED_ON = (_CUSTOM, "X-Amzn-SageMaker-Inference-Id")


@dataclass(frozen=True)
class _Variant:
    server: ModelServer
    image: str
    log_stream: str


class EndpointFleet:
    """Containers of an endpoint, started and stopped once: an update creates another fleet."""

    def __init__(
        self,
        context: Context,
        endpoint: Key,
        variants: Sequence[Mapping[str, Any]],
        closing: threading.Event,
    ) -> None:
        """`variants` are ProductionVariants of an endpoint config."""
        self._context = context
        self._endpoint = endpoint
        self._config = variants
        self._closing = closing
        self._token = secrets.token_hex(6)  # names of this fleet's containers, folder and streams
        self._folder = context.workplace / "endpoints" / endpoint.region / self._token
        self._variants: Mapping[str, _Variant] = {}
        self._weights: Mapping[str, float] = {}

    def start(self) -> None:
        """Start all variants at once; return when all are healthy.

        Raises ServingFailure with the first reason, and ServingClosed; both leave no container.
        """
        try:
            self._variants = {
                config["VariantName"]: self._variant(config) for config in self._config
            }
            with ThreadPoolExecutor(len(self._config)) as pool:
                # The loop is there for its exceptions: `map` raises them when the results are read.
                for _ in pool.map(self._start, self._config):
                    pass
        except BaseException:  # also KeyboardInterrupt must not leave containers
            self.kill()
            raise

    def images(self) -> Mapping[str, str]:
        """Return the images by name of the variant."""
        return {name: variant.image for name, variant in self._variants.items()}

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Share requests among variants by these weights."""
        # One assignment: requests in other threads see the old or the new weights, never a mixture.
        self._weights = weights

    def invoke(self, invocation: Invocation) -> InvocationResponse:
        """Return the response of the requested variant, else of one chosen by the weights."""
        name = invocation.header("Target-Variant") or self._choose()
        variant = self._variants.get(name)
        if variant is None:
            return validation_error(
                f"Variant {name} of endpoint {invocation.endpoint} not found; it has "
                + ", ".join(self._variants)
            )
        try:
            reply = variant.server.ask(invocation.body, _headers(invocation))
        except NotServing:
            return unavailable(f"Variant {name} does not answer now; try again.")
        except InvocationTimeout:
            said = "Your invocation timed out while waiting for a response from container primary."
            return model_error(invocation, 0, said, variant.log_stream)
        if reply.status >= 400:
            said = reply.body.decode("utf-8", "replace")
            return model_error(invocation, reply.status, said, variant.log_stream)
        given = {key.lower(): value for key, value in reply.headers.items()}
        headers = {
            "Content-Type": given.get("content-type", "application/octet-stream"),
            "x-Amzn-Invoked-Production-Variant": name,
        }
        if _CUSTOM.lower() in given:
            headers[_CUSTOM] = given[_CUSTOM.lower()]
        return InvocationResponse(200, headers, reply.body)

    def stop(self) -> None:
        """Stop all containers, let requests finish, and delete the containers' files."""
        self._each("stop")

    def kill(self) -> None:
        """Kill all containers, and delete their files."""
        self._each("kill")

    def _choose(self) -> str:
        """Draw a variant by weight; all are equal when an update left no weight above 0."""
        names = list(self._variants)
        weights = [self._weights.get(name, 0.0) for name in names]
        return random.choices(names, weights if any(weights) else None)[0]

    def _each(self, action: str) -> None:
        servers = [variant.server for variant in self._variants.values()]
        if servers:
            # At once: each container may take 30 seconds to stop.
            with ThreadPoolExecutor(len(servers)) as pool:
                list(pool.map(lambda server: getattr(server, action)(), servers))
        shutil.rmtree(self._folder, ignore_errors=True)

    def _variant(self, config: Mapping[str, Any]) -> _Variant:
        """Download the model of a variant, and prepare its container. Raises ServingFailure."""
        name, region = config["VariantName"], self._endpoint.region
        try:
            model = self._context.documents.get(Key("model", region, config["ModelName"]))
            container = ModelContainer.of(model, self._context.documents, region)
            clients = self._context.clients.as_role(container.role, region, self._endpoint.name)
        except Missing:
            raise ServingFailure(f"Could not find model {config['ModelName']}.") from None
        except ValidationError as error:
            raise ServingFailure(str(error)) from None
        base, log = self._folder / name, self._folder / f"{name}.log"
        if container.data is not None:
            container.data.fetch(clients, base / "model")
        # A model without data still finds its folder.
        base.joinpath("model").mkdir(parents=True, exist_ok=True)
        environment = role_environment(clients, isolated=container.isolated)
        started = Container(
            name=f"{self._endpoint.name}-{name}-{self._token}",
            image=container.image,
            command=("serve",),
            base=base,
            log=log,
            environment={**environment, **container.environment},
        )
        log_stream = f"{name}/i-{self._token}"
        copy_log = self._log_copy(clients.client("logs"), log, log_stream)
        server = ModelServer(self._context.runtime, started, copy_log)
        return _Variant(server, container.image, log_stream)

    def _log_copy(self, logs: Any, log: Path, log_stream: str) -> "_LogCopy":
        group = f"/aws/sagemaker/Endpoints/{self._endpoint.name}"
        return _LogCopy(LogTail(log), LogStream(logs, group, log_stream, self._context.now))

    def _start(self, config: Mapping[str, Any]) -> None:
        name = config["VariantName"]
        seconds = config.get("ContainerStartupHealthCheckTimeoutInSeconds", _STARTUP_SECONDS)
        try:
            self._variants[name].server.start(seconds, self._closing.is_set)
        except ServingFailure as failure:
            raise ServingFailure(
                f"The primary container for production variant {name} did not pass the ping "
                f"health check. Please check CloudWatch logs for this endpoint. ({failure})"
            ) from None


class _LogCopy:
    """Copy of a container's file to its log stream; thread-safe."""

    def __init__(self, tail: LogTail, stream: LogStream) -> None:
        self._tail = tail
        self._stream = stream
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self._stream.write(self._tail.read())


def _headers(invocation: Invocation) -> dict[str, str]:
    headers = {"Content-Type": invocation.content_type, "Accept": invocation.accept}
    for name in _PASSED_ON:
        headers[name] = invocation.header(name.removeprefix("X-Amzn-SageMaker-")) or ""
    # An absent header stays absent, instead of being sent without a value.
    return {name: value for name, value in headers.items() if value}
