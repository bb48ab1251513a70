"""The exception tree. Every message says what was expected, what came, and what to do.

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
    """The root: the command line prints it as one line, a job writes it to `output/failure`."""


class DataError(LongspanError):
    """Input text or a data file is missing, malformed or empty."""


class HyperparameterError(LongspanError):
    """A hyperparameter has an unknown name or a value that is not allowed."""


class OptionError(LongspanError):
    """An option of a job, or a variable of its environment, is unknown or has a wrong value."""


class ModelDirectoryError(LongspanError):
    """A model directory is incomplete, corrupt or was written by another version."""


class CheckpointError(LongspanError):
    """A checkpoint cannot be read or does not belong to this training run."""


class Interrupted(LongspanError):  # noqa: N818 - an orderly stop, not a mistake
    """A signal asked the work to stop; what was done is saved and can be resumed."""


def explain_os_error(error: OSError) -> str:
    """One line on what the system refused, and where."""
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left on the disk{place}: free some and run the same command again"
    return f"{error.strerror or error}{place}"


def explain_missing_package(error: ModuleNotFoundError) -> str:
    """One line on a package that is not installed; raises `error` again for a module of longspan.

    What the core needs comes with every install, so that the extra `cloud` is what is missing.
    """
    package = (error.name or "").partition(".")[0]
    if package in ("", "longspan"):
        raise error
    return (
        f"expected the packages of the extra `cloud`, {package} is not installed; "
        "do: pip install 'longspan[cloud]'"
    )
