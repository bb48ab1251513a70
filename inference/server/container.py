"""The container's `serve`: an endpoint from its folders and its environment.

A composition root: it alone in `inference` reads the environment. See `docs/serving.md`.
"""

import os
import sys
from collections.abc import Mapping

from longspan.inference.server.serving import serve
from longspan.inference.server.settings import ServerSettings
from longspan.training.container.paths import ContainerPaths
from longspan.training.errors import LongspanError
from longspan.training.model.archive import open_model
from longspan.training.stop import terminated_as_interrupted

__all__ = ["main"]


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Serve until SIGTERM; the exit status. The model's folder is only read."""
    try:
        settings = ServerSettings.from_environment(environment)
        paths = ContainerPaths.from_environment(environment)
        # Until the server itself waits for signals; an archive that was unpacked is removed then.
        with terminated_as_interrupted(), open_model(paths.model) as model:
            serve(model, settings)
    except KeyboardInterrupt:
        return 0
    except LongspanError as error:
        print(f"longspan: error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        return 1
    return 0
