"""Requests per second of one event loop on one core, over TLS with 64 keep-alive connections."""

import tempfile

from load import load
from peers import fastapi, nginx
from processes import pin, stopped
from system import certificate, query, run_command, system
from table import row

COPY_JOB = """
insert into peer_jobs values ($1, $2, $3, $4, $5, $6, 5, 'none', 1, 1, $7, now(), now(), now())"""


def rows(settings):
    with tempfile.TemporaryDirectory() as directory, system(settings, ERRAND_LOOPS="1") as running:
        return measured(settings, running, directory)


def measured(settings, running, directory):
    pin(running.ready["api_pid"], 0)
    body = running.request("GET", "/health", token=False)[2]
    job = run_command(running, ["sh", "-c", "echo measured"])
    running.wait_final(job)
    nginx_port, nginx_serving = nginx(directory, body, *certificate(running))
    peer_port, peer_serving = fastapi(directory, running, *certificate(running))
    bearer = [f"Authorization: Bearer {running.token}"]
    static, nginx_static, peer_static, read, peer_read = ([] for _ in range(5))
    with nginx_serving, peer_serving, stopped(running.ready["worker_pids"]):
        copy = "019a0000-0000-7000-8000-000000000001"
        query(
            running, COPY_JOB, copy, copy, copy, copy, "command", "succeeded", ["sh", "-c", "echo measured"],
            database="peer",
        )
        for _ in range(settings.runs):
            static.append(load(f"{running.url}/health", settings.seconds))
            nginx_static.append(load(f"https://127.0.0.1:{nginx_port}/health", settings.seconds))
            peer_static.append(load(f"https://127.0.0.1:{peer_port}/health", settings.seconds))
            read.append(load(f"{running.url}/v1/jobs/{job}", settings.seconds, bearer))
            peer_read.append(load(f"https://127.0.0.1:{peer_port}/v1/jobs/{copy}", settings.seconds, bearer))

    def rates(runs):
        return [run.rate for run in runs]

    def tails(runs):
        return [run.p99 for run in runs]

    return [
        row("GET /health", "requests/s", rates(static), "nginx, static body", rates(nginx_static), ("ratio", ">=", 0.85)),
        row("GET /health", "requests/s", rates(static), "FastAPI on uvicorn", rates(peer_static), ("ratio", ">=", 5)),
        row("GET /health p99", "ms", tails(static), "nginx, static body", tails(nginx_static)),
        row("GET /v1/jobs/{id}", "requests/s", rates(read), "FastAPI, PyJWT, asyncpg", rates(peer_read), ("ratio", ">=", 5)),
        row("GET /v1/jobs/{id} p99", "ms", tails(read), "FastAPI, PyJWT, asyncpg", tails(peer_read)),
    ]
