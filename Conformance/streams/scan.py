"""SCAN and its sisters: option errors, and whole iterations that must find every element exactly as promised.

Pages and cursors depend on the hash function, so only whole iterations are compared, as sets; the element that
was there from start to end must turn up, also while the table grows and shrinks below the iteration.
"""
from __future__ import annotations

from session import Session

ERRORS = (
    "SCAN", "SCAN abc", "~kind SCAN -1", "SCAN 0 COUNT", "SCAN 0 COUNT 0", "SCAN 0 COUNT -1", "SCAN 0 COUNT abc",
    "SCAN 0 MATCH",
    "SCAN 0 TYPE", "SCAN 0 FOO", "SCAN 0 FOO bar", "SCAN 0 COUNT 10 COUNT 0", "SCAN 99999999999999999999",
    "~kind SCAN 18446744073709551615", "SCAN 18446744073709551616", "SCAN '' ", "SCAN ' 1'", "SCAN 1.0",
    "SCAN 0 COUNT 9223372036854775807",
    "SCAN 0 COUNT 9223372036854775808", "SCAN 0 TYPE nosuchtype", "SCAN 0 TYPE STRING",
    "SCAN 0 match k* count 100 type list",
    "SSCAN", "SSCAN set", "SSCAN nope 0", "SSCAN str 0", "SSCAN nope abc", "SSCAN set abc", "SSCAN set 0 COUNT 0",
    "SSCAN set 0 TYPE string", "SSCAN set 0 FOO", "HSCAN nope 0", "HSCAN str 0", "HSCAN hash 0 COUNT -1",
    "HSCAN hash 0 MATCH",
    "ZSCAN nope 0", "ZSCAN str 0", "ZSCAN zset 0 COUNT abc", "ZSCAN zset x", "HSCAN hash 0 NOVALUES extra",
)


def iterate(session: Session, *command: str | bytes, options: tuple[str, ...] = ()) -> list[bytes]:
    """Follows the cursor to its end; returns every element met, repeats included."""
    cursor: bytes = b"0"
    met: list[bytes] = []
    for _ in range(100000):
        reply = session.connection().command(*command, cursor, *options)
        if len(reply.items()) != 2:
            return [b"(error) " + reply.text()]
        cursor = reply.items()[0].text()
        met += [item.text() for item in reply.items()[1].items()]
        if cursor == b"0":
            return met
    return met + [b"(the cursor never came back to 0)"]


def whole(session: Session, title: str, *command: str | bytes, options: tuple[str, ...] = ()) -> None:
    """Records the set of what a whole iteration finds."""
    if session.lacks((str(command[0]).encode(),)):
        return
    session.note(title, sorted(set(iterate(session, *command, options=options))))


def fill(session: Session, first: int, last: int) -> None:
    connection = session.connection()
    connection.pipeline([(b"SET", b"key:%d" % number, b"v") for number in range(first, last)])


def scan_while_growing(session: Session) -> None:
    """Elements present from start to end are met, though the table grows and shrinks meanwhile."""
    connection = session.connection()
    connection.command("FLUSHALL")
    fill(session, 0, 1000)
    stays = {b"key:%d" % number for number in range(0, 1000)}
    cursor, met, page = b"0", set(), 0
    while page < 100000:
        reply = connection.command("SCAN", cursor, "COUNT", "5")
        cursor = reply.items()[0].text()
        met |= {item.text() for item in reply.items()[1].items()}
        if cursor == b"0":
            break
        if page < 60:
            fill(session, 10000 + page * 100, 10000 + page * 100 + 100)
        elif page < 120:
            connection.pipeline([(b"DEL", b"key:%d" % number)
                                 for number in range(10000 + (page - 60) * 100, 10000 + (page - 60) * 100 + 100)])
        page += 1
    session.note("scan while the table grows and shrinks: lost", sorted(stays - met))


def collections(session: Session) -> None:
    """Small and large sets, hashes and sorted sets."""
    session.connection().command("FLUSHALL")
    for size in (3, 700):
        names = [b"m%d" % number for number in range(size)]
        session.connection().command("SADD", f"set{size}", *names)
        session.connection().command("SADD", f"ints{size}", *range(size))
        session.connection().command("HSET", f"hash{size}", *[part for name in names for part in (name, b"v" + name)])
        session.connection().command("ZADD", f"zset{size}", *[part for name in names for part in (b"1.5", name)])
        whole(session, f"sscan of {size}", "SSCAN", f"set{size}")
        whole(session, f"sscan of {size} integers", "SSCAN", f"ints{size}", options=("COUNT", "7"))
        whole(session, f"sscan of {size} match", "SSCAN", f"set{size}", options=("MATCH", "m*1*"))
        whole(session, f"hscan of {size}", "HSCAN", f"hash{size}", options=("COUNT", "50"))
        whole(session, f"hscan of {size} match", "HSCAN", f"hash{size}", options=("MATCH", "m*3"))
        whole(session, f"zscan of {size}", "ZSCAN", f"zset{size}", options=("COUNT", "1000"))
        whole(session, f"zscan of {size} match", "ZSCAN", f"zset{size}", options=("MATCH", "nothing"))


def stream(session: Session) -> None:
    connection = session.connection()
    for line in ("SET str v", "SADD set a b", "HSET hash f v", "ZADD zset 1 m"):
        session.line(line)
    for line in ERRORS:
        session.line(line)
    connection.command("FLUSHALL")
    whole(session, "scan of nothing", "SCAN")
    fill(session, 0, 3000)
    session.line("SADD aset a")
    whole(session, "scan", "SCAN")
    whole(session, "scan count 1", "SCAN", options=("COUNT", "1"))
    whole(session, "scan count 100000", "SCAN", options=("COUNT", "100000"))
    whole(session, "scan match", "SCAN", options=("MATCH", "key:1?"))
    whole(session, "scan match nothing", "SCAN", options=("MATCH", "nothing*", "COUNT", "500"))
    whole(session, "scan type string", "SCAN", options=("TYPE", "string", "MATCH", "key:29*"))
    whole(session, "scan type set", "SCAN", options=("TYPE", "set"))
    connection.pipeline([(b"DEL", b"key:%d" % number) for number in range(0, 2950)])
    whole(session, "scan after deletes", "SCAN")
    scan_while_growing(session)
    collections(session)
    connection.command("FLUSHALL")
