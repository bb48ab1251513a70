"""A folder in which commands are typed, as processes or in the test's own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from longspan.pipelines.command import main
from tests.in_process import Done, call

# A shell starts what runs in its background with SIGINT ignored, and children inherit that.
_COMMAND = (
    "import signal, sys\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from longspan.pipelines.command import main\n"
    "sys.exit(main(sys.argv[1:]))"
)


@dataclass(frozen=True)
class Shell:
    """A folder with a config in which commands are typed; nothing else leads to a cloud."""

    folder: Path

    def environment(self, **more: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LONGSPAN_"))}
        hidden = {"HOME": str(self.folder), "AWS_EC2_METADATA_DISABLED": "true"}
        return {**kept, **hidden, **more}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Type a command and do not wait for its end."""
        return subprocess.Popen(
            [sys.executable, "-c", _COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def process(self, *arguments: str) -> Done:
        """Run a command in a process of its own."""
        with self.start(*arguments) as process:
            output, errors = process.communicate(timeout=300)
        return Done(process.returncode, output, errors)

    def __call__(self, *arguments: str, **more: str) -> Done:
        """Run a command in this process, which has loaded what commands load."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            wanted = self.environment(**more)
            for name in os.environ.keys() - wanted.keys():
                patch.delenv(name)
            for name, value in wanted.items():
                patch.setenv(name, value)
            return call(lambda: main(list(arguments)))

    def processes(self) -> list[str]:
        """Command lines of processes that work in the folder, ours aside."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.folder) in line:
                found.append(line)
        return found
