"""Closed-loop HTTP load by wrk, on the core that the servers do not use."""

import os
import re
import subprocess


class Load:
    """What one run of wrk measured."""

    def __init__(self, text):
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
        self.p50, self.p99 = (milliseconds(text, share) for share in ("50%", "99%"))
        faults = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*", text)
        assert faults is None, f"the run does not count: {faults.group(0)}"


def milliseconds(text, share):
    number, unit = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def load(url, seconds, headers=(), script=None, connections=64):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    for header in headers:
        command += ["-H", header]
    if script:
        command += ["-s", str(script)]
    if os.cpu_count() > 1:
        command = ["taskset", "-c", "1", *command]
    return Load(subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout)
