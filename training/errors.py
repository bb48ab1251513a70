"""The exception tree. Every message says what was expected, what was got, and what to do.

LongspanError
├── DataError              input text or data files
├── HyperparameterError    a hyperparameter's name or value
├── OptionError            an option or environment variable of a job or of the server
├── ModelDirectoryError    a model directory that is incomplete, corrupt or of another version
├── CheckpointError        a checkpoint that cannot be read or does not fit
└── Interrupted            a signal asked to stop; work was saved
"""

import errno

__all__ = [
    "CheckpointError",
    "DataError",
    "HyperparameterError",
    "Interrupted",
    "LongspanError",
    "ModelDirectoryError",
    "OptionError",
    "explain_missing_package",
    "explain_os_error",
]


class LongspanError(Exception):
    """The root of all expected errors.

    A command prints the message as one line, and a job writes it to `output/failure`.
    """


class DataError(LongspanError):
    """Input text or a data file is missing, malformed or empty."""


class HyperparameterError(LongspanError):
    """The name of a hyperparameter is unknown, or its value is not allowed."""


class OptionError(LongspanError):
    """An option of a job, or an environment variable, is unknown or has a wrong value."""


class ModelDirectoryError(LongspanError):
    """A model directory is incomplete, corrupt or of another version."""


class CheckpointError(LongspanError):
    """A checkpoint cannot be read or does not belong to this training run."""


class Interrupted(LongspanError):  # noqa: N818 - an orderly stop, not a mistake
    """A signal stopped the work, which is saved and can be resumed."""


def explain_os_error(error: OSError) -> str:
    """Return one line on an error of the operating system, with its path."""
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left on the disk{place}: free some and run the same command again"
    return f"{error.strerror or error}{place}"


def explain_missing_package(error: ModuleNotFoundError) -> str:
    """Return one line on a package that is not installed.

    All packages of the core come with every install, so a missing one belongs to the extra `cloud`.
    Raises `error` again if a module of longspan itself is missing.
    """
    package = (error.name or "").partition(".")[0]
    if package in ("", "longspan"):
        raise error
    return (
        f"expected the packages of the extra `cloud`, got no {package}; "
        "do: pip install 'longspan[cloud]'"
    )
