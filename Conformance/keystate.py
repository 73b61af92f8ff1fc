"""Reads what a server holds after a stream: for every key its type, time to live, encoding and value.

Everything goes through ordinary commands on one connection, in a few pipelines, so that it costs little enough
to be done after every generated example. The order of unordered types is taken out here.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

from resp import Connection, Reply, show

# Delivery and seen times inside a stream's description.
CLOCK_TEXT = re.compile(r":1[6-9]\d{11}\b")
DATABASE_COUNT = 16
TTL_TOLERANCE_MILLISECONDS = 3000

# How to read a whole value, by the name that TYPE gives.
_READERS: dict[bytes, tuple[tuple[bytes, ...], ...]] = {
    b"string": ((b"GET",),),
    b"list": ((b"LRANGE", b"0", b"-1"),),
    b"set": ((b"SMEMBERS",),),
    b"zset": ((b"ZRANGE", b"0", b"-1", b"WITHSCORES"),),
    b"hash": ((b"HGETALL",),),
    b"stream": ((b"XRANGE", b"-", b"+"), (b"XINFO STREAM", b"FULL", b"COUNT", b"0")),
}


@dataclass(frozen=True)
class KeyState:
    """What can be seen of one key from outside."""

    type: bytes
    ttl_milliseconds: int
    encoding: str
    value: str

    def differences(self, stock: "KeyState") -> list[tuple[str, str, str]]:
        """(what, here, there) for each part that differs; times to live may lie a little apart."""
        found = []
        if self.type != stock.type:
            return [("type", self.type.decode(), stock.type.decode())]
        if self.value != stock.value:
            found.append(("value", self.value, stock.value))
        if self.encoding != stock.encoding:
            found.append(("encoding", self.encoding, stock.encoding))
        if (self.ttl_milliseconds < 0) != (stock.ttl_milliseconds < 0) \
                or abs(self.ttl_milliseconds - stock.ttl_milliseconds) > TTL_TOLERANCE_MILLISECONDS:
            found.append(("ttl", str(self.ttl_milliseconds), str(stock.ttl_milliseconds)))
        return found


State = dict[tuple[int, bytes], KeyState]


def _sorted_value(type_name: bytes, reply: Reply) -> str:
    """The printed value, with the members of sets and the fields of hashes in one order."""
    if type_name == b"stream":
        return CLOCK_TEXT.sub(":TIME", show(reply))
    if type_name == b"set":
        return f"set[{' '.join(sorted(show(item) for item in reply.items()))}]"
    if type_name == b"hash":
        items = reply.items()
        fields = [f"{show(items[index])}={show(items[index + 1])}" for index in range(0, len(items) - 1, 2)]
        return f"hash[{' '.join(sorted(fields))}]"
    return show(reply)


def _read_command(template: tuple[bytes, ...], key: bytes) -> tuple[bytes, ...]:
    words = template[0].split(b" ")
    return (*words, key, *template[1:])


def read_keys(connection: Connection, database: int, keys: list[bytes], has_encoding: bool = True) -> State:
    """The state of the given keys of the database that the connection has selected."""
    if not keys:
        return {}
    probes: list[tuple[bytes, ...]] = []
    for key in keys:
        probes += [(b"TYPE", key), (b"PTTL", key)]
        if has_encoding:
            probes.append((b"OBJECT", b"ENCODING", key))
    width = 3 if has_encoding else 2
    replies = connection.pipeline(probes)
    rows = [replies[index:index + width] for index in range(0, len(replies), width)]
    state: State = {}
    reads: list[tuple[bytes, ...]] = []
    owners: list[tuple[bytes, list[Reply], int]] = []
    for key, row in zip(keys, rows):
        if len(row) < width or row[0].text() == b"none":
            continue
        readers = _READERS.get(row[0].text(), ())
        reads += [_read_command(reader, key) for reader in readers]
        owners.append((key, row, len(readers)))
    values = connection.pipeline(reads)
    position = 0
    for key, row, count in owners:
        mine = values[position:position + count]
        position += count
        ttl = int(row[1].text()) if row[1].kind == "integer" else -3
        encoding = show(row[2]) if has_encoding else ""
        text = " | ".join(_sorted_value(row[0].text(), value) for value in mine)
        state[(database, key)] = KeyState(row[0].text(), ttl, encoding, text)
    return state


def read_everything(connection: Connection, has_encoding: bool = True) -> State:
    """The state of every key of every database; leaves database 0 selected."""
    state: State = {}
    for database in range(DATABASE_COUNT):
        replies = connection.pipeline([(b"SELECT", b"%d" % database), (b"KEYS", b"*")])
        if len(replies) < 2 or replies[0].is_error():
            break
        state |= read_keys(connection, database, sorted(item.text() for item in replies[1].items()), has_encoding)
    connection.command("SELECT", "0")
    return state


def compare_states(fog: State, stocks: list[State]) -> list[tuple[str, str, str]]:
    """(what, here, there) for every key that is like none of the stock states'; the first one's is shown."""
    found = []
    for place in sorted(fog.keys() | stocks[0].keys()):
        name = f"db{place[0]} key {show(Reply('bulk', place[1]))}"
        choices = [_compare_key(fog.get(place), stock.get(place)) for stock in stocks]
        if all(choices):
            found += [(f"{name} {what}", here, there) for what, here, there in choices[0]]
    return found


def _compare_key(mine: KeyState | None, other: KeyState | None) -> list[tuple[str, str, str]]:
    if mine is None or other is None:
        return [] if mine is other else [("exists", "no" if mine is None else "yes", "no" if other is None else "yes")]
    return mine.differences(other)
