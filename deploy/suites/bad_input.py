"""Broken requests on the wire and in every field: always a problem document, never a 500, a hang or a leak."""

import json
import socket
import ssl
import urllib.parse

from front_door import project

COMMAND = {"kind": "command", "argv": ["true"]}


def problem(running, method, path, status, code=None, pointer=None, **more):
    got, headers, body = running.request(method, path, **more)
    assert got == status, (method, path, got, body[:300])
    assert headers["content-type"] == "application/problem+json"
    told = json.loads(body)
    assert told["status"] == status and told["code"] and told["request_id"], told
    if code:
        assert told["code"] == code, told
    if pointer:
        assert pointer in [error["pointer"] for error in told.get("errors", [])], told


def check_every_field_of_a_job_is_checked(running, errand):
    home = project(running)
    good = {"project_id": home, **COMMAND}
    cases = [
        ({}, "/project_id"), ({**good, "project_id": 7}, "/project_id"), ({**good, "project_id": "prj_x"}, "/project_id"),
        ({**good, "kind": "shell"}, "/kind"), ({**good, "argv": []}, "/argv"), ({**good, "argv": "true"}, "/argv"),
        ({**good, "argv": [1]}, "/argv/0"), ({**good, "argv": [""]}, "/argv"), ({**good, "argv": ["a\u0000b"]}, "/argv/0"),
        ({**good, "argv": ["x" * 200000]}, "/argv/0"), ({**good, "argv": ["x"] * 2000}, "/argv"),
        ({**good, "env": []}, "/env"), ({**good, "env": {"a b": "x"}}, "/env/a b"), ({**good, "env": {"A": 1}}, "/env/A"),
        ({**good, "stdin": 5}, "/stdin"), ({**good, "timeout_seconds": 0}, "/timeout_seconds"),
        ({**good, "timeout_seconds": 1.5}, "/timeout_seconds"), ({**good, "timeout_seconds": 10**30}, "/timeout_seconds"),
        ({**good, "priority": 10}, "/priority"), ({**good, "priority": "high"}, "/priority"),
        ({**good, "max_attempts": 11}, "/max_attempts"), ({**good, "workspace": "all"}, "/workspace"),
    ]
    for body, pointer in cases:
        problem(running, "POST", "/v1/jobs", 422, "invalid_fields", pointer, body=body)
    for name in ("owner", "team_id", "role", "is_admin", "submitted_by", "state"):
        problem(running, "POST", "/v1/jobs", 400, "unknown_fields", "/" + name, body={**good, name: "x"})
    return f"{len(cases)} cases"


def check_bodies_that_are_no_json_object(running, errand):
    kind = {"content-type": "application/json"}
    cases = [
        (b"", 400), (b"{", 400), (b'{"a":1,"a":2}', 400), (b"\xef\xbb\xbf{}", 400), (b'{"a":"\xff"}', 400), (b"{} x", 400),
        (b"[" * 60000, 400), (b'{"a":' * 200 + b"1" + b"}" * 200, 400), (b'{"a":1e999999}', 400), (b"nul", 400),
        (b"[]", 422), (b"null", 422), (b'"text"', 422), (b"{\"a\":\"\\ud800\"}", 400),
    ]
    for raw, status in cases:
        problem(running, "POST", "/v1/projects", status, raw=raw, headers=kind)
    many = b'{"project_id":[' + b",".join([b"[" + b",".join([b"0"] * 999) + b"]"] * 4000) + b"]}"
    problem(running, "POST", "/v1/jobs", 400, "json_too_complex", raw=many, headers=kind)
    problem(running, "POST", "/v1/projects", 415, "unsupported_media_type", raw=b"{}", headers={"content-type": "text/plain"})
    problem(running, "POST", "/v1/projects", 413, raw=b" " * 200000, headers=kind)
    return f"{len(cases) + 3} cases"


def check_queries_and_headers_are_checked(running, errand):
    for query in ("limit=0", "limit=201", "limit=x", "limit=1&limit=2", "cursor=nope", "state=asleep", "kind=x", "color=red", "project_id=%00", "state=%ff"):
        problem(running, "GET", "/v1/jobs?" + query, 400)
    body = {"project_id": project(running), **COMMAND}
    for key in ("k" * 256, "with space"):
        problem(running, "POST", "/v1/jobs", 400, "malformed_parameter", body=body, headers={"idempotency-key": key})
    problem(running, "GET", "/v1/jobs", 401, "unauthenticated", token=False)
    problem(running, "DELETE", "/v1/jobs", 405, "method_not_allowed")


def check_names_are_visible(running, errand):
    names = ["", " ", "\t\n", "\u200b\ufeff", "\u00a0\u3000", "\u2800", "\u3164", "a\u001b[31m", "a\nb"]
    made = running.call("POST", "/v1/projects", {"name": "seen"})
    for name in names:
        for method, path in (("POST", "/v1/teams"), ("POST", "/v1/projects"), ("PATCH", f"/v1/projects/{made['id']}")):
            problem(running, method, path, 422, "invalid_fields", "/name", body={"name": name})
    trimmed = running.call("POST", "/v1/projects", {"name": "\u00a0 trimmed \u200b\n"})
    assert trimmed["name"] == "trimmed", trimmed
    return f"{len(names) * 3} cases"


def check_attempts_that_never_were_are_not_found(running, errand):
    job = running.call("POST", "/v1/jobs", {"project_id": project(running), **COMMAND})["id"]
    running.wait_final(job)
    for path in ("output?attempt=2", "transcript?attempt=2", "events?after=2.0", "stream?after=2.1"):
        problem(running, "GET", f"/v1/jobs/{job}/{path}", 404, "attempt_not_found")
    for path in ("output?attempt=1", "transcript?attempt=1", "events?after=1.0"):
        status, _, _ = running.request("GET", f"/v1/jobs/{job}/{path}")
        assert status == 200, (path, status)
    return "7 cases"


def exchange(running, data):
    """Sends bytes on a fresh TLS connection and reads until the server closes or is silent for a second."""
    address = urllib.parse.urlsplit(running.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as plain:
        with running.tls.wrap_socket(plain, server_hostname=address.hostname) as tls:
            tls.sendall(data)
            tls.settimeout(1)
            got = b""
            try:
                while piece := tls.recv(65536):
                    got += piece
            except (TimeoutError, ssl.SSLError, ConnectionResetError):
                pass
            return got


def check_a_refused_body_is_answered_though_all_of_it_is_sent_first(running, errand):
    # urllib writes the whole body before it reads: what is answered must survive until then.
    kind = {"content-type": "application/json"}
    for size in (70_000, 1_000_000, 30_000_000):
        problem(running, "POST", "/v1/projects", 413, "body_too_large", raw=b" " * size, headers=kind)
        problem(running, "POST", "/v1/projects", 401, raw=b" " * size, headers=kind, token=False)


def check_tls_keeps_forward_secrecy(running, errand):
    address = urllib.parse.urlsplit(running.url)

    def connects(version, ciphers):
        context = ssl.create_default_context(cafile=running.ca)
        context.minimum_version = context.maximum_version = version
        if ciphers:
            context.set_ciphers(ciphers)
        try:
            with socket.create_connection((address.hostname, address.port), timeout=10) as plain:
                with context.wrap_socket(plain, server_hostname=address.hostname) as tls:
                    return tls.cipher()[0]
        except (ssl.SSLError, ConnectionResetError):
            return None

    assert connects(ssl.TLSVersion.TLSv1_3, None)
    assert "ECDHE" in connects(ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM")
    for weak in ("ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384", "AES128-GCM-SHA256:AES256-SHA"):
        assert connects(ssl.TLSVersion.TLSv1_2, weak) is None, weak


def check_hostile_heads_are_refused_on_the_wire(running, errand):
    host = b"Host: localhost\r\n"
    cases = [
        (b"GET /health HTTP/1.1\n" + host + b"\r\n", b"400"), (b"GET /health HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /health HTTP/1.1\r\n" + host + host + b"\r\n", b"400"), (b"GET /health HTTP/2.0\r\n" + host + b"\r\n", b"505"),
        (b"GET /health HTTP/1.1\r\n" + host + b"a : b\r\n\r\n", b"400"),
        (b"GET /health HTTP/1.1\r\n" + host + b"a: b\r\n c\r\n\r\n", b"400"),
        (b"POST /v1/projects HTTP/1.1\r\n" + host + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST /v1/projects HTTP/1.1\r\n" + host + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", b"400"),
        (b"POST /v1/projects HTTP/1.1\r\n" + host + b"Content-Length: +5\r\n\r\nhello", b"400"),
        (b"POST /v1/projects HTTP/1.1\r\n" + host + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", b"501"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + host + b"a: " + b"b" * 20000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + host + b"".join(b"a%d: b\r\n" % n for n in range(80)) + b"\r\n", b"431"),
    ]
    for data, status in cases:
        # A second request behind a refused one must never be answered.
        answer = exchange(running, data + b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 " + status), (data[:60], answer[:80])
        assert b'"status":"ok"' not in answer, data[:60]
    assert b'"status":"ok"' in exchange(running, b"GET /health HTTP/1.1\r\n" + host + b"\r\n")
    return f"{len(cases)} cases"


def check_pipelined_requests_are_answered_in_order(running, errand):
    one = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = exchange(running, one * 20 + b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 20 and answer.count(b"HTTP/1.1 404") == 1
    assert answer.rindex(b"HTTP/1.1 200") < answer.index(b"HTTP/1.1 404")
