"""Makes openapi/openapi.json, which the server serves, from openapi/openapi.yaml; --check only compares."""

import json
import pathlib
import sys

import yaml

folder = pathlib.Path(__file__).resolve().parents[2] / "openapi"
made = json.dumps(yaml.safe_load((folder / "openapi.yaml").read_text()), ensure_ascii=False, separators=(",", ":")) + "\n"
target = folder / "openapi.json"
if "--check" in sys.argv[1:]:
    if target.read_text() != made:
        sys.exit("openapi/openapi.json is out of date: run python3 deploy/suites/openapi_json.py")
else:
    target.write_text(made)
