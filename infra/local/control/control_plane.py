"""The control plane: from a request to its answer.

A request passes five steps: find the operation, validate the request, call the handler, add
AWS's defaults to the result, and project it to the operation's output shape.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from longspan.infra.local.control import shapes
from longspan.infra.local.control.api import ApiCall, Document, Handler, UnknownOperation
from longspan.infra.local.control.defaults import with_defaults
from longspan.infra.local.control.tags import check_tags

__all__ = ["ApiService", "ControlPlane"]


class ApiService(Protocol):
    """A part of SageMaker, such as training jobs: its operations and the work behind them."""

    def operations(self) -> Mapping[str, Handler]:
        """Return the handlers by operation name."""
        ...

    def recover(self) -> None:
        """Correct the stored state after a restart: what was running then has ended."""
        ...


class ControlPlane:
    """All operations of all services; each operation belongs to one service."""

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
        """Names of all operations that have a handler."""
        return frozenset(self._handlers)

    def handle(self, call: ApiCall) -> Document:
        """Return the answer, with the members of its output shape. Raises ApiError."""
        if call.operation not in self._handlers:
            raise UnknownOperation(
                f"The local cloud has no {call.operation}: docs/local-cloud.md lists what it has"
            )
        model = shapes.operation(call.operation)
        shapes.validate(call.request, model.input_shape)
        # Here, because tags have the same rules in every operation.
        check_tags(call.request.get("Tags") or ())
        answer = with_defaults(call.operation, self._handlers[call.operation](call))
        return {} if model.output_shape is None else shapes.project(answer, model.output_shape)

    def recover(self) -> None:
        """Correct the stored state of every service after a restart."""
        for service in self._services:
            service.recover()
