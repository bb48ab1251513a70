"""Models: an image, its data and a role, under a name.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
"""

from collections.abc import Mapping

from longspan.infra.local.control.api import ApiCall, Document, Handler, NotFound, ValidationError
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Exists, Key, Missing
from longspan.infra.local.control.listing import Listing
from longspan.infra.local.models.container import ModelContainer

__all__ = ["Models"]

_KIND = "model"
_NAME = "ModelName"
_MODELS = Listing(name=_NAME)


class Models:
    """Service for models."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Handler]:
        """Return the handlers by operation name."""
        return {
            "CreateModel": self._create,
            "DescribeModel": self._describe,
            "ListModels": self._list,
            "DeleteModel": self._delete,
        }

    def recover(self) -> None:
        """Do nothing: models do not run, endpoints do."""

    def _create(self, call: ApiCall) -> Document:
        name = call.request[_NAME]
        container = ModelContainer.of(call.request, self._context.documents, call.region)
        # As on AWS, missing data is an error of the model, not only of its endpoint.
        clients = self._context.clients.as_role(container.role, call.region, f"model-{name}")
        if container.data is not None:
            container.data.check(clients, container.role)
        arn = call.arn(f"{_KIND}/{name}")
        document = {**call.request, "ModelArn": arn, "CreationTime": self._context.now()}
        try:
            self._context.documents.create(Key(_KIND, call.region, name), document)
        except Exists:
            raise ValidationError(f'Cannot create already existing model "{arn}".') from None
        return {"ModelArn": arn}

    def _describe(self, call: ApiCall) -> Document:
        found = self._context.documents.find(self._key(call))
        if found is None:
            raise self._missing(call)
        return found

    def _list(self, call: ApiCall) -> Document:
        documents = [document for _, document in self._context.documents.of(_KIND, call.region)]
        return _MODELS.answer("Models", documents, call.request)

    def _delete(self, call: ApiCall) -> Document:
        """Delete a model; endpoints serve it until they are restarted."""
        try:
            self._context.documents.delete(self._key(call))
        except Missing:
            raise self._missing(call) from None
        return {}

    def _key(self, call: ApiCall) -> Key:
        return Key(_KIND, call.region, call.request[_NAME])

    def _missing(self, call: ApiCall) -> NotFound:
        return NotFound(f'Could not find model "{call.arn(f"{_KIND}/{call.request[_NAME]}")}".')
