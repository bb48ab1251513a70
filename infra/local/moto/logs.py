"""What moto's CloudWatch Logs leaves out of a request: the prefix of streams, and their order.

With the other modules named `moto_...` this is where moto's internals are touched.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

from typing import Any

from moto.logs.responses import LogsResponse

__all__ = ["complete_log_filter"]


def complete_log_filter() -> None:
    """FilterLogEvents gives events of the streams that it is asked for, in the order of time."""
    original = LogsResponse.filter_log_events

    def filter_log_events(self: Any) -> Any:
        read = self._get_param
        known: dict[str, Any] = {"interleaved": True}
        prefix = read("logStreamNamePrefix")
        if prefix:
            group = self.logs_backend.groups.get(read("logGroupName"))
            names = [name for name in group.streams if name.startswith(prefix)] if group else []
            known["logStreamNames"] = names or [prefix]  # no names would mean all
        self._get_param = lambda name, default=None: known.get(name, read(name, default))
        return original(self)

    setattr(LogsResponse, "filter_log_events", filter_log_events)  # noqa: B010 - for mypy
