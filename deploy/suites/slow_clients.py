"""Clients that send their bodies slowly: a trickle is given up with 408, a slow line is served, the others notice nothing."""

import concurrent.futures
import json
import socket
import time
import urllib.parse
import uuid

from front_door import project

PAUSE = 0.25


def send_slowly(running, method, path, kind, length, pieces):
    """Sends a head and then pieces at intervals; answers with the status, the problem's code and the seconds it took."""
    address = urllib.parse.urlsplit(running.url)
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {running.token}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=10) as plain:
        with running.tls.wrap_socket(plain, server_hostname=address.hostname) as tls:
            begun, got = time.monotonic(), b""
            tls.sendall(head.encode())
            tls.settimeout(PAUSE)
            while b"\r\n\r\n" not in got and time.monotonic() - begun < 40:
                if piece := next(pieces, b""):
                    tls.sendall(piece)
                try:
                    got += tls.recv(65536)
                except TimeoutError:
                    pass
            took = time.monotonic() - begun
            top, _, body = got.partition(b"\r\n\r\n")
            tls.settimeout(5)
            while b"}" not in body:
                body += tls.recv(65536)
    return int(top.split(b" ")[1]), json.loads(body[body.index(b"{") :]).get("code"), took


def one_by_one(count):
    return (b" " for _ in range(count))


def slow_line(body):
    # 2 KB a second: twice what is asked for.
    return (body[start : start + 512] for start in range(0, len(body), 512))


def check_a_trickle_is_given_up_and_a_slow_line_served(running, errand):
    home = project(running)
    fields = {"name": f"suite-{uuid.uuid4().hex[:8]}"}
    good = json.dumps(fields).encode() + b" " * 28_000
    sent = {
        "a trickled document": ("POST", "/v1/projects", "application/json", 60_000, one_by_one(10_000)),
        "a document that does not come": ("POST", "/v1/projects", "application/json", 60_000, iter(())),
        "a trickled workspace": ("PUT", f"/v1/projects/{home}/workspace", "application/x-tar", 1_000_000, one_by_one(10_000)),
        "a slow line": ("POST", "/v1/projects", "application/json", len(good), slow_line(good)),
    }
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = {name: pool.submit(send_slowly, running, *request) for name, request in sent.items()}
        worst = 0
        while not all(answer.done() for answer in asked.values()):
            begun = time.monotonic()
            assert running.request("GET", "/health", token=False)[0] == 200
            worst = max(worst, time.monotonic() - begun)
            time.sleep(0.1)
        told = {name: answer.result() for name, answer in asked.items()}
    for name, (status, code, took) in told.items():
        if name == "a slow line":
            assert status == 201 and took > 11, told
        else:
            assert (status, code) == (408, "body_timeout") and 9 < took < 20, told
    assert worst < 1, worst
    # The workspace is not left locked by the upload that was given up.
    assert running.request("GET", f"/v1/projects/{home}/workspace")[0] == 200
    return f"given up after {told['a trickled workspace'][2]:.0f} s; others waited {worst * 1000:.0f} ms at most"
