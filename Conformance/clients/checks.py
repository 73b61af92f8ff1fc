"""The list of acceptance checks with real clients, and what a check is given.

A check names the commands it needs; where the server lacks one of them the check is left out and says so. It
fails by raising, and says by its function's text what a user would miss.
"""
from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import Callable

from servers import Server

TOOL_TIMEOUT_SECONDS = 60


@dataclass
class Context:
    """The server that a check may use, empty at its start."""

    server: Server

    def tool(self, *line: str, text: str | None = None, seconds: float = TOOL_TIMEOUT_SECONDS) -> str:
        """Runs a command-line tool to its end; returns what it printed, fails when it fails."""
        outcome = subprocess.run(line, input=text, capture_output=True, text=True, timeout=seconds)
        said = f"{outcome.stdout}{outcome.stderr}"
        assert outcome.returncode == 0, f"{' '.join(line)} ended with {outcome.returncode}: {said}"
        return outcome.stdout

    def cli(self, *arguments: str, text: str | None = None) -> str:
        """Runs redis-cli against the server."""
        return self.tool("redis-cli", "-p", str(self.server.port), *arguments, text=text)

    def watch(self, *arguments: str, seconds: float = 1.5) -> str:
        """Runs an endless mode of redis-cli for a moment; returns what it printed until then."""
        process = subprocess.Popen(["stdbuf", "-oL", "redis-cli", "-p", str(self.server.port), *arguments],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   text=True)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.terminate()
        return process.communicate()[0]


@dataclass(frozen=True)
class Check:
    """One acceptance check."""

    name: str
    needs: tuple[str, ...]
    run: Callable[[Context], None]
    title: str


CHECKS: list[Check] = []


def check(*needs: str) -> Callable[[Callable[[Context], None]], Callable[[Context], None]]:
    """Registers a function as a check that needs these commands."""
    def register(function: Callable[[Context], None]) -> Callable[[Context], None]:
        module = function.__module__.rpartition(".")[2]
        title = (function.__doc__ or "").strip().splitlines()[0]
        CHECKS.append(Check(f"{module}.{function.__name__}", needs, function, title))
        return function
    return register
