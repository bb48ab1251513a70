"""Endpoints: created, updated while they serve, deleted.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html
"""

from collections.abc import Mapping

from longspan.infra.local.control.api import ApiCall, Document, Handler, NotFound, ValidationError
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Exists, Key, Missing
from longspan.infra.local.control.listing import Listing
from longspan.infra.local.endpoints.configs import find_config
from longspan.infra.local.endpoints.deployments import (
    ENDPOINT_CONFIG,
    ENDPOINT_KIND,
    ENDPOINT_STATUS,
    Deployments,
)
from longspan.infra.local.endpoints.variants import changed_variants, variant_summaries

__all__ = ["Endpoints"]

_NAME = "EndpointName"
_ENDPOINTS = Listing(name=_NAME, status=ENDPOINT_STATUS)
_SECONDS_TO_RESTORE = 240.0  # seconds, the time limit for a container to become healthy
_AT_REST = "The local cloud does not run; the endpoint serves as soon as it does."


class Endpoints:
    """Service for endpoints; `deployments` holds their containers."""

    def __init__(
        self, context: Context, deployments: Deployments, *, at_rest: bool = False
    ) -> None:
        """With `at_rest`, no endpoint is restored."""
        self._context = context
        self._documents = context.documents
        self._deployments = deployments
        self._at_rest = at_rest

    def operations(self) -> Mapping[str, Handler]:
        """Return the handlers by operation name."""
        return {
            "CreateEndpoint": self._create,
            "DescribeEndpoint": self._describe,
            "ListEndpoints": self._list,
            "UpdateEndpoint": self._update,
            "UpdateEndpointWeightsAndCapacities": self._update_weights,
            "DeleteEndpoint": self._delete,
        }

    def recover(self) -> None:
        """Restore endpoints that served, with their endpoint configs."""
        for key, status in self._documents.texts(ENDPOINT_KIND, ENDPOINT_STATUS):
            # Its containers ended with the earlier cloud; only the document is left.
            if status == "Deleting":
                self._documents.delete(key)
            elif status != "Failed" and self._at_rest:
                self._documents.change(
                    key, **{ENDPOINT_STATUS: "OutOfService"}, FailureReason=_AT_REST
                )
            # Also Creating and Updating: an update that did not end leaves the endpoint its old
            # config.
            elif status != "Failed":
                self._deployments.restore(key)

    def _create(self, call: ApiCall) -> Document:
        name, arn = call.request[_NAME], call.arn(f"{ENDPOINT_KIND}/{call.request[_NAME]}")
        config = self._config(call)
        now = self._context.now()
        document = {
            **call.request,
            "EndpointArn": arn,
            ENDPOINT_STATUS: "Creating",
            "ProductionVariants": variant_summaries(config, {}, now),
            "CreationTime": now,
            "LastModifiedTime": now,
            "LastDeploymentConfig": call.request.get("DeploymentConfig"),
        }
        key = Key(ENDPOINT_KIND, call.region, name)
        try:
            self._documents.create(key, document)
        except Exists:
            raise ValidationError(f'Cannot create already existing endpoint "{arn}".') from None
        # After the document, whose status Creating keeps other changes away.
        self._deployments.bring_up(key)
        return {"EndpointArn": arn}

    def _describe(self, call: ApiCall) -> Document:
        found = self._documents.find(self._key(call))
        if found is None:
            raise self._missing(call)
        return found

    def _list(self, call: ApiCall) -> Document:
        documents = [document for _, document in self._documents.of(ENDPOINT_KIND, call.region)]
        return _ENDPOINTS.answer("Endpoints", documents, call.request)

    def _update(self, call: ApiCall) -> Document:
        config, key, now = self._config(call), self._key(call), self._context.now()
        pending = {ENDPOINT_CONFIG: call.request[ENDPOINT_CONFIG], "StartTime": now}
        document = self._begin(call, "Updating", PendingDeploymentSummary=pending)
        self._deployments.replace(key, config, call.request)
        return {"EndpointArn": document["EndpointArn"]}

    def _update_weights(self, call: ApiCall) -> Document:
        key, wanted = self._key(call), call.request["DesiredWeightsAndCapacities"]
        variants = changed_variants(self._describe(call)["ProductionVariants"], wanted)
        document = self._begin(call, "Updating")
        self._deployments.weigh(key, variants)
        return {"EndpointArn": document["EndpointArn"]}

    def _delete(self, call: ApiCall) -> Document:
        """Delete an endpoint, but not its config and models."""
        self._begin(call, "Deleting", also=("Failed",))
        self._deployments.tear_down(self._key(call))
        return {}

    def _begin(
        self, call: ApiCall, status: str, also: tuple[str, ...] = (), **members: object
    ) -> Document:
        """Change the status from InService, or from one of `also`. Raises ValidationError."""

        def begin(document: Document) -> None:
            if document[ENDPOINT_STATUS] not in ("InService", *also):
                kind = "failed" if document[ENDPOINT_STATUS] == "Failed" else "in-progress"
                raise ValidationError(f'Cannot update {kind} endpoint "{document["EndpointArn"]}".')
            document.update(
                {ENDPOINT_STATUS: status, "LastModifiedTime": self._context.now(), **members}
            )

        try:
            # On AWS the endpoint would have served all the time: wait until it is restored.
            self._documents.wait(
                self._key(call),
                lambda found: found[ENDPOINT_STATUS] != "Creating" or not found.get("_Restored"),
                _SECONDS_TO_RESTORE,
            )
            # Check and change are one edit: of two requests at the same time, only one begins.
            return self._documents.edit(self._key(call), begin)
        except Missing:
            raise self._missing(call) from None

    def _config(self, call: ApiCall) -> Document:
        """Return the request's config, whose models exist. Raises ValidationError."""
        config = find_config(self._context, call, call.request[ENDPOINT_CONFIG])
        for variant in config["ProductionVariants"]:
            model = variant["ModelName"]
            if self._documents.find(Key("model", call.region, model)) is None:
                raise NotFound(f'Could not find model "{call.arn(f"model/{model}")}".')
        return config

    def _key(self, call: ApiCall) -> Key:
        return Key(ENDPOINT_KIND, call.region, call.request[_NAME])

    def _missing(self, call: ApiCall) -> NotFound:
        return NotFound(
            f'Could not find endpoint "{call.arn(f"{ENDPOINT_KIND}/{call.request[_NAME]}")}".'
        )
