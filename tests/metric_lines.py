"""Reading metrics back from printed lines, by the regular expressions that a job is given."""

import re

from longspan.training.loop.metrics import METRICS


def parse_metrics(line: str) -> dict[str, float]:
    """The metrics that a line holds."""
    found = {name: re.search(metric.regex, line) for name, metric in METRICS.items()}
    return {name: float(match.group(1)) for name, match in found.items() if match}
