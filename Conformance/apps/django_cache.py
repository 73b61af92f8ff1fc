"""Django's cache on django-redis: values, expiry, atomic counters, many keys, versions, patterns, locks, sessions."""
from __future__ import annotations

import sys
import threading
import time

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="x", SESSION_ENGINE="django.contrib.sessions.backends.cache",
    CACHES={"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"redis://127.0.0.1:{sys.argv[1]}/1",
                        "KEY_PREFIX": "app", "OPTIONS": {"CLIENT_CLASS": "django_redis.client.DefaultClient",
                                                         "COMPRESSOR": "django_redis.compressors.zlib.ZlibCompressor"}},
            "builtin": {"BACKEND": "django.core.cache.backends.redis.RedisCache",
                        "LOCATION": f"redis://127.0.0.1:{sys.argv[1]}/2"}})
django.setup()

from django.contrib.sessions.backends.cache import SessionStore  # noqa: E402
from django.core.cache import caches  # noqa: E402
from django_redis import get_redis_connection  # noqa: E402


def common(cache: object) -> None:
    """What every cache of Django promises."""
    value = {"list": list(range(1000)), "text": "ä" * 5000, "none": None}
    cache.set("value", value, 60)
    assert cache.get("value") == value and cache.get("nothing", 7) == 7
    assert cache.add("value", 1) is False and cache.add("fresh", 1, 60) is True
    cache.set("count", 5)
    assert cache.incr("count", 3) == 8 and cache.decr("count") == 7
    try:
        cache.incr("missing")
        raise AssertionError("incr of nothing")
    except ValueError:
        pass
    cache.set("short", 1, 1)
    assert cache.touch("short", 60) is True and cache.touch("nothing", 60) is False
    cache.set("gone", 1, 1)
    time.sleep(1.1)
    assert cache.get("gone") is None and cache.get("short") == 1
    cache.set_many({f"m:{number}": number for number in range(200)}, 60)
    found = cache.get_many([f"m:{number}" for number in range(0, 400, 2)])
    assert found == {f"m:{number}": number for number in range(0, 200, 2)}
    cache.delete_many(["m:0", "m:2"])
    assert "m:0" not in cache and "m:4" in cache and cache.delete("m:4") and not cache.delete("m:4")
    cache.set("versioned", "old", version=1)
    cache.incr_version("versioned")
    assert cache.get("versioned", version=2) == "old" and cache.get("versioned", version=1) is None
    assert cache.get_or_set("computed", lambda: 42, 60) == 42
    cache.clear()
    assert cache.get("value") is None


def main() -> None:
    cache = caches["default"]
    common(caches["builtin"])
    common(cache)
    cache.set("ttl", 1, timeout=100)
    assert 98 <= cache.ttl("ttl") <= 100 and cache.persist("ttl") and cache.ttl("ttl") is None
    cache.set_many({f"page:{number}": number for number in range(300)})
    assert sum(1 for _ in cache.iter_keys("page:*")) == 300 and cache.delete_pattern("page:1*") == 111
    assert cache.set("once", 1, nx=True) and not cache.set("once", 2, nx=True) and cache.get("once") == 1
    cache.set("shared", 0)

    def count() -> None:
        for _ in range(20):
            with cache.lock("guard", timeout=10, sleep=0.002):
                cache.set("shared", cache.get("shared") + 1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert cache.get("shared") == 80, cache.get("shared")
    session = SessionStore()
    session["user"] = {"id": 7}
    session.save()
    assert SessionStore(session.session_key)["user"] == {"id": 7}
    session.cycle_key()
    session.flush()
    assert get_redis_connection("default").dbsize() > 0
    print("both of Django's caches: values, expiry, counters, many keys, patterns, 80 guarded steps, a session")


if __name__ == "__main__":
    main()
