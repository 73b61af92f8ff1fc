"""Decides whether two replies to the same command count as the same.

The default is byte for byte, types included. A policy loosens that for one command where two correct servers
must differ: unordered collections, clocks, ids, random picks. Each loosening is named in `POLICIES`; a stream
may name one for a single line. An error is always compared exactly, whatever the policy.
"""
from __future__ import annotations

import re
from typing import Callable

from resp import Reply

Comparison = Callable[[Reply, Reply], bool]

TTL_TOLERANCE_SECONDS = 2
TTL_TOLERANCE_MILLISECONDS = 2500
MEMORY_RATIO = 4.0


def canonical(reply: Reply) -> Reply:
    """The same tree with the members of RESP3 sets in one order; sets carry no order by definition."""
    if not isinstance(reply.value, tuple):
        return reply
    items = tuple(canonical(item) for item in reply.value)
    return Reply(reply.kind, tuple(sorted(items, key=repr)) if reply.kind == "set" else items)


def exact(fog: Reply, stock: Reply) -> bool:
    return fog == stock or canonical(fog) == canonical(stock)


def unordered(fog: Reply, stock: Reply) -> bool:
    """The same items in any order."""
    def ordered(reply: Reply) -> Reply:
        return Reply(reply.kind, tuple(sorted(map(canonical, reply.items()), key=repr)))
    return fog.kind == stock.kind and ordered(fog) == ordered(stock)


def pairs(fog: Reply, stock: Reply) -> bool:
    """The same name and value pairs in any order: a map, or its flat array under RESP2."""
    def ordered(reply: Reply) -> list[str]:
        items = reply.items()
        return sorted(repr(items[index:index + 2]) for index in range(0, len(items), 2))
    return fog.kind == stock.kind and ordered(fog) == ordered(stock)


def shape(fog: Reply, stock: Reply) -> bool:
    """The same types and counts all the way down; scalars may hold anything."""
    if fog.kind != stock.kind:
        return False
    ours, theirs = fog.items(), stock.items()
    return len(ours) == len(theirs) and all(shape(mine, other) for mine, other in zip(ours, theirs))


def kind(fog: Reply, stock: Reply) -> bool:
    """The same type at the top only."""
    return fog.kind == stock.kind


def anything(fog: Reply, stock: Reply) -> bool:
    """Both answered, and both or neither with an error."""
    return fog.is_error() == stock.is_error()


def scan(fog: Reply, stock: Reply) -> bool:
    """A cursor and a page. Whole iterations must agree; unfinished pages depend on the hash function."""
    if not shape(fog, stock) and not (len(fog.items()) == len(stock.items()) == 2):
        return False
    ours, theirs = fog.items(), stock.items()
    if ours[0].text() == b"0" and theirs[0].text() == b"0":
        return unordered(ours[1], theirs[1])
    return ours[0].kind == theirs[0].kind and ours[1].kind == theirs[1].kind


def scan_pairs(fog: Reply, stock: Reply) -> bool:
    """As `scan`, with a page of name and value pairs."""
    if len(fog.items()) != 2 or len(stock.items()) != 2:
        return False
    ours, theirs = fog.items(), stock.items()
    if ours[0].text() == b"0" and theirs[0].text() == b"0":
        return pairs(ours[1], theirs[1])
    return ours[0].kind == theirs[0].kind and ours[1].kind == theirs[1].kind


def near(tolerance: int) -> Comparison:
    """Integers that lie close together; -1 and -2 and 0 are meanings, not amounts, and must be equal."""
    def compare(fog: Reply, stock: Reply) -> bool:
        if fog.kind != "integer" or stock.kind != "integer":
            return fog == stock
        mine, other = int(fog.text()), int(stock.text())
        return mine == other if min(mine, other) < 0 else abs(mine - other) <= tolerance
    return compare


def deep_near(tolerance: int) -> Comparison:
    """Arrays of integers that lie close together, element by element."""
    single = near(tolerance)

    def compare(fog: Reply, stock: Reply) -> bool:
        if isinstance(fog.value, tuple) and isinstance(stock.value, tuple):
            ours, theirs = fog.items(), stock.items()
            return fog.kind == stock.kind and len(ours) == len(theirs) and all(map(compare, ours, theirs))
        return single(fog, stock)
    return compare


def memory(fog: Reply, stock: Reply) -> bool:
    """Two byte counts of the same thing: within a factor, because allocators and layouts differ."""
    if fog.kind != "integer" or stock.kind != "integer":
        return fog == stock
    mine, other = int(fog.text()), int(stock.text())
    return 0 < mine <= other * MEMORY_RATIO


def field_names(fog: Reply, stock: Reply) -> bool:
    """`name=value name=value` lines, as in CLIENT LIST: every stock name is there, in stock's order."""
    def names(reply: Reply) -> list[str]:
        first = reply.text().decode("utf-8", "replace").splitlines()[:1]
        return re.findall(r"(?:^|\s)([a-z-]+)=", first[0]) if first else []
    ours, theirs = names(fog), names(stock)
    return fog.kind == stock.kind and [name for name in ours if name in theirs] == theirs


def first_line(fog: Reply, stock: Reply) -> bool:
    """Help texts: a list of the same kind whose first line is equal; the wording below is each server's own."""
    if fog.kind != stock.kind or not fog.items() or not stock.items():
        return False
    return fog.items()[0] == stock.items()[0]


def map_names(fog: Reply, stock: Reply) -> bool:
    """A map, or its flat array, with at least stock's names in it; values may differ."""
    def names(reply: Reply) -> set[bytes]:
        return {item.text() for item in reply.items()[::2]}
    return fog.kind == stock.kind and names(stock) <= names(fog)


CLOCK_PATTERN = re.compile(rb"1[6-9]\d{11}")
IDLE_NAMES = (b"idle", b"inactive")


def _without_clocks(reply: Reply) -> Reply:
    """The tree with Unix times in milliseconds, and the amounts named idle or inactive, taken out."""
    if reply.kind == "integer" and CLOCK_PATTERN.fullmatch(reply.text()):
        return Reply("integer", b"TIME")
    items = reply.items()
    if not items:
        return reply
    kept = [_without_clocks(item) for item in items]
    for index in range(1, len(kept)):
        if kept[index].kind == "integer" and kept[index - 1].text() in IDLE_NAMES:
            kept[index] = Reply("integer", b"IDLE")
    return Reply(reply.kind, tuple(kept))


def clock(fog: Reply, stock: Reply) -> bool:
    """Equal but for times of day and how long something has been idle."""
    return exact(_without_clocks(fog), _without_clocks(stock))


def pending(fog: Reply, stock: Reply) -> bool:
    """XPENDING: rows of id, consumer, idle milliseconds and deliveries; the third may lie a little apart."""
    ours, theirs = fog.items(), stock.items()
    if len(ours) != len(theirs) or fog.kind != stock.kind:
        return False
    for mine, other in zip(ours, theirs):
        rows = mine.items(), other.items()
        if len(rows[0]) == len(rows[1]) == 4 and rows[0][2].kind == rows[1][2].kind == "integer":
            if rows[0][:2] != rows[1][:2] or rows[0][3] != rows[1][3]:
                return False
            if abs(int(rows[0][2].text()) - int(rows[1][2].text())) > TTL_TOLERANCE_MILLISECONDS:
                return False
        elif not exact(mine, other):
            return False
    return True


def hello(fog: Reply, stock: Reply) -> bool:
    """HELLO's map: the same names in the same order; who the server is and the connection's id are its own."""
    own = (b"server", b"version", b"id", b"modules")

    def rows(reply: Reply) -> list[tuple[bytes, Reply | None]]:
        items = reply.items()
        return [(name.text(), None if name.text() in own else value) for name, value in zip(items[::2], items[1::2])]
    return fog.kind == stock.kind and rows(fog) == rows(stock)


def monitor(fog: Reply, stock: Reply) -> bool:
    """A line of MONITOR: clock and client address are taken out."""
    def plain(reply: Reply) -> bytes:
        return re.sub(rb"^\d+\.\d{6} \[(\d+) \S+\]", rb"TIME [\1 ADDRESS]", reply.text())
    return fog.kind == stock.kind and plain(fog) == plain(stock)


POLICIES: dict[str, Comparison] = {
    "exact": exact,
    "unordered": unordered,
    "pairs": pairs,
    "shape": shape,
    "kind": kind,
    "anything": anything,
    "scan": scan,
    "scan-pairs": scan_pairs,
    "seconds": near(TTL_TOLERANCE_SECONDS),
    "milliseconds": near(TTL_TOLERANCE_MILLISECONDS),
    "deep-seconds": deep_near(TTL_TOLERANCE_SECONDS),
    "deep-milliseconds": deep_near(TTL_TOLERANCE_MILLISECONDS),
    "memory": memory,
    "field-names": field_names,
    "first-line": first_line,
    "map-names": map_names,
    "hello": hello,
    "monitor": monitor,
    "clock": clock,
    "pending": pending,
}

COMMAND_POLICIES: dict[str, str] = {
    "keys": "unordered", "smembers": "unordered", "sinter": "unordered", "sunion": "unordered",
    "sdiff": "unordered", "hkeys": "unordered", "hvals": "unordered", "hgetall": "pairs",
    "config|get": "pairs", "command|list": "unordered", "acl|users": "unordered",
    "pubsub|channels": "unordered", "pubsub|shardchannels": "unordered",
    "scan": "scan", "sscan": "scan", "zscan": "scan-pairs", "hscan": "scan-pairs",
    "ttl": "seconds", "pttl": "milliseconds", "expiretime": "seconds", "pexpiretime": "milliseconds",
    "httl": "deep-seconds", "hpttl": "deep-milliseconds", "hexpiretime": "deep-seconds",
    "hpexpiretime": "deep-milliseconds",
    "randomkey": "kind", "srandmember": "shape", "hrandfield": "shape", "zrandmember": "shape", "spop": "shape",
    "object|idletime": "seconds", "object|freq": "shape", "time": "shape", "lastsave": "kind",
    "client|id": "kind", "client|list": "field-names", "client|info": "field-names",
    "memory|usage": "memory", "memory|stats": "map-names", "memory|doctor": "kind", "memory|malloc-stats": "kind",
    "lolwut": "kind", "info": "kind", "latency|doctor": "kind", "latency|histogram": "kind",
    "debug|object": "kind", "debug|digest": "kind", "debug|digest-value": "shape", "slowlog|get": "kind",
    "xinfo|stream": "clock", "xinfo|consumers": "clock", "xpending": "pending",
    "hello": "hello", "dump": "kind", "command": "kind", "command|count": "kind", "command|docs": "kind",
}


def command_name(arguments: tuple[bytes, ...]) -> str:
    """`get`, or `config|get` where a policy is kept by subcommand."""
    name = arguments[0].decode("latin-1").lower() if arguments else ""
    if len(arguments) > 1:
        return f"{name}|{arguments[1].decode('latin-1').lower()}"
    return name


def policy_for(arguments: tuple[bytes, ...]) -> str:
    """The policy of a command; `HELP` subcommands share one."""
    full = command_name(arguments)
    if len(arguments) == 2 and full.endswith("|help"):
        return "first-line"
    return COMMAND_POLICIES.get(full) or COMMAND_POLICIES.get(full.partition("|")[0], "exact")


def same_as_any(fog: Reply, stocks: list[Reply], policy: str) -> bool:
    """True when the reply agrees with that of at least one stock server."""
    return any(same(fog, stock, policy) for stock in stocks)


def same(fog: Reply, stock: Reply, policy: str) -> bool:
    """True when the two replies agree under the policy; errors agree only by their bytes."""
    if fog.is_error() or stock.is_error():
        return fog.kind == stock.kind and (policy in ("kind", "anything") or fog == stock)
    if fog.kind == stock.kind == "pushed":
        ours, theirs = fog.items(), stock.items()
        return len(ours) == len(theirs) and all(map(exact, ours[:-1], theirs[:-1])) \
            and same(ours[-1], theirs[-1], policy)
    return POLICIES[policy](fog, stock)
