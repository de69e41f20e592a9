"""Closed-loop HTTP load by wrk, on the core that the servers do not use."""

import contextlib
import os
import re
import subprocess
import tempfile


class Load:
    """What one run of wrk measured."""

    def __init__(self, text, refusals=False):
        self.requests = int(re.search(r"(\d+) requests in", text).group(1))
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
        self.p50, self.p99 = (milliseconds(text, share) for share in ("50%", "99%"))
        answers = r"Socket errors: .*" if refusals else r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*"
        faults = re.search(answers, text)
        assert faults is None, f"the run does not count: {faults.group(0)}"


def milliseconds(text, share):
    number, unit = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def load(url, seconds, headers=(), script=None, connections=64, pause=None, refusals=False):
    """Runs wrk; `pause` is a client's wait before each request in ms, `refusals` says that other answers than 2xx count."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    for header in headers:
        command += ["-H", header]
    with contextlib.ExitStack() as stack:
        if pause is not None:
            paced = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".lua"))
            paced.write(f"delay = function() return math.random({2 * pause}) end")
            paced.flush()
            script = paced.name
        if script:
            command += ["-s", str(script)]
        return Load(run(command, url), refusals)


def run(command, url):
    if os.cpu_count() > 1:
        command = ["taskset", "-c", "1", *command]
    return subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
