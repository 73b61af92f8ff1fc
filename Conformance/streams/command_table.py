"""COMMAND INFO and COMMAND DOCS of every stock command, attribute by attribute.

Redis 7.0 is asked for the commands it has, Valkey 9.1 for those that came later. Prose (summaries, notes,
histories) is each server's own: only its being there is compared. Arguments are compared one by one, so that a
server may know more of them than the stock server does.
"""
from __future__ import annotations

import re

from resp import Reply, show
from session import Session

ORACLES = ("redis", "valkey")
PROTOCOLS = (2,)
ARGUMENT_ATTRIBUTES = (b"type", b"token", b"key_spec_index", b"since", b"deprecated_since", b"flags")
DOC_ATTRIBUTES = (b"since", b"group", b"deprecated_since", b"doc_flags")


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


def record_info(session: Session, entry: Reply) -> None:
    """Arity, flags, key positions, categories, tips and key specifications of a command and its subcommands."""
    fields = entry.items()
    name = fields[0].text().decode("latin-1")
    session.fact(f"info {name} arity", fields[1].text().decode())
    session.fact(f"info {name} flags", names(fields[2]))
    session.fact(f"info {name} positions", " ".join(show(item) for item in fields[3:6]))
    session.fact(f"info {name} categories", names(fields[6]))
    session.fact(f"info {name} tips", names(fields[7]))
    session.fact(f"info {name} key specs", key_specs(fields[8]))
    for subcommand in fields[9].items():
        record_info(session, subcommand)


def record_arguments(session: Session, path: str, arguments: Reply) -> None:
    """Each argument with its attributes, named by its path; nested ones below it."""
    for argument in arguments.items():
        fields = table(argument)
        mine = f"{path}.{fields[b'name'].text().decode()}"
        shown = []
        for attribute in ARGUMENT_ATTRIBUTES:
            if attribute in fields:
                value = fields[attribute]
                shown.append(f"{attribute.decode()}={names(value) if value.items() else show(value)}")
        session.fact(f"docs {mine}", " ".join(shown))
        if b"arguments" in fields:
            record_arguments(session, mine, fields[b"arguments"])


def record_docs(session: Session, name: str, docs: Reply) -> None:
    """A command's documentation, and its subcommands'."""
    fields = table(docs)
    session.fact(f"docs {name} has a summary", bool(fields.get(b"summary", Reply("bulk", b"")).text()))
    orders = re.findall(r"O\((?:[^()]|\([^()]*\))*\)", fields.get(b"complexity", Reply("bulk", b"")).text().decode())
    session.fact(f"docs {name} complexity", " ".join(orders[:1]))
    for attribute in DOC_ATTRIBUTES:
        if attribute in fields:
            value = fields[attribute]
            session.fact(f"docs {name} {attribute.decode()}", names(value) if value.items() else show(value))
    record_arguments(session, name, fields.get(b"arguments", Reply("array", ())))
    for subcommand, sub_docs in table(fields.get(b"subcommands", Reply("array", ()))).items():
        record_docs(session, subcommand.decode(), sub_docs)


def is_later_than_redis(since: bytes) -> bool:
    """True for what came after Redis 7.0; the stock Valkey is the oracle for that."""
    return tuple(int(part) for part in since.split(b".")[:2]) > (7, 0)


def stream(session: Session) -> None:
    connection = session.connection()
    docs = table(connection.command("COMMAND", "DOCS"))
    infos = {entry.items()[0].text(): entry for entry in connection.command("COMMAND").items() if entry.items()}
    for name, entry in sorted(infos.items()):
        text = name.decode("latin-1")
        since = table(docs[name])[b"since"].text() if name in docs else b"0.0.0"
        if session.lacks((name,)) or (session.server.name == "valkey" and not is_later_than_redis(since)):
            continue
        record_info(session, entry)
        if name in docs:
            record_docs(session, text, docs[name])
