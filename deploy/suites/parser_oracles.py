"""The HTTP/1.1 parser beside h11 and httptools: what an oracle refuses we refuse, and bodies have the same length."""

import json
import random
import subprocess

import h11
import httptools

HOST = b"Host: a\r\n"
SEEDS = [
    b"GET / HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /a?b=c HTTP/1.1\r\n" + HOST + b"Accept: */*\r\nConnection: keep-alive\r\n\r\n",
    b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello",
    b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
    b"PUT /y HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n",
]
ODDITIES = [b"\r", b"\n", b" ", b"\t", b"\0", b":", b";", b",", b"\x7f", b"\xff", b"+", b"-", b"0x", b"chunked", b"\r\n", b"\r\n ", b"\x0b"]


def mutations(count):
    chance = random.Random(20261121)
    for _ in range(count):
        data = bytearray(chance.choice(SEEDS))
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(data) + 1)
            kind = chance.random()
            if kind < 0.4:
                data[place:place] = chance.choice(ODDITIES)
            elif kind < 0.6 and place < len(data):
                del data[place]
            elif kind < 0.8 and place < len(data):
                data[place] = chance.randrange(256)
            else:
                line = chance.choice([b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", HOST, b"Content-Length:5\r\n", b"X: y\r\n"])
                end = data.find(b"\r\n") + 2
                data[end:end] = line
        yield bytes(data)


class Heads:
    """Counts requests and body bytes as httptools sees them."""

    def __init__(self):
        self.bodies, self.complete = [], 0

    def on_message_begin(self):
        self.bodies.append(0)

    def on_body(self, body):
        self.bodies[-1] += len(body)

    def on_message_complete(self):
        self.complete += 1


def by_httptools(data):
    heads = Heads()
    parser = httptools.HttpRequestParser(heads)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        return None
    except httptools.HttpParserError:
        # What follows a whole first message is another message's affair.
        return heads.bodies[0] if heads.complete else "refused"
    return heads.bodies[0] if heads.complete else None


def by_h11(data):
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    body = 0
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return None
            if isinstance(event, h11.Data):
                body += len(event.data)
            if isinstance(event, h11.EndOfMessage):
                return body
    except h11.RemoteProtocolError:
        return "refused"


def check_we_accept_nothing_that_an_oracle_refuses(running, errand):
    inputs = list(mutations(20000))
    done = subprocess.run(
        [errand, "probe-http"], input="\n".join(data.hex() for data in inputs), capture_output=True, text=True, timeout=300
    )
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(verdicts) == len(inputs), (len(verdicts), done.stderr[-500:])
    accepted = faults = 0
    stories = []
    for data, verdict in zip(inputs, verdicts):
        if verdict.get("body") is None:
            continue
        accepted += 1
        for name, oracle in (("h11", by_h11), ("httptools", by_httptools)):
            theirs = oracle(data)
            if theirs is None or theirs == verdict["body"]:
                continue
            if known(name, data, theirs):
                continue
            faults += 1
            stories.append((name, data, theirs, verdict))
    assert accepted > 1000, accepted
    assert not faults, (faults, stories[:5])
    return f"{len(inputs)} inputs, {accepted} accepted by all three"


def known(name, data, theirs):
    """Differences that are theirs, each with its reason."""
    # llhttp knows only the methods it was built with; ours is any token up to 16 bytes (RFC 9110, 9.1).
    method = data.split(b" ", 1)[0]
    return name == "httptools" and theirs == "refused" and method not in (b"GET", b"POST", b"PUT")
