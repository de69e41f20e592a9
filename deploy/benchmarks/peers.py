"""The peers: nginx with a static body, and FastAPI on uvicorn, each with Errand's certificate."""

import json
import pathlib
import sys

from processes import serving
from system import free_port, peer_database


def nginx(directory, body, certificate, key):
    """nginx as one process that answers every path with the same bytes."""
    port = free_port()
    configuration = pathlib.Path(directory) / "nginx.conf"
    configuration.write_text(
        f"""daemon off; master_process off; pid {directory}/nginx.pid; error_log stderr warn;
        events {{ worker_connections 4096; }}
        http {{
          access_log off; keepalive_requests 1000000000; default_type application/json;
          client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
          uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
          server {{
            listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.2 TLSv1.3;
            ssl_certificate {certificate}; ssl_certificate_key {key};
            location / {{ return 200 '{body.decode()}'; }}
          }}
        }}"""
    )
    return port, serving(["nginx", "-e", "stderr", "-c", str(configuration)], port, directory)


def fastapi(directory, running, certificate, key, core=0):
    """The same operations in FastAPI: uvloop and httptools, one worker, no access log, a pool of four sessions."""
    port = free_port()
    keys = running.call("GET", "/.well-known/jwks.json", token=False)
    arguments = [sys.executable, "-m", "uvicorn", "fastapi_peer:app", "--port", str(port), "--loop", "uvloop"]
    arguments += ["--http", "httptools", "--ws", "websockets", "--no-access-log", "--log-level", "warning"]
    arguments += ["--app-dir", str(pathlib.Path(__file__).parent)]
    arguments += ["--ssl-certfile", str(certificate), "--ssl-keyfile", str(key)]
    return port, serving(
        arguments,
        port,
        directory,
        core,
        PEER_DATABASE=peer_database(running),
        PEER_KEYS=json.dumps(keys),
        PEER_ISSUER=running.url,
        PEER_VERSION=running.call("GET", "/health", token=False)["version"],
    )
