"""Processes that are measured: where they run, how much memory they hold, and how they end."""

import contextlib
import http.client
import os
import pathlib
import signal
import ssl
import subprocess
import time

UNTRUSTING = ssl.create_default_context()
UNTRUSTING.check_hostname = False
UNTRUSTING.verify_mode = ssl.CERT_NONE


def pin(pid, *cores):
    """Keeps every thread of a process on some cores; a machine with one core has no choice."""
    if os.cpu_count() > max(cores):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(task), cores)


def memory(pid):
    """The resident bytes of a process."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} has no memory")


def processor_seconds(pid):
    """The processor time that a process has used, user and system."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(arguments, port, directory, core=0, **environment):
    """Starts a peer on one core, waits until it answers over TLS, and ends it; gives its pid."""
    with open(pathlib.Path(directory) / f"{port}.log", "wb") as log:
        process = subprocess.Popen(
            arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **environment}
        )
        try:
            await_answer(process, port, log.name)
            pin(process.pid, core)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def await_answer(process, port, log):
    end = time.monotonic() + 20
    while True:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=UNTRUSTING, timeout=5)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"a peer did not start:\n{pathlib.Path(log).read_text()[-2000:]}")
        time.sleep(0.05)


@contextlib.contextmanager
def stopped(pids):
    """Holds processes still, so that what is measured meanwhile has the machine."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
