"""The server's settings, from variables of the environment that SageMaker's Model carries."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from longspan.inference.requests.options import Profile
from longspan.training.errors import OptionError
from longspan.training.languages import ALLOWED_LANGUAGES, language_code
from longspan.training.values import Settings, Words

__all__ = ["ServerSettings"]

_ROW = "LONGSPAN_"
_PORT = "SAGEMAKER_BIND_TO_PORT"
_BATCH = "SAGEMAKER_BATCH"  # "true" in the container of a batch transform job
_BATCH_DEADLINE = "3600"
# Kernels use one thread, so that a core without a worker does nothing.
_MOST_WORKERS = 16
_GPU = Path("/dev/nvidiactl")  # the server itself has no torch to ask
_BATCH_TEXTS = "1000000"  # a request is a file, or what MaxPayloadInMB takes of its lines

Language = Annotated[str, AfterValidator(language_code), Words(ALLOWED_LANGUAGES)]


class ServerSettings(Settings):
    """How to serve. A field `workers` is the variable LONGSPAN_WORKERS, and so on.

    Raises OptionError for a value that is not allowed.
    """

    refusal: ClassVar[type[Exception]] = OptionError

    host: str = Field("0.0.0.0", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port; 0 is any free one")
    workers: int = Field(
        0,
        ge=0,
        le=64,
        description="worker processes; 0: one per core, at most 16, or one on a GPU",
    )
    threads: int = Field(
        0, ge=0, le=256, description="threads per worker; 0: the cores divided among the workers"
    )
    device: str = Field("", description="cpu, cuda, cuda:1 ...; empty: a GPU if available")
    precision: Literal["auto", "fp32", "int8"] = Field(
        "auto", description="precision of the weights; auto: int8 on CPUs where it is fast"
    )
    profile: Profile = Field("quality", description="profile of requests that name none")
    language: Language = Field(
        "en", description="source language, whose rules find the ends of sentences"
    )
    long_input: Literal["split", "refuse"] = Field(
        "split", description="split lines over max_source_tokens, or refuse them with 413"
    )
    max_source_tokens: int = Field(
        512, ge=8, le=10**6, description="most source tokens of a part that is translated as one"
    )
    max_text_tokens: int = Field(
        50_000, ge=8, le=10**8, description="most source tokens of a text; more is a 413"
    )
    max_body_mb: float = Field(
        25, ge=0.001, le=1024, description="most megabytes of a request; more is a 413"
    )
    max_texts: int = Field(
        10_000,
        ge=1,
        le=10**7,
        description="most texts of a request; more is a 413; in batch transform a million",
    )
    deadline: float = Field(
        55, ge=0.1, le=3600, description="most seconds for a request; in batch transform an hour"
    )
    queue: int = Field(
        256, ge=1, le=10**6, description="most requests at a time; more are refused with 429"
    )
    batch_size: int = Field(64, ge=1, le=4096, description="most parts in a batch")
    batch_tokens: int = Field(4096, ge=1, le=10**7, description="most source tokens in a batch")
    batch_delay_ms: float = Field(
        2,
        ge=0,
        le=1000,
        description="milliseconds that a part of profile quality may wait for its batch",
    )
    silence: float = Field(
        30,
        ge=2,
        le=3600,
        description="seconds without a message until a worker that has work is restarted",
    )
    drain: float = Field(28, ge=0, le=3600, description="seconds to finish requests after SIGTERM")
    page: bool = Field(False, description="serve a page for trying translations at /")
    log_text: bool = Field(False, description="log the texts of users")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ServerSettings":
        """Return the settings of an environment's variables.

        Raises OptionError naming the variable, its value and what is allowed.
        """
        names = {name: _variable(name) for name in cls.model_fields}
        texts = {name: environment[names[name]] for name in names if names[name] in environment}
        if environment.get(_BATCH, "").lower() == "true":
            # What the user sets comes last and wins.
            texts = {"deadline": _BATCH_DEADLINE, "max_texts": _BATCH_TEXTS} | texts
        return cls.from_texts(texts, names)

    @classmethod
    def variables(cls) -> list[tuple[str, Any, str, str]]:
        """Return (variable, default, allowed values, meaning) of each setting, for the docs."""
        return [(_variable(name), *rest) for name, *rest in cls.describe()]

    def shares(self, cores: int | None = None, has_gpu: bool | None = None) -> tuple[int, int]:
        """Return the number of workers, and of threads for each, that share `cores` processors."""
        if cores is None:
            cores = available_cores(os.environ)
        if has_gpu is None:
            has_gpu = _GPU.exists()
        on_gpu = self.device.startswith("cuda") or (not self.device and has_gpu)
        workers = self.workers or (1 if on_gpu else min(_MOST_WORKERS, cores))
        return workers, self.threads or max(1, cores // workers)


def available_cores(environment: Mapping[str, str]) -> int:
    """Return OMP_NUM_THREADS if it is set, else the cores that this process may run on."""
    granted = environment.get("OMP_NUM_THREADS", "")
    if granted.isdecimal() and int(granted) > 0:
        return int(granted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _variable(name: str) -> str:
    """Return the variable of the environment that sets a field."""
    return _PORT if name == "port" else f"{_ROW}{name.upper()}"
