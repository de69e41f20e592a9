"""Frames for the WebSocket oracles, right and wrong, each with a name; and those on which the oracles disagree."""

import struct

# The largest message that a viewer may send; see StreamJob.swift.
LIMIT = 16 << 10
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
PROBE = b"still there?"


def frame(opcode, payload=b"", fin=True, rsv=0, mask=b"\x01\x02\x03\x04", length=None):
    """One frame; `length` chooses a longer form of the length than the payload needs."""
    form = length or (7 if len(payload) < 126 else 16 if len(payload) < 65536 else 64)
    bit = 0x80 if mask else 0
    size = {
        7: lambda: bytes([bit | len(payload)]),
        16: lambda: bytes([bit | 126]) + struct.pack("!H", len(payload)),
        64: lambda: bytes([bit | 127]) + struct.pack("!Q", len(payload)),
    }[form]()
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode]) + size
    if not mask:
        return head + payload
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def closing(code, reason=b""):
    return frame(CLOSE, struct.pack("!H", code) + reason)


CODES = [0, 1, 999, *range(1000, 1017), 1100, 2000, 2999, 3000, 3999, 4000, 4401, 4999, 5000, 65535]

CASES = {
    "a text": frame(TEXT, b"hello"),
    "a text that is no message of ours": frame(TEXT, b'{"type":"dance"}'),
    "an empty text": frame(TEXT),
    "a binary": frame(BINARY, bytes(range(256))),
    "a text in three fragments": frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b", fin=False) + frame(CONTINUATION, b"c"),
    "empty fragments": frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) + frame(CONTINUATION),
    "a character cut by fragments": frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"\x82", fin=False) + frame(CONTINUATION, b"\xac"),
    "a ping inside fragments": frame(TEXT, b"a", fin=False) + frame(PING, b"now") + frame(CONTINUATION, b"b"),
    "a pong inside fragments": frame(TEXT, b"a", fin=False) + frame(PONG, b"now") + frame(CONTINUATION, b"b"),
    "a close inside fragments": frame(TEXT, b"a", fin=False) + closing(1000),
    "a text inside fragments": frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
    "a binary inside a text's fragments": frame(TEXT, b"a", fin=False) + frame(BINARY, b"b"),
    "a continuation of nothing": frame(CONTINUATION, b"a"),
    "a continuation after the end": frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b") + frame(CONTINUATION, b"c"),
    "many pings": b"".join(frame(PING, b"%d" % n) for n in range(10)),
    "a ping of 125 bytes": frame(PING, b"x" * 125),
    "a ping of 126 bytes": frame(PING, b"x" * 126),
    "a ping with a long length": frame(PING, b"x", length=16),
    "a ping in fragments": frame(PING, b"a", fin=False) + frame(CONTINUATION, b"b"),
    "a close in fragments": frame(CLOSE, struct.pack("!H", 1000), fin=False) + frame(CONTINUATION),
    "an unmasked text": frame(TEXT, b"hello", mask=b""),
    "an unmasked ping": frame(PING, b"hello", mask=b""),
    "an unmasked close": frame(CLOSE, struct.pack("!H", 1000), mask=b""),
    "a mask of zeros": frame(TEXT, b"hello", mask=b"\0\0\0\0"),
    **{f"reserved bits {rsv} on a text": frame(TEXT, b"hello", rsv=rsv) for rsv in range(1, 8)},
    "a reserved bit on a ping": frame(PING, b"hello", rsv=4),
    "a reserved bit on a continuation": frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b", rsv=4),
    **{f"opcode {opcode}": frame(opcode, b"a") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "a short length in two bytes": frame(TEXT, b"hello", length=16),
    "a short length in eight bytes": frame(TEXT, b"hello", length=64),
    "a length with the highest bit": b"\x82\xff\x80" + b"\0" * 7 + b"\1\2\3\4",
    "a message of the largest size": frame(BINARY, b"x" * LIMIT),
    "a message one byte larger": frame(BINARY, b"x" * (LIMIT + 1)),
    "a message much larger": frame(BINARY, b"x" * 300_000),
    "fragments of the largest size": frame(BINARY, b"x" * (LIMIT - 1), fin=False) + frame(CONTINUATION, b"x"),
    "fragments one byte larger": frame(BINARY, b"x" * LIMIT, fin=False) + frame(CONTINUATION, b"x"),
    "text that is no UTF-8": frame(TEXT, b"a\xff"),
    "text with an overlong slash": frame(TEXT, b"\xc0\xaf"),
    "text with a surrogate": frame(TEXT, b"\xed\xa0\x80"),
    "text beyond Unicode": frame(TEXT, b"\xf4\x90\x80\x80"),
    "text that ends inside a character": frame(TEXT, b"\xe2\x82"),
    "fragments that end inside a character": frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"\x82"),
    "bytes that are no UTF-8": frame(BINARY, b"a\xff"),
    "a close without a code": frame(CLOSE),
    "a close of one byte": frame(CLOSE, b"\x03"),
    "a close with a reason": closing(1000, "tschüß".encode()),
    "a close with a long reason": closing(1000, b"x" * 123),
    "a close whose reason is no UTF-8": closing(1000, b"\xff"),
    "a text after the close": closing(1000) + frame(TEXT, b"late"),
    **{f"a close with {code}": closing(code) for code in CODES},
}

# Where the oracles differ from each other, ours is with the other one, for this reason.
KNOWN = {
    ("websockets", "a close inside fragments"): "RFC 6455, 5.4 lets control frames come between fragments, a close too",
    ("websockets", "a short length in two bytes"): "RFC 6455, 5.2 demands the shortest form, which it does not check",
    ("websockets", "a short length in eight bytes"): "the same",
    ("websockets", "a ping with a long length"): "the same",
    ("websockets", "a length with the highest bit"): "it finds the message too big before it finds the length malformed",
    ("wsproto", "a close with 1014"): "it knows the codes up to 1013 only; 1014 is registered since",
}


def random_frames(chance):
    """A few frames, most of them good, some with one thing wrong."""
    data = b""
    for _ in range(chance.randint(1, 5)):
        opcode = chance.choice([TEXT, TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE])
        payload = chance.randbytes(chance.choice([0, 1, 2, 5, 125])) if opcode != TEXT else b"x" * chance.choice([0, 3, 126, 700])
        if opcode == CLOSE and chance.random() < 0.7:
            payload = struct.pack("!H", chance.choice([1000, 1001, 1008, 3000, 4000])) + b"bye"
        fin = opcode >= 8 or chance.random() < 0.6
        one = bytearray(frame(opcode, payload, fin=fin, mask=chance.randbytes(4)))
        if chance.random() < 0.15:
            one[0] ^= 1 << chance.randrange(8)
        data += bytes(one)
    return data
