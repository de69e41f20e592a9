"""Live streams through the `websockets` library and raw server-sent events: order, resume, tickets, origins."""

import hashlib
import json
import ssl
import time
import urllib.request

import websockets.exceptions
import websockets.sync.client

from bad_input import exchange
from front_door import command, project


def follow(running, job, after=None, stop=None, **more):
    url = running.url.replace("https://", "wss://") + f"/v1/jobs/{job}/stream" + (f"?after={after}" if after else "")
    headers = more.pop("headers", {"authorization": f"Bearer {running.token}"})
    events = []
    with websockets.sync.client.connect(url, ssl=running.tls, additional_headers=headers, **more) as socket:
        for text in socket:
            events.append(json.loads(text))
            if stop and stop(events):
                return events
    return events


def records(events):
    return [event for event in events if event["type"] == "job:output"]


def data(event):
    return event["data"].encode() if "data" in event else json.dumps(event["message"]).encode()


def check_a_live_stream_is_whole_and_ordered(running, errand):
    job = command(running, project(running), ["sh", "-c", "for i in $(seq 1 300); do echo line $i; done"])
    events = follow(running, job["id"])
    assert events[0]["type"] == "job:state" and events[-1]["type"] == "job:completed", [e["type"] for e in events][:3]
    got = records(events)
    assert [event["seq"] for event in got] == list(range(1, len(got) + 1))
    text = b"".join(data(event) for event in got if event["stream"] == "stdout")
    assert text == b"".join(b"line %d\n" % n for n in range(1, 301))
    end = events[-1]
    assert end["records"] == len(got)
    whole = b"".join(data(event) for event in got)
    assert end["bytes"] == len(whole) and end["sha256"] == hashlib.sha256(whole).hexdigest(), end


def check_a_cut_stream_resumes_without_gap_or_repeat(running, errand):
    job = command(running, project(running), ["sh", "-c", "for i in $(seq 1 60); do echo tick $i; sleep 0.02; done"])
    held, after = [], None
    for _ in range(200):
        part = follow(running, job["id"], after, stop=lambda events: len(records(events)) >= 5)
        held += records(part)
        if held:
            after = f"{held[-1]['attempt']}.{held[-1]['seq']}"
        if part and part[-1]["type"] == "job:completed":
            break
    assert [event["seq"] for event in held] == list(range(1, len(held) + 1))
    text = b"".join(data(event) for event in held if event["stream"] == "stdout")
    assert text == b"".join(b"tick %d\n" % n for n in range(1, 61))


def check_server_sent_events_resume_by_last_event_id(running, errand):
    job = command(running, project(running), ["sh", "-c", "for i in $(seq 1 20); do echo n $i; done"])
    running.wait_final(job["id"])
    whole = sse(running, job["id"])
    ids = [event_id for event_id, _ in whole if event_id]
    assert ids and whole[-1][1]["type"] == "job:completed"
    rest = sse(running, job["id"], ids[0])
    assert [event_id for event_id, _ in rest if event_id] == ids[1:]


def sse(running, job, last=None):
    headers = {"authorization": f"Bearer {running.token}"}
    if last:
        headers["last-event-id"] = last
    request = urllib.request.Request(running.url + f"/v1/jobs/{job}/events", headers=headers)
    events, event_id, lines = [], None, []
    with urllib.request.urlopen(request, context=running.tls, timeout=30) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        for line in answer:
            line = line.decode().rstrip("\n")
            if line.startswith("id: "):
                event_id = line[4:]
            elif line.startswith("data: "):
                lines.append(line[6:])
            elif line == "" and lines:
                events.append((event_id, json.loads("\n".join(lines))))
                event_id, lines = None, []
    return events


def check_a_ticket_opens_one_stream_once(running, errand):
    job = command(running, project(running), ["true"])
    running.wait_final(job["id"])
    ticket = running.call("POST", "/v1/stream-tickets")
    events = follow(running, job["id"], headers={}, subprotocols=[ticket["subprotocol"]])
    assert events[-1]["type"] == "job:completed"
    refused(running, job["id"], 401, headers={}, subprotocols=[ticket["subprotocol"]])


def check_a_refused_handshake_spends_no_ticket(running, errand):
    job = command(running, project(running), ["true"])
    running.wait_final(job["id"])
    ticket = running.call("POST", "/v1/stream-tickets")["subprotocol"]
    offer = {"headers": {}, "subprotocols": [ticket]}
    refused(running, "job_01kzzzzzzzzzzzzzzzzzzzzzzz", 404, **offer)
    refused(running, job["id"], 400, after="nonsense", **offer)
    refused(running, job["id"], 403, origin="https://evil.example", **offer)
    # Not a handshake at all, and one without its key.
    top = f"GET /v1/jobs/{job['id']}/stream HTTP/1.1\r\nHost: localhost\r\nSec-WebSocket-Protocol: {ticket}\r\n"
    assert exchange(running, (top + "\r\n").encode()).startswith(b"HTTP/1.1 426 ")
    upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
    assert exchange(running, (top + upgrade).encode()).startswith(b"HTTP/1.1 400 ")
    assert follow(running, job["id"], **offer)[-1]["type"] == "job:completed"
    refused(running, job["id"], 401, **offer)


def check_a_stream_needs_a_sign_in_and_a_known_origin(running, errand):
    job = command(running, project(running), ["true"])
    refused(running, job["id"], 401, headers={})
    bearer = {"authorization": f"Bearer {running.token}"}
    refused(running, job["id"], 403, headers=bearer, origin="https://evil.example")
    assert follow(running, job["id"], headers=bearer, origin=running.url)[-1]["type"] == "job:completed"


def refused(running, job, status, after=None, **more):
    try:
        follow(running, job, after, **more)
    except websockets.exceptions.InvalidStatus as error:
        assert error.response.status_code == status, error.response.status_code
    else:
        raise AssertionError("the stream was opened")


def check_a_revoked_sign_in_loses_its_stream(running, errand):
    pair = running.call("POST", "/v1/auth/login", {"email": running.email, "password": running.password}, token=False)
    bearer = {"authorization": f"Bearer {pair['access_token']}"}
    job = command(running, project(running), ["sleep", "60"])
    url = running.url.replace("https://", "wss://") + f"/v1/jobs/{job['id']}/stream"
    with websockets.sync.client.connect(url, ssl=running.tls, additional_headers=bearer) as socket:
        socket.recv(timeout=5)
        begun = time.monotonic()
        assert running.request("POST", "/v1/auth/logout", token=False, headers=bearer)[0] == 204
        assert closed(socket) == 4401
        assert time.monotonic() - begun < 2
    running.call("POST", f"/v1/jobs/{job['id']}/cancel")


def closed(socket):
    """Reads to the end and tells the close code."""
    try:
        while True:
            socket.recv(timeout=5)
    except websockets.exceptions.ConnectionClosed as error:
        return error.rcvd.code if error.rcvd else None


def sign_in(running):
    pair = running.call("POST", "/v1/auth/login", {"email": running.email, "password": running.password}, token=False)
    return pair["access_token"], {"authorization": f"Bearer {pair['access_token']}"}


def check_a_newer_token_keeps_a_stream_open(running, errand):
    (_, first), (second, other) = sign_in(running), sign_in(running)
    job = command(running, project(running), ["sleep", "60"])
    url = running.url.replace("https://", "wss://") + f"/v1/jobs/{job['id']}/stream"
    with websockets.sync.client.connect(url, ssl=running.tls, additional_headers=first) as socket:
        socket.send(json.dumps({"type": "dance"}))
        socket.send(json.dumps({"type": "auth", "access_token": second}))
        while (answer := json.loads(socket.recv(timeout=5)))["type"] != "auth_ok":
            pass
        assert 890 <= answer["expires_in"] <= 900, answer
        # The stream belongs to the second sign-in now: the end of the first is not its end.
        assert running.request("POST", "/v1/auth/logout", token=False, headers=first)[0] == 204
        running.call("POST", f"/v1/jobs/{job['id']}/cancel")
        assert any(json.loads(socket.recv(timeout=10))["type"] == "job:completed" for _ in range(100))
    running.request("POST", "/v1/auth/logout", token=False, headers=other)


def check_a_bad_token_in_band_ends_the_stream(running, errand):
    job = command(running, project(running), ["sleep", "60"])
    url = running.url.replace("https://", "wss://") + f"/v1/jobs/{job['id']}/stream"
    bearer = {"authorization": f"Bearer {running.token}"}
    for message in ({"type": "auth", "access_token": running.token[:-2]}, {"type": "auth"}, {"type": "auth", "access_token": 7}):
        with websockets.sync.client.connect(url, ssl=running.tls, additional_headers=bearer) as socket:
            socket.send(json.dumps(message))
            assert closed(socket) == 4401, message
    running.call("POST", f"/v1/jobs/{job['id']}/cancel")
