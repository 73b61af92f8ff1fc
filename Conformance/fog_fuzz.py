#!/usr/bin/env python3
"""Every FOG command with random arguments, a few hundred thousand of them, through several connections (RESP2 and RESP3):
the server must live, answer each within seconds, and answer nothing that is not a reply or an error with a code. Words
come from the commands' own syntax (COMMAND DOCS), from numbers at the limits and from bytes that break parsers.

    FOG_SERVER=.build/release/fog-server python3 Conformance/fog_fuzz.py [SEED [COMMANDS]]
"""
from __future__ import annotations

import random
import re
import sys
import time
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from servers import Server, fog_binary

HERE = Path(__file__).resolve().parent

ERROR = re.compile(r"^[A-Z][A-Z0-9]* .+", re.S)
NUMBERS = ["0", "1", "-1", "2", "100", "3600", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
           "2147483648", "4294967296", "1e308", "-1e308", "nan", "inf", "-inf", "0.1", "1.5", "", " 1", "1 ", "0x10",
           "99999999999999999999", "-0", "1795717616140"]
ODD = ["", "\x00", "\xff\xfe", "a" * 300, "*", "[", "\\", "{}", "[]", '{"a":1}', '{"id":"x","cpu":5}', "id,cpu\na,1",
       "%s%n", "\r\n", "fog:node:n1", "n1", "n2", "q1", "t1", "g1", "b1", "p1", "vm-1", "eu", "us-east", "default",
       "key,value\na,1", "A100", "user", "noeviction", "volatile-ttl", "allkeys-lfu"]
# What the fields of records are called, by kind.
FIELDS = {
    "node": "type region pool status cpu mem cap weight addr heartbeat seq ttl timed_out slots".split(),
    "task": "queue payload priority status ready_ms lease_until attempt max_retry worker node job seq claimed_ms".split(),
    "queue": ["concurrency", "limit"],
    "gpu": "type region provider status held price perf mem latency".split(),
    "provider": ["status"],
    "price": "price type region updated_ms".split(),
    "booking": "gpu user type region provider status start_ms end_ms price created_ms".split(),
    "order": "side type region price qty user seq created_ms".split(),
    "class": "pattern ttl maxttl jitter maxmem policy priority l1 l1ttl compress l3".split(),
    "warm": ["vm-*", "k"],
}
# They would end the test or make it another one.
LEFT_OUT = {"fog.warm|file"}
BATCH = 64


def tokens(arguments: list[Any], found: set[str]) -> None:
    """The words of a syntax tree."""
    for argument in arguments:
        if argument.get("token"):
            found.add(argument["token"])
        tokens(argument.get("arguments", []), found)


class Source:
    """Random commands, the same for the same seed."""

    def __init__(self, client: redis.Redis, seed: int) -> None:
        self.random = random.Random(seed)
        names = [name for name in client.execute_command("COMMAND", "LIST") if name.startswith("fog.")]
        roots = sorted(name for name in names if "|" not in name)
        docs = client.execute_command("COMMAND", "DOCS", *roots)
        self.commands: list[tuple[list[str], list[str]]] = []
        every: set[str] = set()
        for name, facts in docs.items():
            for child, about in (facts.get("subcommands") or {name: facts}).items():
                if child in LEFT_OUT:
                    continue
                words: set[str] = set()
                tokens(about.get("arguments", []), words)
                every |= words
                self.commands.append((child.split("|"), sorted(words)))
        self.every = sorted(every)
        lines = (HERE / "fog_examples.txt").read_text().splitlines()
        self.examples = [line.split() for line in lines if line.startswith("FOG.") and "WARM FILE" not in line]

    def word(self, own: list[str]) -> bytes:
        roll = self.random.random()
        if own and roll < 0.35:
            return self.random.choice(own).encode()
        if roll < 0.45:
            return self.random.choice(self.every).encode()
        if roll < 0.65:
            return self.random.choice(NUMBERS).encode()
        if roll < 0.95:
            return self.random.choice(ODD).encode("latin-1")
        return bytes(self.random.randrange(256) for _ in range(self.random.randrange(20)))

    def command(self) -> list[bytes]:
        roll = self.random.random()
        return self.mutated() if roll < 0.5 else self.made_up() if roll < 0.8 else self.by_hand()

    def by_hand(self) -> list[bytes]:
        """A record that somebody writes without FOG commands, whatever its fields should be."""
        kind = self.random.choice(sorted(FIELDS))
        name = self.random.choice(["edge-1", "edge-2", "mail-1", "gpu_123", "booking_123", "ask-1", "A100:us-east", "x"])
        key = f"fog:{kind}:{name}".encode()
        if self.random.random() < 0.15:
            return self.random.choice([[b"DEL", key], [b"PEXPIRE", key, b"5"], [b"COPY", key, b"fog:gpu:copy"]])
        words = [b"HSET", key]
        for _ in range(self.random.choice([1, 2, 4])):
            words += [self.random.choice(FIELDS[kind]).encode(), self.word([])]
        return words

    def mutated(self) -> list[bytes]:
        """An example that works, with nothing or something wrong."""
        words = [word.encode() for word in self.random.choice(self.examples)]
        first = 1 if words[0].upper() in (b"FOG.ROUTE", b"FOG.HEALTH") else 2
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            place = self.random.randrange(first, len(words) + 1)
            if place < len(words) and self.random.random() < 0.8:
                words[place] = self.word([])
            else:
                words.insert(place, self.word([]))
        return self.patient(words)

    def made_up(self) -> list[bytes]:
        name, own = self.random.choice(self.commands)
        if self.random.random() < 0.2 and len(name) > 1:
            head = [".".join(name).encode()]
        else:
            head = [part.encode() for part in name]
        words = head + [self.word(own) for _ in range(self.random.choice([0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12]))]
        return self.patient(words)

    def patient(self, words: list[bytes]) -> list[bytes]:
        """Nobody waits long for a task or a lease here."""
        for index, word in enumerate(words[:-1]):
            if word.upper() in (b"BLOCK", b"WAIT"):
                words[index + 1] = self.random.choice([b"1", b"2", b"-1", b"x"])
        if words[0].upper().startswith(b"FOG.CACHE") and b"FETCH" in b" ".join(words[:2]).upper():
            words += [b"WAIT", b"1"]
        return words


def look(reply: Any, words: list[bytes], problems: list[str]) -> None:
    if isinstance(reply, redis.ResponseError):
        text = str(reply)
        if not ERROR.match(f"ERR {text}" if not ERROR.match(text) else text) or "\n" in text:
            problems.append(f"{words}: {text!r}")


def main() -> int:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 30)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 300_000
    print(f"seed {seed}")
    problems: list[str] = []
    errors = 0
    slowest = 0.0
    with Server(fog_binary(), "--io-threads", "2", "--fog-heartbeat-timeout", "1", "--fog-event-log", "1000",
                "--proto-max-bulk-len", "1mb") as server:
        clients = [redis.Redis(port=server.port, protocol=protocol, socket_timeout=15, retry=Retry(NoBackoff(), 0)) for protocol in (2, 3, 3, 2)]
        plain = redis.Redis(port=server.port, protocol=3, decode_responses=True)
        plain.response_callbacks.clear()
        source = Source(plain, seed)
        done = 0
        while done < count:
            is_transaction = source.random.random() < 0.2
            pipeline = source.random.choice(clients).pipeline(transaction=is_transaction)
            # A transaction with one word too many is refused as a whole: short ones get through.
            sent = [source.command() for _ in range(2 if is_transaction else BATCH)]
            for words in sent:
                pipeline.execute_command(*words)
            began = time.monotonic()
            try:
                replies = pipeline.execute(raise_on_error=False)
            except redis.ResponseError:
                # A transaction that was refused as a whole.
                assert is_transaction
                replies = []
            except redis.RedisError as error:
                print(f"FAILED: seed {seed}, after {done} commands: {error!r}\n{server.log_tail()}")
                print(b"\n".join(b" ".join(words) for words in sent).decode("latin-1")[:4000])
                return 1
            slowest = max(slowest, time.monotonic() - began)
            for words, reply in zip(sent, replies):
                errors += isinstance(reply, redis.ResponseError)
                look(reply, words, problems)
            done += len(sent)
            if not server.is_alive():
                print(f"FAILED: the server ended, seed {seed}, after {done} commands\n{server.log_tail()}")
                return 1
            if source.random.random() < 0.002:
                clients[0].flushall()
        assert clients[0].ping()
    for problem in problems[:10]:
        print(problem)
    print(f"{'FAILED' if problems else 'ok'}: {done} commands of {len(source.commands)} kinds, {errors} refused, "
          f"{len(problems)} odd replies, slowest batch of {BATCH} took {slowest * 1000:.0f} ms, seed {seed}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
