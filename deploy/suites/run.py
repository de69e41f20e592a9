"""Runs the outside suites, each against a running system of its own, and closes with the count of what passed and failed."""

import argparse
import importlib
import os
import sys
import time
import traceback

from running import errand_up

SUITES = [
    "front_door", "tokens", "second_factor", "streams", "bad_input", "parser_oracles", "websocket_oracles", "slow_clients",
    "mail", "oidc", "pages", "oauth", "schema",
]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--errand", required=True)
    options.add_argument("suites", nargs="*", default=SUITES)
    chosen = options.parse_args()
    passed, failed = 0, []
    for name in chosen.suites or SUITES:
        module = importlib.import_module(name)
        checks = [(key, value) for key, value in vars(module).items() if key.startswith("check_")]
        assert checks, f"suite {name} has no checks"
        # Each suite has an installation of its own: after the wrong passwords of one, the address of all of them waits.
        # The oracles open hundreds of streams in a few seconds, as no person does.
        with errand_up(
            chosen.errand,
            ERRAND_REQUESTS_PER_SECOND="1000",
            ERRAND_ANONYMOUS_REQUESTS_PER_SECOND="1000",
            ERRAND_SIGN_INS_PER_MINUTE="10000",
        ) as running:
            running.login()
            for key, check in checks:
                begun = time.monotonic()
                try:
                    told = check(running, chosen.errand) or ""
                    passed += 1
                    verdict = "ok"
                except Exception:
                    failed.append(f"{name}.{key}")
                    told, verdict = traceback.format_exc(), "FAILED"
                print(f"{verdict:7}{name}.{key[6:]} ({time.monotonic() - begun:.1f} s) {told}", flush=True)
    for name in failed:
        print(f"failed: {name}")
    print(f"{passed} passed, {len(failed)} failed")
    sys.exit(1 if failed or not passed else 0)


sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
main()
