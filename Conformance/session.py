"""One stream of commands run against one server, and the trace of what came back.

A stream is a text file of lines as redis-cli takes them (see README.md for the few marks), or a Python module
with `stream(session)`. Both drive a `Session`. The trace of the server under test is then laid beside the
trace of a stock server, step by step.
"""
from __future__ import annotations

import importlib.util
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, NamedTuple

from compare import policy_for
from resp import CLOSED, Connection, Reply, show_bytes
from servers import Server

SILENCE_SECONDS = 0.05
# Between a command whose reply is not awaited and the next one of another connection: no server promises an order of
# connections, and epoll may report the later one first when the server was held up.
SETTLE_SECONDS = 0.02
FRAME_WAIT_SECONDS = 3.0
_MACRO = re.compile(rb"\{([^{}*]+)\*(\d+)\}")
_VARIABLE = re.compile(rb"\$\{(\w+)\}")
_MARK = re.compile(r"^(?:@(?P<connection>\w+)(?P<mode>[<>!]?)\s*)?(?:~(?P<policy>[\w-]+)\s*)?(?:=(?P<capture>\w+)\s+)?")


class Step(NamedTuple):
    """One thing that happened: what was sent, how to compare it, and the reply."""

    label: str
    policy: str
    reply: Reply


@dataclass
class Stream:
    """A stream ready to run: its name, the stock server to compare with, and what drives the session."""

    name: str
    run: Callable[["Session"], None]
    oracle: str = "redis"
    options: tuple[str, ...] = ()
    protocols: tuple[int, ...] = (2, 3)


class BadStream(Exception):
    """A stream file cannot be read; the text says which line and why."""


def split_arguments(line: str) -> list[bytes]:
    """Splits a line as redis-cli does: double quotes with escapes, single quotes, bare words; then macros."""
    arguments: list[bytes] = []
    position = 0
    data = line.encode()
    while True:
        while position < len(data) and data[position:position + 1].isspace():
            position += 1
        if position >= len(data):
            return [_expand(argument) for argument in arguments]
        argument, position = _one_argument(data, position)
        arguments.append(argument)


def _one_argument(data: bytes, position: int) -> tuple[bytes, int]:
    quote = data[position:position + 1]
    if quote not in (b'"', b"'"):
        end = position
        while end < len(data) and not data[end:end + 1].isspace():
            end += 1
        return data[position:end], end
    out = bytearray()
    position += 1
    while position < len(data):
        character = data[position:position + 1]
        if character == quote:
            return bytes(out), position + 1
        if character == b"\\" and quote == b'"':
            taken, position = _escape(data, position)
            out += taken
        elif character == b"\\" and data[position + 1:position + 2] == b"'":
            out += b"'"
            position += 2
        else:
            out += character
            position += 1
    raise BadStream(f"unbalanced quotes: {data!r}")


def _escape(data: bytes, position: int) -> tuple[bytes, int]:
    following = data[position + 1:position + 2]
    if following == b"x":
        return bytes([int(data[position + 2:position + 4], 16)]), position + 4
    plain = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
    return plain.get(following, following), position + 2


def _expand(argument: bytes) -> bytes:
    return _MACRO.sub(lambda match: match.group(1) * int(match.group(2)), argument)


class Session:
    """The connections of one run of a stream against one server, and its trace so far."""

    def __init__(self, server: Server, protocol: int, missing: frozenset[str] = frozenset()) -> None:
        self.server = server
        self.protocol = protocol
        self.missing = missing
        self.steps: list[Step] = []
        self.facts: dict[str, str] = {}
        self.hints: dict[str, str] = {}
        self.connections: dict[str, Connection] = {}
        self.variables: dict[bytes, bytes] = {}

    def connection(self, name: str = "main") -> Connection:
        """The named connection, opened (and switched to the session's protocol) when first asked for."""
        if name not in self.connections:
            self.connections[name] = self.server.connect(self.protocol)
        return self.connections[name]

    def drop(self, name: str = "main") -> None:
        """Closes a named connection; the next use opens a new one."""
        connection = self.connections.pop(name, None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        for name in list(self.connections):
            self.drop(name)

    def lacks(self, arguments: tuple[bytes, ...]) -> bool:
        """True when the server under test is known not to have this command; then no server is asked."""
        name = arguments[0].decode("latin-1").lower()
        if name in self.missing:
            return True
        if name == "command" and len(arguments) > 2 and arguments[1].lower().startswith(b"getkeys"):
            return self.lacks(arguments[2:])
        return len(arguments) > 1 and f"{name}|{arguments[1].decode('latin-1').lower()}" in self.missing

    def command(self, *arguments: bytes | str | int, policy: str | None = None, on: str = "main",
                label: str | None = None) -> Reply:
        """Sends one command, waits for its reply and records both."""
        encoded = tuple(item if isinstance(item, bytes) else str(item).encode() for item in arguments)
        if self.lacks(encoded):
            return Reply("skipped", None)
        connection = self.connection(on)
        reply = connection.command(*encoded)
        if connection.pushes:
            reply = Reply("pushed", tuple(connection.pushes) + (reply,))
            connection.pushes.clear()
        if reply.kind in ("closed", "timeout"):
            self.drop(on)
        self.record(label or self.label(encoded, on), reply, policy or policy_for(encoded))
        return reply

    def note(self, label: str, value: object, policy: str = "exact") -> None:
        """Records a fact that a stream worked out for itself, to be compared like a reply."""
        self.record(label, Reply("note", repr(value).encode()), policy)

    def fact(self, name: str, value: object) -> None:
        """Records something that is looked up by name: a server may have more facts than stock, not fewer."""
        self.facts[name] = str(value)

    def hint(self, name: str, value: object) -> None:
        """Another value that is as right for a fact of this name, should another stock server ask for it."""
        self.hints[name] = str(value)

    def record(self, label: str, reply: Reply, policy: str = "exact") -> None:
        self.steps.append(Step(label, policy, reply))

    @staticmethod
    def label(arguments: tuple[bytes, ...], on: str = "main") -> str:
        words = []
        for argument in arguments:
            text = show_bytes(argument, 60)
            words.append(f'"{text}"' if not text or " " in text or "\\" in text else text)
        return ("" if on == "main" else f"@{on} ") + " ".join(words)

    def line(self, line: str) -> None:
        """Runs one line of a text stream."""
        text = line.strip()
        if not text or text.startswith("#"):
            return
        if text.startswith("!"):
            self._directive(text[1:].split())
            return
        mark = _MARK.match(text)
        assert mark is not None
        self._perform(mark, tuple(split_arguments(text[mark.end():])))

    def _perform(self, mark: re.Match[str], written: tuple[bytes, ...]) -> None:
        arguments = tuple(self._fill_in(argument) for argument in written)
        on = mark["connection"] or "main"
        mode = mark["mode"] or ""
        if mode in ("<", "!"):
            wait = SILENCE_SECONDS if mode == "!" else FRAME_WAIT_SECONDS
            self.record(f"@{on}{mode}", self.connection(on).read_any(wait), mark["policy"] or "exact")
        elif mode == ">":
            if not self.lacks(arguments):
                self.connection(on).send(*arguments)
                time.sleep(SETTLE_SECONDS)
        else:
            reply = self.command(*arguments, policy=mark["policy"], on=on, label=self.label(written, on))
            if mark["capture"]:
                self.variables[mark["capture"].encode()] = reply.text()

    def _directive(self, words: list[str]) -> None:
        if words[0] == "sleep":
            time.sleep(float(words[1]))
        elif words[0] == "drop":
            self.drop(words[1])
        else:
            raise BadStream(f"unknown directive !{words[0]}")

    def _fill_in(self, argument: bytes) -> bytes:
        return _VARIABLE.sub(lambda match: self.variables.get(match.group(1), b""), argument)

    def prepare(self) -> None:
        """Brings the server to its empty state before a stream; not recorded."""
        connection = self.connection()
        connection.command("FLUSHALL")

    def ended(self) -> bool:
        """True when the last step found the connection gone or silent."""
        return bool(self.steps) and self.steps[-1].reply in (CLOSED,)


@dataclass
class _Header:
    oracle: str = "redis"
    options: tuple[str, ...] = ()
    protocols: tuple[int, ...] = (2, 3)
    lines: list[str] = field(default_factory=list)


def load_text(path: Path) -> Stream:
    """Reads a text stream; its header lines are `!oracle`, `!server` and `!protocols`."""
    header = _Header()
    for line in path.read_text().splitlines():
        words = line.split()
        if words[:1] == ["!oracle"]:
            header.oracle = words[1]
        elif words[:1] == ["!server"]:
            header.options = tuple(words[1:])
        elif words[:1] == ["!protocols"]:
            header.protocols = tuple(int(word) for word in words[1:])
        else:
            header.lines.append(line)

    def run(session: Session) -> None:
        for number, line in enumerate(header.lines, 1):
            try:
                session.line(line)
            except (BadStream, ValueError) as problem:
                raise BadStream(f"{path.name}: {line!r} (line {number} without headers): {problem}") from problem
    return Stream(path.stem, run, header.oracle, header.options, header.protocols)


def load_module(path: Path) -> Stream:
    """Imports a Python stream: `stream(session)` and, if wanted, ORACLE, OPTIONS and PROTOCOLS."""
    specification = importlib.util.spec_from_file_location(f"stream_{path.stem}", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return Stream(path.stem, module.stream, getattr(module, "ORACLE", "redis"),
                  getattr(module, "OPTIONS", ()), getattr(module, "PROTOCOLS", (2, 3)))


def load_streams(folder: Path) -> list[Stream]:
    """Every stream of a folder, by name."""
    streams = [load_text(path) for path in folder.glob("*.txt")]
    streams += [load_module(path) for path in folder.glob("*.py") if not path.name.startswith("_")]
    return sorted(streams, key=lambda stream: stream.name)
