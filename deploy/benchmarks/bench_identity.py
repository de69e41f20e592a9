"""What identity costs: a checked token, a shared rate limit, a sign-in, and listings among many teams."""

import concurrent.futures
import http.client
import json
import os
import pathlib
import secrets
import statistics
import tempfile
import time
import urllib.parse

import argon2.low_level

from load import load
from processes import pin, processor_seconds, stopped
from system import execute, query, system
from table import row

PASSWORD = "correct horse battery staple of the bench"
USERS, TEAMS, TEAMS_EACH, PROJECTS_EACH = 10_000, 100, 3, 20

SEED = f"""
select set_config('errand.scope', 'system', false);
insert into users (id, email, name, password_hash, created_at)
    select ('019b0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'bench' || n || '@example.org', 'Bench ' || n,
        '%(hash)s', now() from generate_series(1, {USERS}) n;
insert into teams (id, name, created_at)
    select ('019b0000-0000-7001-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Team ' || n, now()
    from generate_series(1, {TEAMS}) n;
insert into memberships (user_id, team_id, role, created_at)
    select ('019b0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
        ('019b0000-0000-7001-8000-' || lpad(to_hex((n + 7 * k) %% {TEAMS} + 1), 12, '0'))::uuid, 'member', now()
    from generate_series(1, {USERS}) n, generate_series(1, {TEAMS_EACH}) k;
insert into memberships (user_id, team_id, role, created_at)
    select '%(user)s', id, 'owner', now() from teams where name like 'Team %%' on conflict do nothing;
insert into projects (id, team_id, name, policy, created_at, updated_at)
    select ('019b0000-0000-7002-8000-' || lpad(to_hex(t * 1000 + n), 12, '0'))::uuid,
        ('019b0000-0000-7001-8000-' || lpad(to_hex(t), 12, '0'))::uuid, 'Project ' || n, 'contained', now(), now()
    from generate_series(1, {TEAMS}) t, generate_series(1, {PROJECTS_EACH}) n;
analyze
"""


def rows(settings):
    with tempfile.TemporaryDirectory() as directory, system(
        settings, ERRAND_LOOPS="1", ERRAND_TRUSTED_PROXIES="127.0.0.1/32"
    ) as running:
        pin(running.ready["api_pid"], 0)
        user = query(running, "select id from users limit 1")["id"]
        salt = secrets.token_bytes(16)
        stored = argon2.low_level.hash_secret(PASSWORD.encode(), salt, 3, 65536, 4, 32, argon2.low_level.Type.ID)
        execute(running, SEED % {"hash": stored.decode(), "user": user})
        with stopped(running.ready["worker_pids"]):
            found = checks(settings, running) + listings(settings, running)
            # The threads that hash have all cores, as the peer's have.
            pin(running.ready["api_pid"], *os.sched_getaffinity(0))
            return found + sign_ins(settings, running, directory) + refusals(settings, running)


def checks(settings, running):
    """Processor time of the server per request: what a signed-in request costs more than one to `/health`."""
    bearer = [f"Authorization: Bearer {running.token}"]
    plain, signed = [], []
    for _ in range(settings.runs):
        plain.append(cost(running, f"{running.url}/health", settings))
        # An identifier that is none is refused after the token and the limits, and before any query.
        signed.append(cost(running, f"{running.url}/v1/jobs/none", settings, bearer))
    more = [mine - its for mine, its in zip(signed, plain)]
    return [row("token and limits checked, more than /health", "us of processor", more, None, None, ("value", "<=", 12))]


def cost(running, url, settings, headers=()):
    before = processor_seconds(running.ready["api_pid"])
    run = load(url, settings.seconds, headers, refusals=bool(headers))
    return (processor_seconds(running.ready["api_pid"]) - before) / run.requests * 1e6


def listings(settings, running):
    """64 people who ask ten times a second each, so that the answer's time is measured and not the queue's."""
    bearer = [f"Authorization: Bearer {running.token}"]
    team = query(running, "select id from teams where name = 'Team 1'")
    team = crockford("team", team["id"])
    found = []
    for name, path in [
        ("GET /v1/teams", "/v1/teams"),
        ("GET /v1/projects", "/v1/projects?limit=20"),
        ("GET /v1/jobs", "/v1/jobs?limit=20"),
        ("GET /v1/teams/{id}/members", f"/v1/teams/{team}/members"),
    ]:
        runs = [load(running.url + path, settings.seconds, bearer, pause=100).p99 for _ in range(3)]
        found.append(row(f"{name}, {USERS:,} users, {TEAMS} teams, p99", "ms", runs, None, None, ("value", "<=", 5)))
    return found


def crockford(prefix, value):
    digits, number = "0123456789abcdefghjkmnpqrstvwxyz", value.int
    return prefix + "_" + "".join(digits[number >> 5 * at & 31] for at in reversed(range(26)))


def sign_ins(settings, running, directory):
    """Each by another person from another address; the peer is libargon2 alone with the same parameters and threads."""
    script = pathlib.Path(directory) / "login.lua"
    script.write_text(
        f"""local n = 0
        request = function()
          n = n + 1
          local address = string.format("10.%d.%d.%d", n / 65536 % 256, n / 256 % 256, n % 256)
          return wrk.format("POST", nil, {{["Content-Type"] = "application/json", ["X-Forwarded-For"] = address}},
            string.format('{{"email":"bench%d@example.org","password":"{PASSWORD}"}}', (n - 1) % {USERS} + 1))
        end"""
    )
    threads = len(os.sched_getaffinity(0))
    # One takes a tenth of a second and more.
    seconds = 5 * settings.seconds
    own, peer = [], []
    for _ in range(3):
        # As many clients as threads hash: the pool is full, and nobody is refused.
        own.append(load(f"{running.url}/v1/auth/login", seconds, script=script, connections=threads).rate)
        peer.append(hashes(seconds, threads))
    return [row("sign-ins", "/s", own, f"libargon2 alone, {threads} threads", peer)]


def refusals(settings, running):
    """A wrong password of an account that is, and of one that is not, in turns, each from another address."""
    address = urllib.parse.urlsplit(running.url)
    line = http.client.HTTPSConnection(address.hostname, address.port, timeout=60, context=running.tls)
    times = {"bench": [], "nobody": []}
    for sample in range(100 if settings.quick else 500):
        for name in sorted(times, reverse=sample % 2 == 0):
            # Accounts that no earlier row tried to sign in to, and places that have no failures yet.
            person = f"{name}{USERS - sample}@example.org"
            place = f"10.{200 + (name == 'bench')}.{sample // 256}.{sample % 256}"
            fields = {"content-type": "application/json", "x-forwarded-for": place}
            begun = time.monotonic()
            line.request("POST", "/v1/auth/login", json.dumps({"email": person, "password": "not " + PASSWORD}), fields)
            answer = line.getresponse()
            answer.read()
            times[name].append(time.monotonic() - begun)
            assert answer.status == 401, answer.status
    line.close()
    known, unknown = (statistics.median(times[name]) for name in ("bench", "nobody"))
    apart = abs(known - unknown) / unknown * 100
    name = "a wrong password told from an unknown address by its time"
    return [row(name, "% of the median", [apart], None, None, ("value", "<=", 5))]


def hashes(seconds, threads):
    end = time.monotonic() + seconds

    def work():
        count = 0
        while time.monotonic() < end:
            argon2.low_level.hash_secret(PASSWORD.encode(), b"0" * 16, 3, 65536, 4, 32, argon2.low_level.Type.ID)
            count += 1
        return count

    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(lambda _: work(), range(threads)))
    return done / (time.monotonic() - begun)
