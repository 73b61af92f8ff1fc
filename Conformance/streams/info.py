"""INFO's sections and fields, and CONFIG's directives with their defaults: each that stock has must be there."""
from __future__ import annotations

import re

from session import Session

PROTOCOLS = (2,)
# Directives whose value is where and how this one process was started.
OWN_VALUES = ("port", "dir", "logfile", "pidfile", "unixsocket", "io-threads", "save", "bind", "maxclients")
# Fields whose value says something of the server's behaviour in an idle moment; all others are only looked for.
STABLE_FIELDS = ("role", "connected_slaves", "loading", "aof_enabled", "rdb_bgsave_in_progress", "maxmemory_policy",
                 "cluster_enabled", "redis_mode", "arch_bits", "hz", "master_failover_state", "second_repl_offset",
                 "rdb_last_bgsave_status", "aof_last_write_status", "blocked_clients", "tracking_clients",
                 "async_loading",
                 "evicted_keys", "maxmemory", "db0")


def record_info(session: Session, request: str) -> None:
    """The headings in their order, and every field by section."""
    text = session.connection().command("INFO", *request.split()).text().decode("utf-8", "replace")
    section = ""
    for line in text.splitlines():
        if line.startswith("#"):
            section = line[1:].strip()
            session.fact(f"INFO {request} has section {section}", True)
        elif ":" in line:
            field, _, value = line.partition(":")
            session.fact(f"INFO {request} {section} has {field}", True)
            if field in STABLE_FIELDS:
                session.fact(f"INFO {request} {field} is", re.sub(r"avg_ttl=\d+", "avg_ttl=N", value))


def stream(session: Session) -> None:
    connection = session.connection()
    connection.command("CONFIG", "RESETSTAT")
    connection.command("SET", "k", "v")
    connection.command("NOSUCHCOMMAND")
    record_info(session, "")
    for request in ("all", "everything", "server", "clients", "memory", "persistence", "stats", "replication", "cpu",
                    "cluster", "keyspace", "commandstats", "errorstats", "latencystats", "modules", "sentinel"):
        record_info(session, request)
    items = connection.command("CONFIG", "GET", "*").items()
    for name, value in zip(items[::2], items[1::2]):
        text = name.text().decode()
        session.fact(f"CONFIG has {text}", True)
        if text not in OWN_VALUES:
            session.fact(f"CONFIG default of {text}", value.text().decode("latin-1"))
