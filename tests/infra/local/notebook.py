"""SageMaker's SDK as in a notebook: the variables of `local up`, and the SDK's own defaults."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest


@contextmanager
def notebook(environment: Mapping[str, str]) -> Iterator[None]:
    """Set the variables of a local cloud within the context."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK warns of its own modules
        for name, value in environment.items():
            patch.setenv(name, value)
        yield
