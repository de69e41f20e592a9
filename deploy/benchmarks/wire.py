"""Blocking TLS connections, and as much of WebSocket as listening takes: a client whose own share of a time is small."""

import base64
import json
import socket
import ssl
import struct
import urllib.parse


class Wire:
    """One connection, open before anything is measured on it."""

    def __init__(self, url, tls, token):
        address = urllib.parse.urlsplit(url)
        plain = socket.create_connection((address.hostname, address.port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = tls.wrap_socket(plain, server_hostname=address.hostname)
        self.host, self.token, self.kept = address.netloc, token, b""

    def close(self):
        self.socket.close()

    def post(self, path, body):
        """Sends a request with JSON and gives the answer's JSON."""
        text = json.dumps(body).encode()
        self.send(f"POST {path}", f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n", text)
        status, fields = self.head()
        assert status in (200, 201, 202), status
        return json.loads(self.take(int(fields["content-length"])))

    def upgrade(self, path):
        key = base64.b64encode(b"sixteen bytes ok").decode()
        fields = f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        self.send(f"GET {path}", fields, b"")
        status, _ = self.head()
        assert status == 101, status

    def frame(self):
        """The next text frame; None when the server closes."""
        while True:
            first, length = self.take(2)
            if length == 126:
                length = struct.unpack(">H", self.take(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self.take(8))[0]
            data = self.take(length)
            if first & 15 == 8:
                return None
            if first & 15 == 1:
                return data

    def send(self, line, fields, body):
        head = f"{line} HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {self.token}\r\n{fields}\r\n"
        self.socket.sendall(head.encode() + body)

    def head(self):
        while b"\r\n\r\n" not in self.kept:
            self.fill()
        head, self.kept = self.kept.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:])

    def take(self, count):
        while len(self.kept) < count:
            self.fill()
        taken, self.kept = self.kept[:count], self.kept[count:]
        return taken

    def fill(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise ssl.SSLEOFError("the server closed the connection")
        self.kept += data
