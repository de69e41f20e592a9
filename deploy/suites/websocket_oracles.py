"""The live stream's WebSocket beside `wsproto` and `websockets`: the same bytes, the same verdict and close code."""

import codecs
import contextlib
import json
import os
import random
import socket
import time
import urllib.parse

import websockets.protocol
import websockets.server
import websockets.sync.client
import wsproto
import wsproto.connection
import wsproto.events
import wsproto.extensions

from front_door import command, project
from websocket_cases import CASES, CLOSE, CONTINUATION, KNOWN, LIMIT, PING, PONG, PROBE, TEXT, frame, random_frames

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Wire:
    """A connection after its handshake, on which frames of the server are read."""

    def __init__(self, connection, rest):
        self.connection, self.buffer = connection, rest
        connection.settimeout(5)

    def more(self):
        try:
            piece = self.connection.recv(65536)
        except ConnectionResetError:
            raise AssertionError("the connection was reset before its close was read") from None
        self.buffer += piece
        return bool(piece)

    def take(self, count):
        while len(self.buffer) < count:
            if not self.more():
                return None
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def frames(self):
        while (head := self.take(2)) is not None:
            assert head[1] & 0x80 == 0 and head[0] & 0xF0 == 0x80, head
            length = head[1]
            if length >= 126:
                length = int.from_bytes(self.take(2 if length == 126 else 8), "big")
            yield head[0] & 15, self.take(length)


def verdict(wire, data, chance):
    """Sends the bytes in pieces and a ping behind them; tells the pongs and how it was closed, or that it is open."""
    data += frame(PING, PROBE)
    cuts = sorted(chance.randrange(len(data)) for _ in range(2))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for start, end in zip([0, *cuts], [*cuts, len(data)]):
            if start < end:
                wire.connection.sendall(data[start:end])
    pongs = []
    for opcode, payload in wire.frames():
        if opcode == PONG:
            if payload == PROBE:
                return "open", pongs
            pongs.append(payload)
        if opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big") if payload else None
            with contextlib.suppress(TimeoutError):
                assert wire.take(1) is None, "something follows the close"
            return code, pongs
    return "cut", pongs


def head(path, authority, fields):
    lines = [f"GET {path} HTTP/1.1", f"Host: {authority}", *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode()


UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", KEY)]


def answer(connection, request):
    """Sends a head and gives the status, the answer's head and the bytes behind it."""
    connection.settimeout(5)
    connection.sendall(request)
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        assert piece, got
        got += piece
    top, rest = got.split(b"\r\n\r\n", 1)
    return int(top.split(b" ")[1]), top.decode().lower(), rest


@contextlib.contextmanager
def ours(running, job, fields=()):
    """A socket to the live stream of a job, and what its handshake was answered with."""
    address = urllib.parse.urlsplit(running.url)
    request = head(f"/v1/jobs/{job}/stream", address.netloc, [*UPGRADE, ("Authorization", f"Bearer {running.token}"), *fields])
    while True:
        with socket.create_connection((address.hostname, address.port), timeout=5) as plain:
            with running.tls.wrap_socket(plain, server_hostname=address.hostname) as tls:
                status, top, rest = answer(tls, request)
                if status != 429:
                    assert status == 101, (status, top, rest)
                    yield Wire(tls, rest), top
                    return
        # One person's share of requests: wait for more of it.
        time.sleep(0.2)


def by_websockets(data):
    protocol = websockets.server.ServerProtocol(max_size=LIMIT, state=websockets.protocol.State.OPEN)
    protocol.receive_data(data + frame(PING, PROBE))
    pongs, text = [], None
    for event in protocol.events_received():
        if event.opcode == PING and event.data == PROBE:
            return "open", pongs
        if event.opcode == PING:
            pongs.append(bytes(event.data))
        if event.opcode == CLOSE:
            return (int.from_bytes(event.data[:2], "big") if event.data else None), pongs
        if event.opcode == TEXT:
            text = codecs.getincrementaldecoder("utf-8")()
        if text and event.opcode in (TEXT, CONTINUATION):
            try:
                text.decode(bytes(event.data), event.fin)
            except UnicodeDecodeError:
                # As its connections do when somebody receives the message.
                return 1007, pongs
        if event.fin and event.opcode < CLOSE:
            text = None
    return int(protocol.close_sent.code), pongs


def by_wsproto(data):
    connection = wsproto.connection.Connection(wsproto.connection.ConnectionType.SERVER)
    connection.receive_data(data + frame(PING, PROBE))
    pongs = []
    for event in connection.events():
        if isinstance(event, wsproto.events.Ping):
            if event.payload == PROBE:
                return "open", pongs
            pongs.append(bytes(event.payload))
        if isinstance(event, wsproto.events.CloseConnection):
            # It names a close without a code 1005, which is never sent.
            return None if int(event.code) == 1005 else int(event.code), pongs
    return "cut", pongs


@contextlib.contextmanager
def quiet_job(running):
    job = command(running, project(running), ["sleep", "300"], workspace="none")
    try:
        yield job["id"]
    finally:
        running.call("POST", f"/v1/jobs/{job['id']}/cancel")


def check_every_case_ends_as_with_the_oracles(running, errand):
    chance = random.Random(20261121)
    faults, compared = [], 0
    with quiet_job(running) as job:
        for name, data in CASES.items():
            with ours(running, job) as (wire, _):
                told = verdict(wire, data, chance)
            oracles = {"websockets": by_websockets(data)}
            # It bounds nothing itself.
            if "larg" not in name:
                oracles["wsproto"] = by_wsproto(data)
            for oracle, theirs in oracles.items():
                compared += 1
                if (told != theirs) != ((oracle, name) in KNOWN):
                    faults.append((name, oracle, theirs, "ours", told))
    assert not faults, faults
    assert compared > 150, compared
    return f"{len(CASES)} cases, {compared} verdicts, {len(KNOWN)} known differences between the oracles"


def check_random_frames_end_as_with_an_oracle(running, errand):
    chance = random.Random(8)
    count, faults, closed = (600 if os.environ.get("ERRAND_FULL") == "yes" else 120), [], 0
    with quiet_job(running) as job:
        for _ in range(count):
            data = random_frames(chance)
            with ours(running, job) as (wire, _):
                told = verdict(wire, data, chance)
            theirs = [by_wsproto(data), by_websockets(data)]
            closed += told[0] != "open"
            # Where they agree, so do we; where they do not, we are with one of them.
            if told not in theirs:
                faults.append((data.hex(), "ours", told, "theirs", theirs))
    assert not faults, faults[:5]
    assert 10 < closed < count - 10, closed
    return f"{count} sequences, {closed} of them closed"


def check_compression_is_offered_and_declined(running, errand):
    with quiet_job(running) as job:
        offers = ["permessage-deflate", "permessage-deflate; client_max_window_bits", "x-webkit-deflate-frame, permessage-deflate; server_no_context_takeover"]
        for offer in offers:
            with ours(running, job, [("Sec-WebSocket-Extensions", offer)]) as (wire, top):
                assert "sec-websocket-extensions" not in top, top
                # A frame marked as compressed is then as wrong as any other with a reserved bit.
                assert verdict(wire, frame(TEXT, b"hello", rsv=4), random.Random(1)) == (1002, []), offer
        url = running.url.replace("https://", "wss://") + f"/v1/jobs/{job}/stream"
        bearer = {"authorization": f"Bearer {running.token}"}
        with websockets.sync.client.connect(url, ssl=running.tls, additional_headers=bearer, compression="deflate") as peer:
            assert peer.protocol.extensions == []
            assert json.loads(peer.recv(timeout=5))["type"] == "job:state"
        deflate = wsproto.extensions.PerMessageDeflate()
        client = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        address = urllib.parse.urlsplit(url)
        request = wsproto.events.Request(
            host=address.netloc, target=address.path, extensions=[deflate], extra_headers=[(b"authorization", bearer["authorization"].encode())]
        )
        with socket.create_connection((address.hostname, address.port), timeout=5) as plain:
            with running.tls.wrap_socket(plain, server_hostname=address.hostname) as tls:
                tls.sendall(client.send(request))
                seen = []
                while not any(isinstance(event, wsproto.events.TextMessage) for event in seen):
                    client.receive_data(tls.recv(65536))
                    seen += client.events()
        assert isinstance(seen[0], wsproto.events.AcceptConnection) and not deflate.enabled(), seen
    return f"{len(offers)} offers and two libraries"


def without(name):
    return [field for field in UPGRADE if field[0] != name]


def check_a_handshake_is_taken_as_the_oracle_takes_it(running, errand):
    heads = {
        "the plain one": UPGRADE,
        "Connection as a list": [*without("Connection"), ("Connection", "keep-alive, Upgrade")],
        "Upgrade in capitals": [*without("Upgrade"), ("Upgrade", "WEBSOCKET")],
        "no key": without("Sec-WebSocket-Key"),
        "a short key": [*without("Sec-WebSocket-Key"), ("Sec-WebSocket-Key", "c2hvcnQ=")],
        "a key that is no base64": [*without("Sec-WebSocket-Key"), ("Sec-WebSocket-Key", "?" * 24)],
        "two keys": [*UPGRADE, ("Sec-WebSocket-Key", KEY)],
        "no version": without("Sec-WebSocket-Version"),
        "version 8": [*without("Sec-WebSocket-Version"), ("Sec-WebSocket-Version", "8")],
        "no Upgrade": without("Upgrade"),
        "another Upgrade": [*without("Upgrade"), ("Upgrade", "h2c")],
        "no Connection": without("Connection"),
        "another Connection": [*without("Connection"), ("Connection", "keep-alive")],
    }
    address = urllib.parse.urlsplit(running.url)
    with quiet_job(running) as job:
        path, bearer = f"/v1/jobs/{job}/stream", [("Authorization", f"Bearer {running.token}")]
        for name, fields in heads.items():
            request = head(path, address.netloc, fields + bearer)
            server = websockets.server.ServerProtocol()
            server.receive_data(request)
            events = server.events_received()
            theirs = bool(events) and server.accept(events[0]).status_code == 101
            with socket.create_connection((address.hostname, address.port), timeout=5) as plain:
                with running.tls.wrap_socket(plain, server_hostname=address.hostname) as tls:
                    status, _, rest = answer(tls, request)
            assert (status == 101) == theirs, (name, status, rest, theirs)
            assert status in (101, 400, 426), (name, status)
    return f"{len(heads)} heads"
