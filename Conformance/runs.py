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
from compare import same_as_any
from servers import BINARIES, Server, StartFailed
from session import Session, Step, Stream

IO_THREADS = (1, 4)


@dataclass
class Trace:
    """What one server answered to one stream, and what it held afterwards."""

    steps: list[Step]
    state: State
    facts: dict[str, str] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
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


def stock_names(oracle: str) -> tuple[str, ...]:
    """The stock servers behind an oracle's name; with `either` a reply must be like one of theirs."""
    return ("redis", "valkey") if oracle == "either" else (oracle,)


def has_encoding(missing: frozenset[str], oracle: str) -> bool:
    """True when OBJECT ENCODING can be asked. Redis' encodings are the reference; Valkey alone is not asked."""
    return oracle != "valkey" and not {"object", "object|encoding"} & missing


def trace(server: Server, stream: Stream, protocol: int, missing: frozenset[str]) -> Trace:
    """Runs a stream on a server; a server that dies on the way is part of the result."""
    session = Session(server, protocol, missing)
    state: State = {}
    try:
        session.prepare()
        stream.run(session)
        session.close()
        state = read_everything(session.connection(), has_encoding(missing, stream.oracle))
        return Trace(session.steps, state, session.facts, session.hints)
    except Exception as problem:  # whatever the server under test answered, the run goes on
        if server.name != "fog":
            raise
        session.record("(session)", Reply("broken", f"{type(problem).__name__}: {problem}".encode()))
        death = "" if server.is_alive() else f"exit {server.exit_code()}: {server.log_tail()}"
        return Trace(session.steps, state, session.facts, session.hints, death)
    finally:
        session.close()


@dataclass
class Found:
    """The differences of a run, each with the variants it was seen in."""

    variants: dict[Difference, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, difference: Difference, variant: str) -> None:
        if variant not in self.variants[difference]:
            self.variants[difference].append(variant)

    def add_traces(self, stream: str, fog: Trace, stocks: list[Trace], variant: str) -> None:
        """Compares a trace with those of the stock servers step by step, then the facts and the state it left."""
        if fog.died:
            self.add(Difference(stream, "(the server died)", fog.died[-700:], "alive"), variant)
        for index, expected in enumerate(stocks[0].steps):
            replies = [stock.steps[index].reply for stock in stocks]
            wanted = " or ".join(dict.fromkeys(show(reply) for reply in replies))
            if index >= len(fog.steps):
                self.add(Difference(stream, expected.label, "(nothing, the run ended)", wanted), variant)
                return
            step = fog.steps[index]
            if step.label != expected.label:
                here = f"(went another way: {step.label}: {show(step.reply)})"
                self.add(Difference(stream, expected.label, here, wanted), variant)
                return
            if not same_as_any(step.reply, replies, expected.policy):
                self.add(Difference(stream, step.label, show(step.reply), wanted), variant)
        self.add_facts(stream, fog, stocks, variant)
        for what, here, there in compare_states(fog.state, [stock.state for stock in stocks]):
            self.add(Difference(stream, f"(state) {what}", here, there), variant)

    def add_facts(self, stream: str, fog: Trace, stocks: list[Trace], variant: str) -> None:
        """Every fact that a stock server states must be there, with the value of one of them."""
        for name in dict.fromkeys(name for stock in stocks for name in stock.facts):
            values = [found[name] for stock in stocks for found in (stock.facts, stock.hints) if name in found]
            here = fog.facts.get(name, "(not there)")
            if here not in values:
                self.add(Difference(stream, name, here, " or ".join(dict.fromkeys(values))), variant)


def run_stream(pool: Pool, stream: Stream, missing: frozenset[str], found: Found) -> int:
    """Runs a stream in every variant on all servers concerned; returns the number of replies compared."""
    step_count = 0
    for protocol in (2,) if "hello" in missing else stream.protocols:
        stocks = [trace(pool.get(name, *stream.options), stream, protocol, missing)
                  for name in stock_names(stream.oracle)]
        for io_threads in IO_THREADS:
            variant = f"resp{protocol}/io{io_threads}"
            try:
                server = pool.get("fog", *fog_options(io_threads), *stream.options)
            except StartFailed as problem:
                found.add(Difference(stream.name, "(start)", str(problem), "starts"), variant)
                continue
            mine = trace(server, stream, protocol, missing)
            found.add_traces(stream.name, mine, stocks, variant)
            step_count += len(mine.steps) + len(mine.facts)
    return step_count
