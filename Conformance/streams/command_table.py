"""COMMAND INFO of every stock command, attribute by attribute.

Redis 7.0 says what must be there for the commands it has, Valkey 9.1 for those that came later; a value of either
is right. COMMAND DOCS, whose arguments the two name differently, is compared byte for byte by metadata_check.py.
"""
from __future__ import annotations

from typing import Callable

from resp import Reply, show
from session import Session

ORACLE = "either"
PROTOCOLS = (2,)
Record = Callable[[str, object], None]


def table(reply: Reply) -> dict[bytes, Reply]:
    """A flat array or a map as a dictionary."""
    items = reply.items()
    return {items[index].text(): items[index + 1] for index in range(0, len(items) - 1, 2)}


def names(reply: Reply) -> str:
    return " ".join(sorted(item.text().decode("latin-1") for item in reply.items()))


def key_specs(reply: Reply) -> str:
    """Key specifications without their notes."""
    specs = []
    for spec in reply.items():
        fields = table(spec)
        flags = names(fields.pop(b"flags", Reply("array", ())))
        fields.pop(b"notes", None)
        rest = " ".join(f"{name.decode()}={show(value)}" for name, value in sorted(fields.items()))
        specs.append(f"flags[{flags}] {rest}")
    return " / ".join(specs)


def record_info(record: Record, name: str, entry: Reply) -> None:
    """Arity, flags, key positions, categories, tips and key specifications of a command."""
    fields = entry.items()
    record(f"info {name} arity", fields[1].text().decode())
    record(f"info {name} flags", names(fields[2]))
    record(f"info {name} positions", " ".join(show(item) for item in fields[3:6]))
    record(f"info {name} categories", names(fields[6]))
    record(f"info {name} tips", names(fields[7]))
    record(f"info {name} key specs", key_specs(fields[8]))


def recorder(session: Session, since: bytes) -> Record:
    """What to do with a value: it must be there, or (a newer server's word on an old command) is right as well."""
    is_later_than_redis = tuple(int(part) for part in since.split(b".")[:2]) > (7, 0)
    return session.hint if session.server.name == "valkey" and not is_later_than_redis else session.fact


def record_command(session: Session, entry: Reply, docs: Reply) -> None:
    """A command and, below it, its subcommands."""
    name = entry.items()[0].text().decode("latin-1")
    words = name.encode().split(b"|")
    if session.lacks(tuple(words)):
        return
    fields = table(docs)
    record = recorder(session, fields.get(b"since", Reply("bulk", b"0.0.0")).text())
    record_info(record, name, entry)
    nested = table(fields.get(b"subcommands", Reply("array", ())))
    for subcommand in entry.items()[9].items():
        record_command(session, subcommand, nested.get(subcommand.items()[0].text(), Reply("array", ())))


def stream(session: Session) -> None:
    connection = session.connection()
    docs = table(connection.command("COMMAND", "DOCS"))
    for entry in connection.command("COMMAND").items():
        if entry.items():
            record_command(session, entry, docs.get(entry.items()[0].text(), Reply("array", ())))
