"""What isolation costs: a program in a fresh sandbox, in bubblewrap with equal namespaces, and as a plain child."""

import json
import os
import subprocess
import time

from bench_jobs import BUBBLEWRAP
from table import percentile, row

TRUE = ["/bin/true"]


def rows(settings):
    count = 20 if settings.quick else 60
    own, stood, plain, wrapped = [], [], [], []
    for _ in range(settings.runs):
        told = subprocess.run(
            [settings.errand, "bench-sandbox", "--count", str(count), *TRUE], check=True, capture_output=True, text=True
        )
        each = [json.loads(text) for text in told.stdout.splitlines()]
        own.append(percentile([times["total_us"] for times in each], 0.5) / 1e3)
        stood.append(percentile([times["create_us"] for times in each], 0.5) / 1e3)
        plain.append(percentile([spawn(TRUE) for _ in range(count)], 0.5))
        wrapped.append(percentile([spawn([*BUBBLEWRAP, *TRUE]) for _ in range(count)], 0.5))
    return [
        row("sandbox made, true run, all gone", "ms", own, "bubblewrap", wrapped),
        row("sandbox made, true run, all gone", "ms", own, "plain posix_spawn", plain),
        row("of it until the sandbox has proved itself", "ms", stood),
    ]


def spawn(argv):
    begun = time.perf_counter()
    child = os.posix_spawnp(argv[0], argv, {"PATH": os.environ["PATH"]})
    assert os.waitpid(child, 0)[1] == 0
    return (time.perf_counter() - begun) * 1e3
