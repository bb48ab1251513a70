"""The server's settings, from variables of the environment that SageMaker's Model carries."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from longspan.inference.requests.options import PROFILES
from longspan.training.errors import OptionError
from longspan.training.languages import ALLOWED_LANGUAGES, language_code
from longspan.training.rules import Rule, choice, flag, integer, real, text

__all__ = ["ServerSettings"]

_ROW = "LONGSPAN_"
_PORT = "SAGEMAKER_BIND_TO_PORT"
_BATCH = "SAGEMAKER_BATCH"  # "true" in the container of a batch transform job
_BATCH_DEADLINE = 3600.0
# Kernels use one thread, so that a core without a worker does nothing.
_MOST_WORKERS = 16
_GPU = Path("/dev/nvidiactl")  # the server itself has no torch to ask
_BATCH_TEXTS = 10**6  # a request is a file, or what MaxPayloadInMB takes of its lines


@dataclass(frozen=True)
class ServerSettings:
    """How to serve. A field `workers` is the variable LONGSPAN_WORKERS, and so on."""

    host: str = text("0.0.0.0", "address to listen at")
    port: int = integer(8080, 0, 65535, "port; 0 is any free one")
    workers: int = integer(
        0, 0, 64, "processes with the model; 0: one a core, at most 16, or one on a GPU"
    )
    threads: int = integer(0, 0, 256, "threads of a worker; 0: the cores shared among workers")
    device: str = text("", "cpu, cuda, cuda:1 ...; empty: a GPU if there is one")
    precision: str = choice(
        "auto", ("auto", "fp32", "int8"), "of the weights; auto: int8 on a CPU where that is fast"
    )
    profile: str = choice("quality", PROFILES, "of requests that name none")
    language: str = text(
        "en",
        "of the source: its rules say where a sentence ends",
        language_code,
        ALLOWED_LANGUAGES,
    )
    long_input: str = choice(
        "split", ("split", "refuse"), "what exceeds max_source_tokens is split, or refused with 413"
    )
    max_source_tokens: int = integer(512, 8, 10**6, "source tokens translated at a time")
    max_text_tokens: int = integer(50_000, 8, 10**8, "source tokens of a text; more is a 413")
    max_body_mb: float = real(25, 0.001, 1024, "megabytes of a request; more is a 413")
    max_texts: int = integer(
        10_000, 1, 10**7, "texts of a request; more is a 413; in batch transform a million"
    )
    deadline: float = real(55, 0.1, 3600, "seconds for a request; in batch transform an hour")
    queue: int = integer(256, 1, 10**6, "requests at a time; more are refused with 429")
    batch_size: int = integer(64, 1, 4096, "parts that are translated together")
    batch_tokens: int = integer(4096, 1, 10**7, "source tokens that are translated together")
    batch_delay_ms: float = real(
        2, 0, 1000, "how long a part of profile quality may wait for others to go with it"
    )
    silence: float = real(
        30, 2, 3600, "seconds without a sign of life until a worker that has work is started again"
    )
    drain: float = real(28, 0, 3600, "seconds to finish what is there after SIGTERM")
    page: bool = flag(False, "serve the page to try it at /")
    log_text: bool = flag(False, "log the texts of users")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ServerSettings":
        """Raises OptionError naming the variable, its value and what is allowed."""
        values: dict[str, Any] = {}
        if environment.get(_BATCH, "").lower() == "true":
            values["deadline"] = _BATCH_DEADLINE
            values["max_texts"] = _BATCH_TEXTS
        for f in fields(cls):
            name = _PORT if f.name == "port" else f"{_ROW}{f.name.upper()}"
            given = environment.get(name)
            if given is not None:
                values[f.name] = _parse(f.metadata["rule"], name, given)
        return cls(**values)

    @classmethod
    def describe(cls) -> list[tuple[str, Any, str, str]]:
        """(variable, default, allowed values, meaning) of each, for the docs."""
        return [
            (
                _PORT if f.name == "port" else f"{_ROW}{f.name.upper()}",
                f.default,
                f.metadata["rule"].allowed,
                f.metadata["rule"].help,
            )
            for f in fields(cls)
        ]

    def shares(self, cores: int | None = None, has_gpu: bool | None = None) -> tuple[int, int]:
        """Workers, and threads of each, where `cores` processors are there to share."""
        if cores is None:
            cores = available_cores(os.environ)
        if has_gpu is None:
            has_gpu = _GPU.exists()
        on_gpu = self.device.startswith("cuda") or (not self.device and has_gpu)
        workers = self.workers or (1 if on_gpu else min(_MOST_WORKERS, cores))
        return workers, self.threads or max(1, cores // workers)


def available_cores(environment: Mapping[str, str]) -> int:
    """As many as OMP_NUM_THREADS grants, else those that this process may run on."""
    granted = environment.get("OMP_NUM_THREADS", "")
    if granted.isdecimal() and int(granted) > 0:
        return int(granted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _parse(rule: Rule, name: str, value: str) -> Any:
    try:
        return rule.parse(value)
    except (ValueError, KeyError):
        raise OptionError(f"{name}={value}: allowed: {rule.allowed}") from None
