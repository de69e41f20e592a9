"""What a viewer costs, what an idle server holds, and how fast output becomes durable."""

import os
import tempfile
import time

from peers import fastapi
from processes import UNTRUSTING, memory
from system import certificate, run_command, system
from table import row
from wire import Wire

LINE = "a line of output as a build prints it, neither very short nor very long, number"


def rows(settings):
    with tempfile.TemporaryDirectory() as directory, system(settings) as running:
        port, serving = fastapi(directory, running, *certificate(running), core=1)
        with serving as peer:
            idle = [memory(running.ready["api_pid"]) / 1e6], [memory(peer) / 1e6]
            viewers = viewer_memory(settings, running, peer, f"https://127.0.0.1:{port}")
        return [
            row("errand serve, idle", "MB", idle[0], "FastAPI process", idle[1], ("value", "<=", 40)),
            *viewers,
            *ingest(settings, running),
        ]


def viewer_memory(settings, running, peer, peer_url):
    """Memory per viewer that watches a silent job; a first hundred fill the pools before the count begins."""
    count = 500 if settings.quick else 2000
    job = run_command(running, ["sleep", "600"])
    while running.call("GET", f"/v1/jobs/{job}")["state"] == "queued":
        time.sleep(0.05)
    own = per_viewer(running.ready["api_pid"], running.url, running.tls, running.token, job, count)
    other = per_viewer(peer, peer_url, UNTRUSTING, running.token, job, count)
    running.call("POST", f"/v1/jobs/{job}/cancel")
    running.wait_final(job)
    return [row("idle TLS viewer", "KB", [own], "FastAPI WebSocket", [other], ("value", "<=", 24))]


def per_viewer(pid, url, tls, token, job, count):
    held = [viewer(url, tls, token, job) for _ in range(100)]
    time.sleep(1)
    before = memory(pid)
    held += [viewer(url, tls, token, job) for _ in range(count)]
    time.sleep(2)
    grown = memory(pid) - before
    for wire in held:
        wire.close()
    return grown / count / 1024


def viewer(url, tls, token, job):
    wire = Wire(url, tls, token)
    wire.upgrade(f"/v1/jobs/{job}/stream")
    wire.frame()
    return wire


def ingest(settings, running):
    """A job that prints much, from its start to its durable end; beside it the same program into a synced file."""
    size = (20 if settings.quick else 200) * 1_000_000
    argv = ["sh", "-c", f"yes '{LINE}' 2>/dev/null | head -c {size}"]
    rates, plain = [], []
    for _ in range(3):
        begun = time.monotonic()
        final = running.wait_final(run_command(running, argv), 300)
        rates.append(size / (time.monotonic() - begun) / 1e6)
        assert final["state"] == "succeeded" and final["log"]["bytes"] >= size, final
        plain.append(size / written(argv) / 1e6)
    return [row("ingest of a job's output", "MB/s", rates, "the same into a file, fsync", plain)]


def written(argv):
    with tempfile.NamedTemporaryFile() as file:
        begun = time.monotonic()
        child = os.posix_spawn("/bin/sh", argv, dict(os.environ), file_actions=[(os.POSIX_SPAWN_DUP2, file.fileno(), 1)])
        assert os.waitpid(child, 0)[1] == 0
        os.fsync(file.fileno())
        return time.monotonic() - begun
