"""Deployments of endpoints: fleets are started, replaced and stopped, in threads.

Each of these tasks ends with a status in the endpoint's document, or by deleting the document.
"""

import contextlib
import logging
import threading
from collections.abc import Callable
from functools import partial

from longspan.infra.local.containers.failures import ServingClosed, ServingFailure, shorten
from longspan.infra.local.control.api import Document
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Key
from longspan.infra.local.control.invocations import (
    UNAVAILABLE,
    Invocation,
    InvocationResponse,
    unsupported,
    validation_error,
)
from longspan.infra.local.control.threads import Signals
from longspan.infra.local.endpoints.fleet import EndpointFleet
from longspan.infra.local.endpoints.variants import (
    retained_variants,
    variant_summaries,
    variant_weights,
)

__all__ = ["ENDPOINT_CONFIG", "ENDPOINT_KIND", "ENDPOINT_STATUS", "Deployments"]

# Kind and members of an endpoint's document.
ENDPOINT_KIND = "endpoint"
ENDPOINT_STATUS = "EndpointStatus"
ENDPOINT_CONFIG = "EndpointConfigName"


class Deployments:
    """Fleets of all endpoints; the status of an endpoint lets one task at a time change it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._documents = context.documents
        self._fleets: dict[Key, EndpointFleet] = {}
        self._closing = context.threads.closing
        self._lock = threading.Lock()
        context.threads.at_close(self._kill)

    def bring_up(self, key: Key) -> None:
        """Start an endpoint: from Creating to InService or Failed."""
        self._work(key, partial(self._bring_up, key))

    def restore(self, key: Key) -> None:
        """Start an endpoint again that served when an earlier cloud ended."""
        # `_Restored` is not in the API's shapes, so no answer shows it. Changes wait for such an
        # endpoint (`Endpoints._begin`), instead of being refused.
        self._set(key, "Creating", PendingDeploymentSummary=None, _Restored=True)
        self.bring_up(key)

    def replace(self, key: Key, config: Document, request: Document) -> None:
        """Replace a fleet: from Updating to InService, with the old fleet after a failure."""
        self._work(key, partial(self._replace, key, config, request))

    def weigh(self, key: Key, variants: list[Document]) -> None:
        """Change the weights of variants: from Updating to InService."""
        self._work(key, partial(self._weigh, key, variants))

    def tear_down(self, key: Key) -> None:
        """Stop an endpoint, and delete its document."""
        self._work(key, partial(self._tear_down, key))

    def invoke(self, invocation: Invocation) -> InvocationResponse:
        """Return the response of a container of the endpoint, or the runtime's error."""
        refusal, key = (
            unsupported(invocation),
            Key(ENDPOINT_KIND, invocation.region, invocation.endpoint),
        )
        if refusal is not None:
            return refusal
        while fleet := self._fleets.get(key):
            answer = fleet.invoke(invocation)
            # The fleet may have been replaced in the meantime: then ask the new one.
            if answer.status != UNAVAILABLE or self._fleets.get(key) is fleet:
                return answer
        return validation_error(
            f"Endpoint {invocation.endpoint} of account {invocation.account} not found."
        )

    def _kill(self) -> None:
        """Kill all containers; endpoints that served can be brought up again."""
        with self._lock:
            fleets = list(self._fleets.values())
            self._fleets.clear()
        for fleet in fleets:
            fleet.kill()

    def _bring_up(self, key: Key) -> None:
        document = self._documents.get(key)
        config = self._documents.find(Key("endpoint-config", key.region, document[ENDPOINT_CONFIG]))
        try:
            if config is None:
                raise ServingFailure(
                    f"Could not find endpoint configuration {document[ENDPOINT_CONFIG]}."
                )
            fleet = self._fleet(key, config)
        except ServingFailure as failure:
            self._set(key, "Failed", FailureReason=shorten(str(failure)))
            return
        self._enter(key, fleet, config, document["ProductionVariants"])

    def _replace(self, key: Key, config: Document, request: Document) -> None:
        try:
            fleet = self._fleet(key, config)
        except ServingFailure as failure:
            reason = shorten(f"The update failed and was rolled back. {failure}")
            self._set(key, "InService", FailureReason=reason, PendingDeploymentSummary=None)
            return
        # The old fleet serves until the new one has taken its place, so that no request fails.
        old = self._fleets.get(key)
        before = self._documents.get(key)
        last = before.get("LastDeploymentConfig") if request.get("RetainDeploymentConfig") else None
        self._enter(
            key,
            fleet,
            config,
            retained_variants(before["ProductionVariants"], request),
            LastDeploymentConfig=request.get("DeploymentConfig") or last,
        )
        if old is not None:  # else the closing cloud killed it
            old.stop()

    def _weigh(self, key: Key, variants: list[Document]) -> None:
        fleet = self._fleets.get(key)
        if fleet is None:
            # The closing cloud has taken the fleet; `_work` then leaves the status as it is.
            raise ServingClosed
        fleet.weigh(variant_weights(variants))
        self._set(key, "InService", ProductionVariants=variants)

    def _fleet(self, key: Key, config: Document) -> EndpointFleet:
        """Return a new fleet that serves. Raises ServingFailure, ServingClosed."""
        fleet = EndpointFleet(self._context, key, config["ProductionVariants"], self._closing)
        try:
            fleet.start()
        except (ServingFailure, ServingClosed):
            raise
        except Exception as error:  # else the endpoint would stay Creating
            if self._closing.is_set():
                raise ServingClosed from None
            logging.getLogger(__name__).exception("endpoint %s", key.name)
            raise ServingFailure(f"InternalServerError: {error}") from None
        return fleet

    def _enter(
        self,
        key: Key,
        fleet: EndpointFleet,
        config: Document,
        before: list[Document],
        **members: object,
    ) -> None:
        """Let a fleet serve, and set the status InService."""
        variants = variant_summaries(config, fleet.images(), self._context.now(), before)
        # Before requests can find the fleet, which without weights would share them equally.
        fleet.weigh(variant_weights(variants))
        with self._lock:
            # Under the lock, since `_kill` takes the fleets that it finds here.
            closed = self._closing.is_set()
            if not closed:
                self._fleets[key] = fleet
        if closed:
            fleet.kill()
            return
        self._set(
            key,
            "InService",
            FailureReason=None,
            PendingDeploymentSummary=None,
            ProductionVariants=variants,
            **{ENDPOINT_CONFIG: config[ENDPOINT_CONFIG]},
            **members,
        )

    def _tear_down(self, key: Key) -> None:
        with self._lock:
            fleet = self._fleets.pop(key, None)
        if fleet is not None:
            fleet.stop()
        # Last: as long as the document exists, no endpoint of the same name can be created.
        self._documents.delete(key)

    def _set(self, key: Key, status: str, **members: object) -> None:
        now = self._context.now()
        self._documents.change(key, **{ENDPOINT_STATUS: status, "LastModifiedTime": now, **members})

    def _work(self, key: Key, work: Callable[[], None]) -> None:
        """Run a task in a thread; the endpoint's status prevents a second one."""

        def run(_: Signals) -> None:
            # A closing cloud does not change the status, by which `recover` restores endpoints.
            with contextlib.suppress(ServingClosed):
                work()

        self._context.threads.start(key, run)
