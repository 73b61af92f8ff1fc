"""DUMP and RESTORE: payloads of stock Redis load here, damaged ones are refused, and options behave.

The payloads of short values are compared byte for byte as well: they are what MIGRATE and backup tools move.
"""
from __future__ import annotations

from session import Session

BUILD = (
    "SET int 12345", "SET small hello", "SET bin \"\\x00\\xff\\r\\n\"", "SET neg -129", "SET big 9223372036854775807",
    "SET raw {x*60}", "RPUSH list a b 1 -1 300 70000", "SADD ints 1 2 3", "SADD wide 70000 5000000000", "SADD set a",
    "ZADD zset 1 a 2.5 b inf c", "HSET hash f v g 12", "XADD stream 1-1 f v", "XADD stream 2-1 f w g x",
    "XGROUP CREATE stream g 0", "SET empty \"\"",
)
# Values whose payload holds no order of a hash table and no time: equal bytes are asked for.
EXACT = ("int", "small", "bin", "neg", "big", "raw", "list", "ints", "wide", "zset", "hash", "empty", "set")
LINES = (
    "DUMP nope", "DUMP", "RESTORE", "RESTORE k", "RESTORE k 0", "RESTORE k 0 \"\"", "RESTORE k 0 abc",
    "RESTORE k 0 {x*20}", "RESTORE k -1 abc", "RESTORE k abc abc", "RESTORE k 0 abc FOO", "RESTORE k 0 abc IDLETIME",
    "RESTORE k 0 abc IDLETIME -1", "RESTORE k 0 abc FREQ 256", "RESTORE k 0 abc IDLETIME 1 FREQ 1",
)


def damage(session: Session, name: str, payload: bytes) -> None:
    """Flips each byte and cuts at each length: a checksum must catch it, and nothing may break."""
    connection = session.connection()
    refused = 0
    cases = [payload[:index] + bytes([payload[index] ^ 0x41]) + payload[index + 1:] for index in range(len(payload))]
    cases += [payload[:length] for length in range(len(payload))]
    for case in cases:
        if connection.command("RESTORE", "damaged", "0", case).is_error():
            refused += 1
    session.note(f"damaged payloads of {name}: refused of {len(cases)}", refused)


def stream(session: Session) -> None:
    for line in BUILD:
        session.line(line)
    if session.lacks((b"dump",)) or session.lacks((b"restore",)):
        return
    connection = session.connection()
    payloads = {}
    for name in EXACT + ("stream",):
        reply = connection.command("DUMP", name)
        payloads[name] = reply.text()
        if name in EXACT:
            session.note(f"DUMP {name}", reply.text())
    for line in LINES:
        session.line(line)
    for name, payload in payloads.items():
        if not payload:
            continue
        session.note(f"RESTORE of {name}", connection.command("RESTORE", f"again:{name}", "0", payload))
        session.note(f"RESTORE onto {name}", connection.command("RESTORE", name, "0", payload))
        session.note(f"RESTORE REPLACE {name}", connection.command("RESTORE", name, "100000", payload, "REPLACE"))
        session.line(f"TTL {name}")
        session.line(f"OBJECT ENCODING again:{name}")
        damage(session, name, payload)
    session.note("RESTORE ABSTTL", connection.command("RESTORE", "abs", "4102444800000", payloads["int"], "ABSTTL"))
    session.line("PEXPIRETIME abs")
    session.note("RESTORE in the past", connection.command("RESTORE", "past", "1", payloads["int"], "ABSTTL"))
    session.line("EXISTS past")
    session.note("RESTORE IDLETIME", connection.command("RESTORE", "idle", "0", payloads["int"], "IDLETIME", "1000"))
    session.line("OBJECT IDLETIME idle")
