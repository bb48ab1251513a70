"""Endpoints: created, updated beside what serves, asked, deleted.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial

from longspan.infra.local.api import Call, Document, Handler, NotFound, ValidationError
from longspan.infra.local.context import Context
from longspan.infra.local.documents import Exists, Key, Missing
from longspan.infra.local.endpoint_configs import find_config
from longspan.infra.local.endpoint_fleet import EndpointFleet
from longspan.infra.local.endpoint_variants import changed, retained, summaries, weights
from longspan.infra.local.invocations import (
    UNAVAILABLE,
    Answer,
    Invocation,
    unsupported,
    validation_error,
)
from longspan.infra.local.jobs.failures import cut
from longspan.infra.local.listing import Listing
from longspan.infra.local.serving.failures import ServingClosed, ServingFailure

__all__ = ["Endpoints"]

_KIND = "endpoint"
_NAME = "EndpointName"
_STATUS = "EndpointStatus"
_CONFIG = "EndpointConfigName"
_ENDPOINTS = Listing(name=_NAME, status=_STATUS)
_PATIENCE_TO_RESTORE = 240.0  # as long as a container may take to become healthy
_PATIENCE = 10.0  # with threads whose containers were killed


class Endpoints:
    """A service of the control plane, and what answers InvokeEndpoint."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._documents = context.documents
        self._fleets: dict[Key, EndpointFleet] = {}
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._lock = threading.Lock()

    def operations(self) -> Mapping[str, Handler]:
        """Handlers by operation name."""
        return {
            "CreateEndpoint": self._create,
            "DescribeEndpoint": self._describe,
            "ListEndpoints": self._list,
            "UpdateEndpoint": self._update,
            "UpdateEndpointWeightsAndCapacities": self._update_weights,
            "DeleteEndpoint": self._delete,
        }

    def recover(self) -> None:
        """What served is started again, with the endpoint config that it had."""
        for key, document in self._documents.of(_KIND):
            status = document[_STATUS]
            if status == "Deleting":
                self._documents.delete(key)
            elif status != "Failed":
                self._set(key, "Creating", PendingDeploymentSummary=None, _Restored=True)
                self._work(key, partial(self._bring_up, key))

    def close(self) -> None:
        """Kill all containers; what served serves again after `recover`."""
        self._closing.set()
        with self._lock:
            fleets, threads = list(self._fleets.values()), list(self._threads)
            self._fleets.clear()
        for fleet in fleets:
            fleet.kill()
        for thread in threads:
            thread.join(_PATIENCE)

    def invoke(self, invocation: Invocation) -> Answer:
        """The answer of one of the endpoint's containers, or of the runtime about it."""
        refusal, key = unsupported(invocation), Key(_KIND, invocation.region, invocation.endpoint)
        if refusal is not None:
            return refusal
        while fleet := self._fleets.get(key):
            answer = fleet.invoke(invocation)
            # An update may have come between: the new fleet answers for the one that stops.
            if answer.status != UNAVAILABLE or self._fleets.get(key) is fleet:
                return answer
        return validation_error(
            f"Endpoint {invocation.endpoint} of account {invocation.account} not found."
        )

    def _create(self, call: Call) -> Document:
        name, arn = call.request[_NAME], call.arn(f"{_KIND}/{call.request[_NAME]}")
        config = self._config(call)
        now = self._context.now()
        document = {
            **call.request,
            "EndpointArn": arn,
            _STATUS: "Creating",
            "ProductionVariants": summaries(config, {}, now),
            "CreationTime": now,
            "LastModifiedTime": now,
            "LastDeploymentConfig": call.request.get("DeploymentConfig"),
        }
        key = Key(_KIND, call.region, name)
        try:
            self._documents.create(key, document)
        except Exists:
            raise ValidationError(f'Cannot create already existing endpoint "{arn}".') from None
        self._work(key, partial(self._bring_up, key))
        return {"EndpointArn": arn}

    def _describe(self, call: Call) -> Document:
        found = self._documents.find(self._key(call))
        if found is None:
            raise self._missing(call)
        return found

    def _list(self, call: Call) -> Document:
        documents = [document for _, document in self._documents.of(_KIND, call.region)]
        return _ENDPOINTS.answer("Endpoints", documents, call.request)

    def _update(self, call: Call) -> Document:
        config, key, now = self._config(call), self._key(call), self._context.now()
        pending = {_CONFIG: call.request[_CONFIG], "StartTime": now}
        document = self._begin(call, "Updating", PendingDeploymentSummary=pending)
        self._work(key, partial(self._replace, key, config, call.request))
        return {"EndpointArn": document["EndpointArn"]}

    def _update_weights(self, call: Call) -> Document:
        key, wanted = self._key(call), call.request["DesiredWeightsAndCapacities"]
        variants = changed(self._describe(call)["ProductionVariants"], wanted)
        document = self._begin(call, "Updating")
        self._work(key, partial(self._weigh, key, variants))
        return {"EndpointArn": document["EndpointArn"]}

    def _delete(self, call: Call) -> Document:
        """Its config and models stay."""
        self._begin(call, "Deleting", also=("Failed",))
        key = self._key(call)
        self._work(key, partial(self._tear_down, key))
        return {}

    def _begin(
        self, call: Call, status: str, also: tuple[str, ...] = (), **members: object
    ) -> Document:
        """Enter a status from InService, or from one of `also`. Raises ValidationError."""

        def begin(document: Document) -> None:
            if document[_STATUS] not in ("InService", *also):
                kind = "failed" if document[_STATUS] == "Failed" else "in-progress"
                raise ValidationError(f'Cannot update {kind} endpoint "{document["EndpointArn"]}".')
            document.update({_STATUS: status, "LastModifiedTime": self._context.now(), **members})

        try:
            # On AWS it would have served all the while: who asks now cannot know of a restart.
            self._documents.wait(
                self._key(call),
                lambda found: found[_STATUS] != "Creating" or not found.get("_Restored"),
                _PATIENCE_TO_RESTORE,
            )
            return self._documents.edit(self._key(call), begin)
        except Missing:
            raise self._missing(call) from None

    def _bring_up(self, key: Key) -> None:
        """From Creating to InService or Failed."""
        document = self._documents.get(key)
        config = self._documents.find(Key("endpoint-config", key.region, document[_CONFIG]))
        try:
            if config is None:
                raise ServingFailure(f"Could not find endpoint configuration {document[_CONFIG]}.")
            fleet = self._fleet(key, config)
        except ServingFailure as failure:
            self._set(key, "Failed", FailureReason=cut(str(failure)))
            return
        self._enter(key, fleet, config, document["ProductionVariants"])

    def _replace(self, key: Key, config: Document, request: Document) -> None:
        """From Updating to InService, with the new fleet, or else the old one and the reason."""
        try:
            fleet = self._fleet(key, config)
        except ServingFailure as failure:
            reason = cut(f"The update failed and was rolled back. {failure}")
            self._set(key, "InService", FailureReason=reason, PendingDeploymentSummary=None)
            return
        old = self._fleets.get(key)
        before = self._documents.get(key)
        last = before.get("LastDeploymentConfig") if request.get("RetainDeploymentConfig") else None
        self._enter(
            key,
            fleet,
            config,
            retained(before["ProductionVariants"], request),
            LastDeploymentConfig=request.get("DeploymentConfig") or last,
        )
        if old is not None:  # else it was killed, since the cloud ends
            old.stop()

    def _weigh(self, key: Key, variants: list[Document]) -> None:
        fleet = self._fleets.get(key)
        if fleet is None:
            raise ServingClosed
        fleet.weigh(weights(variants))
        self._set(key, "InService", ProductionVariants=variants)

    def _fleet(self, key: Key, config: Document) -> EndpointFleet:
        """One that serves. Raises ServingFailure, ServingClosed."""
        fleet = EndpointFleet(self._context, key, config["ProductionVariants"], self._closing)
        try:
            fleet.start()
        except (ServingFailure, ServingClosed):
            raise
        except Exception as error:  # an endpoint must not stay Creating for ever
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
        """The fleet serves from now on."""
        variants = summaries(config, fleet.images(), self._context.now(), before)
        fleet.weigh(weights(variants))
        with self._lock:
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
            **{_CONFIG: config[_CONFIG]},
            **members,
        )

    def _tear_down(self, key: Key) -> None:
        with self._lock:
            fleet = self._fleets.pop(key, None)
        if fleet is not None:
            fleet.stop()
        self._documents.delete(key)

    def _set(self, key: Key, status: str, **members: object) -> None:
        now = self._context.now()
        self._documents.change(key, **{_STATUS: status, "LastModifiedTime": now, **members})

    def _work(self, key: Key, work: Callable[[], None]) -> None:
        """In a thread; the status lets one at a time work on an endpoint."""

        def run() -> None:
            # A cloud that ends leaves the status as it is: `recover` goes by it.
            with contextlib.suppress(ServingClosed):
                work()

        thread = threading.Thread(target=run, name=f"endpoint {key.name}", daemon=True)
        with self._lock:
            self._threads = [other for other in self._threads if other.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _config(self, call: Call) -> Document:
        """Of the request, with all of its models there. Raises ValidationError."""
        config = find_config(self._context, call, call.request[_CONFIG])
        for variant in config["ProductionVariants"]:
            model = variant["ModelName"]
            if self._documents.find(Key("model", call.region, model)) is None:
                raise NotFound(f'Could not find model "{call.arn(f"model/{model}")}".')
        return config

    def _key(self, call: Call) -> Key:
        return Key(_KIND, call.region, call.request[_NAME])

    def _missing(self, call: Call) -> NotFound:
        return NotFound(f'Could not find endpoint "{call.arn(f"{_KIND}/{call.request[_NAME]}")}".')
