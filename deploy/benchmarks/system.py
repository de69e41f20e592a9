"""The installation that is measured, and a database for the peers on its PostgreSQL."""

import asyncio
import contextlib
import resource
import socket
import urllib.parse
import uuid

import asyncpg

from running import errand_up

# One client sends what a thousand people would: the limits per person and address must not be what is measured.
UNLIMITED = {
    "ERRAND_REQUESTS_PER_SECOND": "1000000",
    "ERRAND_ANONYMOUS_REQUESTS_PER_SECOND": "1000000",
    "ERRAND_SIGN_INS_PER_MINUTE": "1000000",
    "ERRAND_QUOTA_QUEUED_JOBS": "none",
    "ERRAND_MAX_CONNECTIONS_PER_ADDRESS": "20000",
}


@contextlib.contextmanager
def system(settings, **environment):
    """A fresh installation with a signed-in administrator and a project."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    with errand_up(settings.errand, **UNLIMITED, **environment) as running:
        running.login()
        running.project = running.call("POST", "/v1/projects", {"name": f"bench-{uuid.uuid4().hex[:8]}"})["id"]
        yield running


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate(running):
    return running.data / "tls" / "server.pem", running.data / "tls" / "server-key.pem"


def owner_url(running, database):
    """PostgreSQL as its superuser: row-level security, which Errand pays for, costs the peers nothing."""
    password = (running.data / "secrets" / "postgres-errand_super").read_text().strip()
    query = urllib.parse.urlsplit(running.ready["postgres_url"]).query
    return f"postgresql://errand_super:{password}@/{database}?{query}"


def peer_database(running):
    """A database of the peers' own on the same server with the same settings."""

    async def make():
        session = await asyncpg.connect(owner_url(running, "postgres"))
        if not await session.fetchval("select 1 from pg_database where datname = 'peer'"):
            await session.execute("create database peer")
        await session.close()

    asyncio.run(make())
    return owner_url(running, "peer")


def query(running, statement, *values, database="errand"):
    """One row of the installation's own tables, to count by an independent witness."""

    async def ask():
        session = await asyncpg.connect(owner_url(running, database))
        try:
            return await session.fetchrow(statement, *values)
        finally:
            await session.close()

    return asyncio.run(ask())


def execute(running, script):
    """Runs statements as the database's superuser."""

    async def do():
        session = await asyncpg.connect(owner_url(running, "errand"))
        try:
            await session.execute(script)
        finally:
            await session.close()

    asyncio.run(do())


def run_command(running, argv, **more):
    body = {"project_id": running.project, "kind": "command", "argv": argv, "workspace": "none", **more}
    return running.call("POST", "/v1/jobs", body)["id"]
