"""schemathesis: requests made from the OpenAPI document, valid and broken, against the running server."""

import os
import re
import subprocess
import sys
import tempfile


def check_schemathesis_finds_no_failure(running, errand):
    running.login()
    full = os.environ.get("ERRAND_FULL") == "yes"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", running.url + "/openapi.json",
                "--checks", "all", "--max-examples", "300" if full else "25", "--workers", "1", "--seed", "20261121",
                "--request-timeout", "20", "--tls-verify", running.ca, "--no-color",
                "--header", f"Authorization: Bearer {running.token}",
                # They would end the sign-in that everything else needs.
                "--exclude-operation-id", "logout", "--exclude-operation-id", "revokeDevices",
                "--exclude-operation-id", "revokeDevice",
                # They would ask made-up hosts, and give the administrator a key that is none.
                "--exclude-operation-id", "putMyModelKey", "--exclude-operation-id", "putTeamModelKey",
                "--exclude-operation-id", "workerControlLink",
                "--exclude-operation-id", "workerBulkLink", "--exclude-operation-id", "streamJob",
                "--exclude-operation-id", "jobEvents", "--exclude-operation-id", "putWorkspace",
                # 404 may be about another thing that the body names, a service account say, than about what was just made.
                "--exclude-checks", "ignored_auth,positive_data_acceptance,ensure_resource_availability",
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=1800,
        )
    tail = done.stdout[-6000:]
    assert done.returncode == 0, tail + done.stderr[-2000:]
    tested = re.search(r"(\d+) generated", done.stdout) or re.search(r"(\d+) passed", done.stdout)
    assert tested and int(tested.group(1)) > 100, tail
    # Otherwise all that came after was refused, and proves little.
    assert running.request("GET", "/v1/me")[0] == 200, "the sign-in ended on the way"
    return f"{tested.group(0)}; sockets, logout, endless streams and archives have suites of their own"
