"""Generated command sequences, sent to the server under test and to a stock server, compared and shrunk.

For each family hypothesis draws short sequences over a small key space. Every sequence is run, pipelined, in
RESP2 and RESP3, with one and with four I/O threads, and afterwards the keys' state is compared. A difference is
shrunk to the shortest sequence that shows it, remembered, and the search goes on for others.
"""
from __future__ import annotations

import importlib
import random
import time
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import FlakyFailure

from compare import policy_for, same_as_any
from families.arguments import Command, Family
from keystate import compare_states, read_keys
from resp import CLOSED, Connection, ProtocolBroken, Reply, show
from rules import Difference, Rule, explain
from runs import IO_THREADS, Found, Pool, fog_options, has_encoding, stock_names
from session import Session

FOLDER = Path(__file__).resolve().parent
# A family that differs in many ways is left after this many findings, or when this time is over.
SEARCHES_MAX = 12
SEARCH_SECONDS_MAX = 45.0


class Differs(Exception):
    """A sequence showed a difference that was not known yet."""

    def __init__(self, difference: Difference, variant: str, sequence: list[Command]) -> None:
        super().__init__(f"{difference.command}: {difference.fog} / {difference.stock}")
        self.difference = difference
        self.variant = variant
        self.sequence = sequence


def load_families() -> list[Family]:
    """Every family of the folder `families`, by name."""
    families: list[Family] = []
    for path in sorted((FOLDER / "families").glob("*.py")):
        if path.stem not in ("__init__", "arguments"):
            families += importlib.import_module(f"families.{path.stem}").FAMILIES
    return sorted(families, key=lambda family: family.name)


@dataclass
class Lane:
    """One way a sequence is run: a binary with options and a protocol, and its open connection."""

    binary: str
    options: tuple[str, ...]
    protocol: int
    connection: Connection | None = None

    def variant(self) -> str:
        io_threads = self.options[self.options.index("--io-threads") + 1] if "--io-threads" in self.options else "-"
        return f"resp{self.protocol}/io{io_threads}"

    def run(self, pool: Pool, sequence: list[Command]) -> list[Reply]:
        """Empties the server and runs the sequence in one write; a dead server is a reply of its own kind."""
        server = pool.get(self.binary, *self.options)
        if self.connection is None:
            self.connection = server.connect(self.protocol)
        try:
            replies = self.connection.pipeline([(b"FLUSHALL",), *sequence])[1:]
        except (ProtocolBroken, OSError) as problem:
            replies = [Reply("broken", str(problem).encode())]
        if len(replies) < len(sequence) or (replies and replies[-1].kind in ("closed", "timeout", "broken")):
            self.drop()
            if not server.is_alive():
                replies.append(Reply("died", server.log_tail(400).encode()))
        return replies

    def drop(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Search:
    """The search for differences in one family."""

    def __init__(self, pool: Pool, family: Family, missing: frozenset[str], rules: list[Rule]) -> None:
        self.pool = pool
        self.family = family
        self.missing = missing
        self.rules = rules
        self.known: set[Difference] = set()
        self.example_count = 0
        self.latest: Differs | None = None
        self.stock = [Lane(name, family.options, protocol)
                      for protocol in (2, 3) for name in stock_names(family.oracle)]
        self.fog = [Lane("fog", fog_options(io_threads) + family.options, protocol)
                    for io_threads in IO_THREADS for protocol in (2, 3)]

    def check(self, sequence: list[Command]) -> None:
        """Runs one sequence everywhere; raises `Differs` at the first difference that is new."""
        self.example_count += 1
        expected = [(lane.protocol, lane.run(self.pool, sequence), self.state(lane)) for lane in self.stock]
        for lane in self.fog:
            replies = lane.run(self.pool, sequence)
            wanted = [answers for protocol, answers, _ in expected if protocol == lane.protocol]
            difference = self.first_difference(sequence, replies, wanted)
            if difference is None and lane.connection is not None:
                states = [state for protocol, _, state in expected if protocol == lane.protocol]
                changes = compare_states(self.state(lane), states)
                if changes:
                    what, here, there = changes[0]
                    difference = Difference(self.family.name, f"(state) {what}", here, there)
            if difference is None or self.is_known(difference):
                continue
            self.latest = Differs(difference, lane.variant(), sequence)
            raise self.latest

    def state(self, lane: Lane) -> dict:
        if lane.connection is None:
            return {}
        return read_keys(lane.connection, 0, list(self.family.keys), has_encoding(self.missing, self.family.oracle))

    def first_difference(self, sequence: list[Command], replies: list[Reply],
                         wanted: list[list[Reply]]) -> Difference | None:
        for position, command in enumerate(sequence):
            mine = _reply_at(replies, position)
            others = [_reply_at(answers, position) for answers in wanted]
            if not same_as_any(mine, others, policy_for(command)):
                died = replies[-1] if replies and replies[-1].kind == "died" else mine
                stock = " or ".join(dict.fromkeys(show(other, 400) for other in others))
                return Difference(self.family.name, Session.label(command), show(died, 400), stock)
        return None

    def is_known(self, difference: Difference) -> bool:
        """True for what this run reported already (same command, same kind of answer) and for what a rule lists."""
        if any(_alike(difference, other) for other in self.known):
            return True
        return explain(self.rules, difference) is not None

    def run(self, found: Found, example_count: int, seed_number: int) -> None:
        """Searches until nothing new turns up, or until enough was found to be getting on with."""
        started = time.monotonic()
        for _ in range(SEARCHES_MAX):
            if time.monotonic() - started > SEARCH_SECONDS_MAX:
                break
            try:
                self.search(example_count, seed_number)
            except Differs as differs:
                self.remember(found, differs, "")
            except FlakyFailure:
                assert self.latest is not None
                self.remember(found, self.latest, " (seen once, not when run again)")
            else:
                break
        for lane in self.stock + self.fog:
            lane.drop()

    def remember(self, found: Found, differs: Differs, remark: str) -> None:
        """Adds a difference to the findings, with the shortest session that shows it."""
        self.known.add(differs.difference)
        session = " ; ".join(Session.label(command) for command in differs.sequence)
        found.add(differs.difference, f"{differs.variant}{remark} after: {session}")

    def search(self, example_count: int, seed_number: int) -> None:
        limits = settings(max_examples=example_count, deadline=None, database=None, verbosity=Verbosity.quiet,
                          suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink),
                          report_multiple_bugs=False)

        @seed(seed_number)
        @limits
        @given(self.family.sequence(self.missing))
        def examples(sequence: list[Command]) -> None:
            self.check(sequence)

        examples()


def _reply_at(replies: list[Reply], position: int) -> Reply:
    return replies[position] if position < len(replies) else CLOSED


def _alike(one: Difference, other: Difference) -> bool:
    """Two differences that look like one bug: the same command word and the same sort of answers."""
    def answer(text: str) -> str:
        return text[:30] if text.startswith("-") else text[:1]

    def sort(difference: Difference) -> tuple[str, str, str]:
        name = difference.command.split(" ")
        word = name[0].lower() if name[0] != "(state)" else name[-1]
        fog, stock = answer(difference.fog), answer(difference.stock)
        # A refusal where stock answers is one bug, whatever stock answers.
        return word, fog, stock if not fog.startswith("-") or stock.startswith("-") else "an answer"
    return sort(one) == sort(other)


def choose_seed(text: str | None) -> int:
    """The seed asked for, or a fresh one; the caller prints it."""
    return int(text) if text else random.SystemRandom().randrange(1, 1 << 31)
