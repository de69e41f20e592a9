"""Runs the benches that are asked for, prints the table, and writes the rows as JSON."""

import argparse
import importlib
import json
import os
import pathlib
import platform
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "suites"))

import table

BENCHES = ["http", "jobs", "log", "sandbox", "identity"]


class Settings:
    """How long and how often to measure."""

    def __init__(self, errand, quick):
        self.errand, self.quick = errand, quick
        # Many short turns: whatever else the machine does then meets all who are compared.
        self.runs = 5 if quick else 11
        self.seconds = 1 if quick else 2


def main():
    options = argparse.ArgumentParser(prog="deploy/bench")
    options.add_argument("--errand", required=True, help=argparse.SUPPRESS)
    options.add_argument("bench", nargs="*", choices=[*BENCHES, []])
    options.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    options.add_argument("--json", metavar="FILE", help="write the rows to a file")
    chosen = options.parse_args()
    settings = Settings(os.path.abspath(chosen.errand), chosen.quick)
    rows = []
    for name in chosen.bench or BENCHES:
        print(f"==> {name}", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"bench_{name}").rows(settings)
    print(f"\n{platform.machine()}, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} at the end")
    table.show(rows)
    if chosen.json:
        pathlib.Path(chosen.json).write_text(json.dumps(rows, indent=2) + "\n")


main()
