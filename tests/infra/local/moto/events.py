"""EventBridge's matching of events, as moto has it: for tests of rules in the stack's template."""

from typing import Any

from moto.events.models import EventPattern, EventPatternParser

__all__ = ["matches_event"]


def matches_event(pattern: str, event: dict[str, Any]) -> bool:
    """Return whether an event pattern (JSON) matches an event."""
    return EventPattern(pattern, EventPatternParser(pattern).parse()).matches_event(event)  # type: ignore[arg-type]
