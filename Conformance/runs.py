"""The servers of one differential run and the running of streams on them.

Keeps one server per (binary, options) alive, replaces a server under test that died, runs a stream in each
variant (RESP2 and RESP3, one and four I/O threads) and lays the traces side by side.
"""
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from keystate import State, compare_states, read_everything
from resp import Reply, show
from rules import Difference
from compare import same
from servers import BINARIES, Server, StartFailed
from session import Session, Step, Stream

IO_THREADS = (1, 4)


@dataclass
class Trace:
    """What one server answered to one stream, and what it held afterwards."""

    steps: list[Step]
    state: State
    facts: dict[str, str] = field(default_factory=dict)
    died: str = ""


@dataclass
class Pool:
    """Servers by binary and options, started when first asked for."""

    servers: dict[tuple[str, ...], Server] = field(default_factory=dict)

    def get(self, binary: str, *options: str) -> Server:
        key = (binary, *options)
        server = self.servers.get(key)
        if server is None or not server.is_alive():
            if server is not None:
                server.stop()
            self.servers[key] = server = Server(BINARIES[binary](), *options, name=binary)
        return server

    def stop(self) -> None:
        for server in self.servers.values():
            server.stop()
        self.servers.clear()


def fog_options(io_threads: int) -> tuple[str, ...]:
    """The options of a variant of the server under test."""
    return ("--io-threads", str(io_threads))


def has_encoding(missing: frozenset[str], oracle: str) -> bool:
    """True when OBJECT ENCODING can be asked and the oracle is the one whose encodings are the reference."""
    return oracle == "redis" and not {"object", "object|encoding"} & missing


def trace(server: Server, stream: Stream, protocol: int, missing: frozenset[str], encodings: bool) -> Trace:
    """Runs a stream on a server; a server that dies on the way is part of the result."""
    session = Session(server, protocol, missing)
    state: State = {}
    try:
        session.prepare()
        stream.run(session)
        session.close()
        state = read_everything(session.connection(), encodings)
        return Trace(session.steps, state, session.facts)
    except Exception as problem:  # whatever the server under test answered, the run goes on
        if server.name != "fog":
            raise
        session.record("(session)", Reply("broken", f"{type(problem).__name__}: {problem}".encode()))
        death = "" if server.is_alive() else f"exit {server.exit_code()}: {server.log_tail()}"
        return Trace(session.steps, state, session.facts, death)
    finally:
        session.close()


@dataclass
class Found:
    """The differences of a run, each with the variants it was seen in."""

    variants: dict[Difference, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, difference: Difference, variant: str) -> None:
        if variant not in self.variants[difference]:
            self.variants[difference].append(variant)

    def add_trace(self, stream: str, fog: Trace, stock: Trace, variant: str) -> None:
        """Compares two traces step by step, then the state they left."""
        if fog.died:
            self.add(Difference(stream, "(the server died)", fog.died[-700:], "alive"), variant)
        for index, expected in enumerate(stock.steps):
            if index >= len(fog.steps):
                self.add(Difference(stream, expected.label, "(nothing, the run ended)", show(expected.reply)), variant)
                return
            step = fog.steps[index]
            if step.label != expected.label:
                self.add(Difference(stream, expected.label, f"(went another way: {step.label}: {show(step.reply)})",
                                    show(expected.reply)), variant)
                return
            if not same(step.reply, expected.reply, expected.policy):
                self.add(Difference(stream, step.label, show(step.reply), show(expected.reply)), variant)
        for name, value in stock.facts.items():
            here = fog.facts.get(name, "(not there)")
            if here != value:
                self.add(Difference(stream, name, here, value), variant)
        for what, here, there in compare_states(fog.state, stock.state):
            self.add(Difference(stream, f"(state) {what}", here, there), variant)


def run_stream(pool: Pool, stream: Stream, missing: frozenset[str], found: Found) -> int:
    """Runs a stream in every variant against each of its stock servers; returns the number of steps compared."""
    step_count = 0
    for oracle in stream.oracles:
        name = stream.name if oracle == "redis" else f"{stream.name}@{oracle}"
        encodings = has_encoding(missing, oracle)
        for protocol in (2,) if "hello" in missing else stream.protocols:
            stock = trace(pool.get(oracle, *stream.options), stream, protocol, missing, encodings)
            for io_threads in IO_THREADS:
                variant = f"resp{protocol}/io{io_threads}"
                try:
                    server = pool.get("fog", *fog_options(io_threads), *stream.options)
                except StartFailed as problem:
                    found.add(Difference(name, "(start)", str(problem), "starts"), variant)
                    continue
                mine = trace(server, stream, protocol, missing, encodings)
                found.add_trace(name, mine, stock, variant)
                step_count += len(mine.steps) + len(mine.facts)
    return step_count


def stream_labels(stream: Stream) -> set[str]:
    """The names under which a stream's differences are listed."""
    return {stream.name if oracle == "redis" else f"{stream.name}@{oracle}" for oracle in stream.oracles}
