"""Child processes of the suite: started with their output in files, awaited by what they print, ended by process id."""

import os
import pathlib
import re
import socket
import subprocess
import time

STOP_SECONDS = 10


class Process:
    """One child. `stdout` and `stderr` are files, so that a chatty child never blocks and a failure can be read."""

    def __init__(
        self,
        name: str,
        command: list[str],
        folder: pathlib.Path,
        env: dict[str, str] | None = None,
        group: bool = False,
    ):
        """`env` is added to ours; `group`: it leads a process group of its own, as in a terminal."""
        self.name = name
        self.stdout = folder / f"{name}.stdout"
        self.stderr = folder / f"{name}.stderr"
        with self.stdout.open("wb") as out, self.stderr.open("wb") as err:
            self.child = subprocess.Popen(
                command,
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})},
                start_new_session=group,
            )

    def wait_for(self, pattern: str, seconds: float) -> re.Match[str]:
        """The first match of `pattern` in what the child printed; without one, the child is killed."""
        deadline = time.monotonic() + seconds
        while True:
            ended = self.child.poll()
            for file in (self.stdout, self.stderr):
                match = re.search(pattern, file.read_text("utf-8", "replace"), re.MULTILINE)
                if match:
                    return match
            if ended is not None:
                raise RuntimeError(f"{self.name} ended with code {ended}:\n{self.tail()}")
            if time.monotonic() > deadline:
                self.child.kill()
                self.child.wait()
                raise RuntimeError(f"{self.name} did not print {pattern!r} within {seconds} s:\n{self.tail()}")
            time.sleep(0.02)

    def tail(self) -> str:
        return "".join(file.read_text("utf-8", "replace")[-4000:] for file in (self.stdout, self.stderr))

    def stop(self) -> int:
        """SIGTERM, then SIGKILL; the exit code."""
        self.child.terminate()
        try:
            return self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise RuntimeError(f"{self.name} did not end within {STOP_SECONDS} s of SIGTERM") from None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
