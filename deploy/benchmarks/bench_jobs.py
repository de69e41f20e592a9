"""How soon a job speaks, how many jobs get done, and how many are taken durably."""

import asyncio
import concurrent.futures
import os
import subprocess
import tempfile
import time

import asyncpg

from load import load
from peers import fastapi
from processes import stopped
from system import certificate, execute, owner_url, query, run_command, system
from table import percentile, row
from wire import Wire

SPEAK = ["/bin/echo", "hello"]
BUBBLEWRAP = [
    "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr",
    "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
    "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/workspace", "--chdir", "/workspace",
]


def rows(settings):
    with tempfile.TemporaryDirectory() as directory, system(settings) as running:
        script = submit_script(running, directory)
        return (
            first_record(settings, running)
            + drain(settings, running)
            + submits(settings, running, directory, script)
            + audited(settings, running, script)
        )


def first_record(settings, running):
    """From the first byte of the submit to the first record in the hands of a viewer, one job at a time."""
    samples = 40 if settings.quick else 150
    control = Wire(running.url, running.tls, running.token)
    totals, spawns = [], []
    for turn in range(samples + 10):
        viewer = Wire(running.url, running.tls, running.token)
        time.sleep(0.05)
        begun = time.perf_counter()
        job = control.post("/v1/jobs", {"project_id": running.project, "kind": "command", "argv": SPEAK, "workspace": "none"})
        viewer.upgrade(f"/v1/jobs/{job['id']}/stream")
        while b'"job:output"' not in (text := viewer.frame()):
            pass
        total = time.perf_counter() - begun
        assert b"hello" in text, text
        viewer.close()
        running.wait_final(job["id"])
        spawned = spawn(SPEAK)
        if turn >= 10:
            totals.append(total * 1e3)
            spawns.append(spawned * 1e3)
    control.close()
    own = [total - percentile(spawns, 0.5) for total in totals]

    def figure(name, values, share, goal=None):
        peer = [percentile(spawns, share)]
        line = row(f"{name}, p{share * 100:.0f}", "ms", [percentile(values, share)], "plain posix_spawn", peer, goal)
        # One percentile of all samples: the runs are the samples, their spread the middle half.
        line["runs"] = len(values)
        line["spread"] = round((percentile(values, 0.75) - percentile(values, 0.25)) / percentile(values, 0.5), 3)
        return line

    return [
        figure("submit to first record", totals, 0.5, ("value", "<=", 15)),
        figure("submit to first record", totals, 0.99, ("value", "<=", 40)),
        figure("of it Errand's own", own, 0.5),
    ]


def spawn(argv):
    """Seconds until a plain child's first output is read and the child reaped."""
    readable, writable = os.pipe()
    begun = time.perf_counter()
    actions = [(os.POSIX_SPAWN_DUP2, writable, 1), (os.POSIX_SPAWN_CLOSE, readable)]
    child = os.posix_spawn(argv[0], argv, {}, file_actions=actions)
    os.close(writable)
    os.read(readable, 100)
    os.waitpid(child, 0)
    taken = time.perf_counter() - begun
    os.close(readable)
    return taken


def drain(settings, running):
    """No-op jobs per second from release to the last one's durable end; then the same sandboxes without any queue."""
    count = 200 if settings.quick else 1000
    slots = 2 * len(os.sched_getaffinity(0))
    rates, peer = [], []
    for _ in range(3 if settings.quick else 5):
        with stopped(running.ready["worker_pids"]):
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                jobs = list(pool.map(lambda _: run_command(running, ["/bin/true"]), range(count)))
            begun = time.time()
        last = settled(running, jobs)
        rates.append(count / (last - begun))
        begun = time.time()
        with concurrent.futures.ThreadPoolExecutor(slots) as pool:
            list(pool.map(lambda _: subprocess.run([*BUBBLEWRAP, "/bin/true"], check=True), range(count)))
        peer.append(count / (time.time() - begun))
    return [row("drain of no-op jobs", "jobs/s", rates, f"bubblewrap, {slots} at once, no queue", peer)]


def settled(running, jobs):
    """Waits until all jobs have ended, counted in the database, and gives the time of the last end."""

    async def watch():
        session = await asyncpg.connect(owner_url(running, "errand"))
        end = time.monotonic() + 120
        while (left := await session.fetchval("select count(*) from jobs where finished_at is null")) > 0:
            assert time.monotonic() < end, f"{left} jobs are open after two minutes"
            await asyncio.sleep(0.1)
        told = await session.fetchrow(
            "select count(*) as good, extract(epoch from max(finished_at)) as last from jobs where state = 'succeeded'"
        )
        await session.close()
        assert told["good"] >= len(jobs), f"{told['good']} of {len(jobs)} jobs succeeded"
        return float(told["last"])

    return asyncio.run(watch())


def submit_script(running, directory):
    script = f"{directory}/submit.lua"
    with open(script, "w") as text:
        text.write('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n')
        text.write(f"""wrk.body = '{{"project_id":"{running.project}","kind":"command","argv":["/bin/true"],"workspace":"none"}}'\n""")
    return script


def submits(settings, running, directory, script):
    """Jobs per second that 64 clients get a 202 for, each committed with synchronous_commit; the worker is held."""
    port, serving = fastapi(directory, running, *certificate(running))
    bearer = [f"Authorization: Bearer {running.token}"]
    own, peer = [], []
    with serving, stopped(running.ready["worker_pids"]):
        for _ in range(3):
            own.append(load(f"{running.url}/v1/jobs", settings.seconds, bearer, script).rate)
            peer.append(load(f"https://127.0.0.1:{port}/v1/jobs", settings.seconds, bearer, script).rate)
    return [row("durable submits", "jobs/s", own, "FastAPI, PyJWT, asyncpg insert", peer)]


def audited(settings, running, script):
    """What recording costs: the same submits while the database's function that appends to the audit log does nothing."""
    found = query(running, "select pg_get_functiondef(oid) as text from pg_proc where proname = 'errand_audit_append'")
    append = found["text"]
    head, _, _ = append.partition("AS $function$")
    nothing = head + "AS $function$ begin return 0; end $function$"
    bearer = [f"Authorization: Bearer {running.token}"]
    with_log, without = [], []
    with stopped(running.ready["worker_pids"]):
        for _ in range(5):
            with_log.append(load(f"{running.url}/v1/jobs", settings.seconds, bearer, script).rate)
            execute(running, nothing)
            without.append(load(f"{running.url}/v1/jobs", settings.seconds, bearer, script).rate)
            execute(running, append)
    goal = ("ratio", ">=", 0.9)
    return [row("durable submits, audited", "jobs/s", with_log, "the same, not recorded", without, goal)]
