"""Makes openapi/openapi.json, which the server serves, from openapi/openapi.yaml; --check only compares.

What holds for every route is added here and not repeated there: the fields that tell of rate limits, and the refusal.
"""

import json
import pathlib
import sys

import yaml

FREE = {"health"}
LIMITS = {name: {"$ref": f"#/components/headers/{name}"} for name in ("RateLimit-Policy", "RateLimit")}


def limited(document):
    shared = document["components"]["responses"]
    for path in document["paths"].values():
        for method, operation in path.items():
            if method == "parameters" or operation["operationId"] in FREE:
                continue
            operation["responses"]["429"] = {"$ref": "#/components/responses/TooManyRequests"}
            for response in operation["responses"].values():
                if "$ref" in response:
                    response = shared[response["$ref"].rsplit("/", 1)[1]]
                response.setdefault("headers", {}).update(LIMITS)
    return document


folder = pathlib.Path(__file__).resolve().parents[2] / "openapi"
made = json.dumps(limited(yaml.safe_load((folder / "openapi.yaml").read_text())), ensure_ascii=False, separators=(",", ":")) + "\n"
target = folder / "openapi.json"
if "--check" in sys.argv[1:]:
    if target.read_text() != made:
        sys.exit("openapi/openapi.json is out of date: run python3 deploy/suites/openapi_json.py")
else:
    target.write_text(made)
