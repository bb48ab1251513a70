"""Endpoints: created, updated beside what serves, deleted.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html
"""

from collections.abc import Mapping

from longspan.infra.local.control.api import Call, Document, Handler, NotFound, ValidationError
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Exists, Key, Missing
from longspan.infra.local.control.listing import Listing
from longspan.infra.local.endpoints.configs import find_config
from longspan.infra.local.endpoints.deployments import CONFIG, KIND, STATUS, Deployments
from longspan.infra.local.endpoints.variants import changed, summaries

__all__ = ["Endpoints"]

_NAME = "EndpointName"
_ENDPOINTS = Listing(name=_NAME, status=STATUS)
_PATIENCE_TO_RESTORE = 240.0  # as long as a container may take to become healthy
_AT_REST = "The local cloud does not run; the endpoint serves as soon as it does."


class Endpoints:
    """A service of the control plane; `deployments` are what serves."""

    def __init__(
        self, context: Context, deployments: Deployments, *, at_rest: bool = False
    ) -> None:
        """At rest none is brought up again."""
        self._context = context
        self._documents = context.documents
        self._deployments = deployments
        self._at_rest = at_rest

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
        for key, status in self._documents.texts(KIND, STATUS):
            if status == "Deleting":
                self._documents.delete(key)
            elif status != "Failed" and self._at_rest:
                self._documents.change(key, **{STATUS: "OutOfService"}, FailureReason=_AT_REST)
            elif status != "Failed":
                self._deployments.restore(key)

    def _create(self, call: Call) -> Document:
        name, arn = call.request[_NAME], call.arn(f"{KIND}/{call.request[_NAME]}")
        config = self._config(call)
        now = self._context.now()
        document = {
            **call.request,
            "EndpointArn": arn,
            STATUS: "Creating",
            "ProductionVariants": summaries(config, {}, now),
            "CreationTime": now,
            "LastModifiedTime": now,
            "LastDeploymentConfig": call.request.get("DeploymentConfig"),
        }
        key = Key(KIND, call.region, name)
        try:
            self._documents.create(key, document)
        except Exists:
            raise ValidationError(f'Cannot create already existing endpoint "{arn}".') from None
        self._deployments.bring_up(key)
        return {"EndpointArn": arn}

    def _describe(self, call: Call) -> Document:
        found = self._documents.find(self._key(call))
        if found is None:
            raise self._missing(call)
        return found

    def _list(self, call: Call) -> Document:
        documents = [document for _, document in self._documents.of(KIND, call.region)]
        return _ENDPOINTS.answer("Endpoints", documents, call.request)

    def _update(self, call: Call) -> Document:
        config, key, now = self._config(call), self._key(call), self._context.now()
        pending = {CONFIG: call.request[CONFIG], "StartTime": now}
        document = self._begin(call, "Updating", PendingDeploymentSummary=pending)
        self._deployments.replace(key, config, call.request)
        return {"EndpointArn": document["EndpointArn"]}

    def _update_weights(self, call: Call) -> Document:
        key, wanted = self._key(call), call.request["DesiredWeightsAndCapacities"]
        variants = changed(self._describe(call)["ProductionVariants"], wanted)
        document = self._begin(call, "Updating")
        self._deployments.weigh(key, variants)
        return {"EndpointArn": document["EndpointArn"]}

    def _delete(self, call: Call) -> Document:
        """Its config and models stay."""
        self._begin(call, "Deleting", also=("Failed",))
        self._deployments.tear_down(self._key(call))
        return {}

    def _begin(
        self, call: Call, status: str, also: tuple[str, ...] = (), **members: object
    ) -> Document:
        """Enter a status from InService, or from one of `also`. Raises ValidationError."""

        def begin(document: Document) -> None:
            if document[STATUS] not in ("InService", *also):
                kind = "failed" if document[STATUS] == "Failed" else "in-progress"
                raise ValidationError(f'Cannot update {kind} endpoint "{document["EndpointArn"]}".')
            document.update({STATUS: status, "LastModifiedTime": self._context.now(), **members})

        try:
            # On AWS it would have served all the while: who asks now cannot know of a restart.
            self._documents.wait(
                self._key(call),
                lambda found: found[STATUS] != "Creating" or not found.get("_Restored"),
                _PATIENCE_TO_RESTORE,
            )
            return self._documents.edit(self._key(call), begin)
        except Missing:
            raise self._missing(call) from None

    def _config(self, call: Call) -> Document:
        """Of the request, with all of its models there. Raises ValidationError."""
        config = find_config(self._context, call, call.request[CONFIG])
        for variant in config["ProductionVariants"]:
            model = variant["ModelName"]
            if self._documents.find(Key("model", call.region, model)) is None:
                raise NotFound(f'Could not find model "{call.arn(f"model/{model}")}".')
        return config

    def _key(self, call: Call) -> Key:
        return Key(KIND, call.region, call.request[_NAME])

    def _missing(self, call: Call) -> NotFound:
        return NotFound(f'Could not find endpoint "{call.arn(f"{KIND}/{call.request[_NAME]}")}".')
