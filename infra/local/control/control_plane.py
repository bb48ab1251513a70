"""From a request to an answer: look the operation up, check, handle, project."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from longspan.infra.local.control import shapes
from longspan.infra.local.control.api import ApiCall, Document, Handler, UnknownOperation
from longspan.infra.local.control.tags import check_tags

__all__ = ["ApiService", "ControlPlane"]


class ApiService(Protocol):
    """A part of SageMaker, such as training jobs: some operations and what runs behind them."""

    def operations(self) -> Mapping[str, Handler]:
        """Handlers by operation name."""
        ...

    def recover(self) -> None:
        """After a restart on kept state: what was running is not any more."""
        ...


class ControlPlane:
    """All operations of all services; each belongs to one."""

    def __init__(self, services: Iterable[ApiService]) -> None:
        self._services = tuple(services)
        self._handlers: dict[str, Handler] = {}
        for service in self._services:
            for name, handler in service.operations().items():
                if name in self._handlers:
                    raise ValueError(f"two services answer {name}")
                shapes.operation(name)  # raises for an operation that SageMaker does not have
                self._handlers[name] = handler

    @property
    def operations(self) -> frozenset[str]:
        """Names of the operations that are answered here."""
        return frozenset(self._handlers)

    def handle(self, call: ApiCall) -> Document:
        """The answer, as its output shape has it. Raises ApiError, which is an answer too."""
        if call.operation not in self._handlers:
            raise UnknownOperation(
                f"The local cloud has no {call.operation}: docs/local-cloud.md lists what it has"
            )
        model = shapes.operation(call.operation)
        shapes.validate(call.request, model.input_shape)
        check_tags(call.request.get("Tags") or ())
        answer = self._handlers[call.operation](call)
        return {} if model.output_shape is None else shapes.project(answer, model.output_shape)

    def recover(self) -> None:
        """Of every service."""
        for service in self._services:
            service.recover()
