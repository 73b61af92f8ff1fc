"""Generated commands on geospatial indexes."""
from __future__ import annotations

import random

from families.arguments import (Family, either, fixed, key, many, maybe, mostly, one, options, positive, sequence,
                                token, weighted)

_longitude = weighted((b"13.361389", b"15.087269", b"0", b"-180", b"180", b"2.3522", b"-0.0001", b"12.758489"),
                      (b"181", b"-180.1", b"abc", b"nan", b"inf", b""))
_latitude = weighted((b"38.115556", b"37.502669", b"0", b"85.05112878", b"-85.05112878", b"48.8566", b"38.788135"),
                     (b"85.06", b"-90", b"abc", b"nan", b""))
_member = weighted((b"Palermo", b"Catania", b"edge1", b"edge2"), (b"", b"nope", b"Paris"))
_unit = mostly(token("m", "km", "mi", "ft"), one(b"FOO"), 14)
_distance = weighted((b"0", b"1", b"100", b"200", b"2000", b"500000", b"0.5"), (b"-1", b"abc", b"nan", b""))
_from = either(sequence(token("FROMLONLAT"), _longitude, _latitude), sequence(token("FROMMEMBER"), _member))
_by = either(sequence(token("BYRADIUS"), _distance, _unit), sequence(token("BYBOX"), _distance, _distance, _unit))
_polygon = sequence(token("BYPOLYGON"), either(
    fixed("3", "10", "35", "20", "35", "15", "40"), fixed("4", "-90", "-60", "90", "-60", "90", "60", "-90", "60"),
    fixed("5", "12", "37", "18", "37", "15", "38", "18", "39", "12", "39"), fixed("2", "1", "1", "2", "2"),
    sequence(weighted((b"3",), (b"0", b"-1", b"abc", b"99999999999")), many(sequence(_longitude, _latitude), 3, 3))))
_with = token("WITHCOORD", "WITHDIST", "WITHHASH", "ASC", "DESC")
_count = sequence(token("COUNT"), positive, maybe(token("ANY")))
_store = sequence(token("STORE", "STOREDIST"), key)
# Without an order the reply's order is the index's, which both servers have from the same scores.
_COMMANDS = (
    ("GEOADD", sequence(key, options(token("NX", "XX", "CH"), most=2),
                        many(sequence(_longitude, _latitude, _member), 1, 3))),
    ("GEOADD", sequence(key, fixed("13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania",
                                   "12.758489", "38.788135", "edge1", "17.241510", "38.788135", "edge2"))),
    ("GEODIST", sequence(key, _member, _member, maybe(_unit))),
    ("GEOPOS", sequence(key, options(_member, most=3))),
    ("GEOHASH", sequence(key, options(_member, most=3))),
    ("GEOSEARCH", sequence(key, _from, _by, options(_with, _count))),
    ("GEOSEARCH", sequence(key, options(_from, _by, _with, _count, most=4))),
    ("GEOSEARCH", sequence(key, _polygon, options(_with, _count))),
    ("GEOSEARCHSTORE", sequence(key, key, _polygon, options(token("STOREDIST", "ASC", "DESC"), _count))),
    ("GEOSEARCHSTORE", sequence(key, key, _from, _by, options(token("STOREDIST", "ASC", "DESC", "WITHDIST"), _count))),
    ("GEORADIUS", sequence(key, _longitude, _latitude, _distance, _unit, options(_with, _count, _store))),
    ("GEORADIUS_RO", sequence(key, _longitude, _latitude, _distance, _unit, options(_with, _count, _store))),
    ("GEORADIUSBYMEMBER", sequence(key, _member, _distance, _unit, options(_with, _count, _store))),
    ("GEORADIUSBYMEMBER_RO", sequence(key, _member, _distance, _unit, options(_with, _count))),
    ("ZRANGE", sequence(key, fixed("0", "-1", "WITHSCORES"))),
    ("DEL", key),
)

_BEGINNING = ("GEOADD k1 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
              "GEOADD k1 12.758489 38.788135 edge1 17.241510 38.788135 edge2")


def _crowd() -> str:
    """Points enough that a search must leave most of them out: near the members above, and all over the world."""
    dice = random.Random(20)
    words = []
    for number in range(300):
        near = number % 2 == 0
        longitude = dice.uniform(11, 19) if near else dice.uniform(-180, 180)
        latitude = dice.uniform(36, 40) if near else dice.uniform(-85, 85)
        words += [f"{longitude:.6f}", f"{latitude:.6f}", f"p{number}"]
    return "GEOADD k2 " + " ".join(words)


_CROWDED = (*_BEGINNING, _crowd())
FAMILIES = (
    Family("geo", _COMMANDS, oracle="either", beginnings=(_BEGINNING, _BEGINNING)),
    Family("geo-skiplist", _COMMANDS, oracle="either", options=("--zset-max-listpack-entries", "0"),
           beginnings=(_CROWDED, _CROWDED)),
)
