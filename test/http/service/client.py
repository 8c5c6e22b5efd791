"""What the parts in Python share: requests as bytes, their answers, and lines of TAP.

run sets URL and EXCHANGES (a file, in which openapi.py looks at every answer again).
"""
import json
import os
import socket
import sys
import threading
from urllib.parse import urlsplit

URL = urlsplit(os.environ["URL"])
PART = os.path.basename(sys.argv[0])


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        values = [value for key, value in self.headers if key == name]
        return values[0] if len(values) == 1 else None if not values else values

    def json(self):
        return json.loads(self.body)


class Exchanges:
    """Every request and its answer, for openapi.py.  Of what is large or no text, the head alone."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")
        self.lock = threading.Lock()

    def add(self, method, target, answer):
        text = (answer.header("content-type") or "").startswith(("application/json", "text/")) and len(answer.body) < 200000
        line = json.dumps({"part": PART, "method": method, "target": target, "status": answer.status,
                           "headers": answer.headers, "body": answer.body.decode() if text else ""})
        with self.lock:
            self.file.write(line + "\n")
            self.file.flush()


EXCHANGES = Exchanges(os.environ["EXCHANGES"])


class Connection:
    """One keep-alive connection.  The request line and the headers go out as they are given."""

    def __init__(self):
        self.socket = None

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def ask(self, method, target, body=None, headers=()):
        head = f"{method} {target} HTTP/1.1\r\nHost: {URL.netloc}\r\n".encode("latin-1", "surrogateescape")
        head += b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers)
        if body is not None:
            head += f"Content-Length: {len(body)}\r\n".encode()
        if not self.socket:
            self.socket = socket.create_connection((URL.hostname, URL.port), timeout=120)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(head + b"\r\n" + (body or b""))
        answer = self.read(method)
        EXCHANGES.add(method, target, answer)
        return answer

    def read(self, method):
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError(f"no answer: {data!r}")
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines[1:])]
        answer = Answer(int(lines[0].split(" ")[1]), headers, body)
        if method != "HEAD" and answer.status != 204:
            answer.body = self.read_body(answer)
        elif body:
            raise ConnectionError(f"a body where there is none: {body!r}")
        if (answer.header("connection") or "").lower() == "close":
            self.close()
        return answer

    def read_body(self, answer):
        body = answer.body
        if answer.header("transfer-encoding") == "chunked":
            return self.read_chunks(body)
        length = int(answer.header("content-length"))
        while len(body) < length:
            more = self.socket.recv(1 << 20)
            if not more:
                raise ConnectionError("the answer is cut short")
            body += more
        if len(body) > length:
            raise ConnectionError(f"more than one answer: {body[length:]!r}")
        return body

    def read_chunks(self, data):
        body = b""
        while True:
            while b"\r\n" not in data:
                data += self.socket.recv(65536)
            size, _, data = data.partition(b"\r\n")
            size = int(size, 16)
            while len(data) < size + 2:
                data += self.socket.recv(1 << 20)
            body, data = body + data[:size], data[size + 2:]
            if size == 0:
                return body


class Tap:
    def __init__(self):
        self.count, self.failed = 0, False

    def tell(self, passed, name, details=""):
        self.count += 1
        self.failed = self.failed or not passed
        name = "".join(c if " " <= c <= "~" and c != "#" else "?" for c in name)
        print(f"{'' if passed else 'not '}ok {self.count} - {name}", flush=True)
        if not passed:
            for line in str(details)[:1500].splitlines():
                print(f"#   {line}")

    def end(self):
        print(f"1..{self.count}")
        sys.exit(self.failed)
