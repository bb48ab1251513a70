"""From whatever goes wrong in a job's thread to the reason that its document shows."""

import logging
from collections.abc import Callable

from botocore.exceptions import ClientError

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.containers.failures import CloudClosed, JobFailure
from longspan.infra.local.control.api import ApiError
from longspan.infra.local.control.documents import Key

__all__ = ["conclude"]


def conclude(key: Key, work: Callable[[], None], fail: Callable[[str], None]) -> None:
    """Do the work; `fail` gets the reason when it cannot be done. A job always ends."""
    try:
        work()
    except (JobFailure, CloudClosed) as failure:
        fail(str(failure))
    except (ClientError, ApiError) as error:
        fail(f"ClientError: {error}")
    except (LocalCloudError, OSError) as error:
        fail(f"InternalServerError: {error}")
    except Exception as error:
        logging.getLogger(__name__).exception("%s %s", key.kind, key.name)
        fail(f"InternalServerError: {type(error).__name__}: {error}")
