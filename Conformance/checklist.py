"""Which stock commands the server under test has: the checklist of the whole project.

The union of what Redis 7.0 and Valkey 9.1 list, subcommands included, against the server's own COMMAND reply.
"""
from __future__ import annotations

from resp import Reply
from servers import Server


def names_in(reply: Reply) -> frozenset[str]:
    """Command names (and `container|subcommand`) out of a COMMAND reply."""
    names = set()
    for entry in reply.items():
        fields = entry.items()
        if not fields:
            continue
        names.add(fields[0].text().decode("latin-1").lower())
        if len(fields) > 9:
            names |= {sub.items()[0].text().decode("latin-1").lower() for sub in fields[9].items() if sub.items()}
    return frozenset(names)


def command_names(server: Server) -> frozenset[str]:
    """Every command a server says it has; empty when it has no COMMAND."""
    connection = server.connect()
    try:
        return names_in(connection.command("COMMAND"))
    finally:
        connection.close()


def missing_commands(fog: frozenset[str], stocks: list[frozenset[str]]) -> list[str]:
    """Stock commands that the server lacks; subcommands of a lacking container are not named again."""
    wanted = frozenset().union(*stocks)
    lacking = sorted(wanted - fog)
    return [name for name in lacking if "|" not in name or name.partition("|")[0] in fog]
