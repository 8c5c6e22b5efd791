#!/usr/bin/env python3
"""Stands in for PostgREST: answers every request with a JSON description of it.

Use: echo.py PORT-OR-SOCKET.  A body of "echo-big-N" is answered with N bytes, "echo-status-N" with that status and every
header that nginx has to hide, "echo-slow-N" after N seconds, "echo-close" not at all.  GET /counts tells how many
requests came, and how many of them are not answered yet.
"""
import hashlib
import json
import os
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler

counts = {"requests": 0, "open": 0}
lock = threading.Lock()


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, body, status=200, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name == "Content-Type" for name, _ in headers):
            self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with lock:
            body = json.dumps(counts).encode()
        self.answer(body)

    def do_POST(self):
        with lock:
            counts["requests"] += 1
            counts["open"] += 1
        try:
            self.echo()
        except ConnectionError:
            self.close_connection = True
        finally:
            with lock:
                counts["open"] -= 1

    def echo(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        command, _, number = body[:40].decode("latin-1").rpartition("-")
        if command == "echo-big":
            return self.answer(b"x" * int(number), headers=[("Content-Type", "application/octet-stream")])
        if command == "echo-status":
            return self.answer(b'{"code":"BK000"}', int(number), [
                ("Content-Range", "0-1/*"), ("Proxy-Status", "PostgREST"), ("Content-Location", "/rpc/x"),
                ("Preference-Applied", "x"), ("Vary", "Prefer"), ("Location", "/backups/backup-1"), ("X-Total-Count", "7"), ("Retry-After", "0")])
        if command == "echo-slow":
            time.sleep(float(number))
        if body == b"echo-close":
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        headers = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        self.answer(json.dumps({
            "status": "ok", "method": self.command, "path": self.path, "headers": headers, "length": len(body),
            "body": body.hex() if len(body) < 65536 else None,
            "sha256": hashlib.sha256(body).hexdigest(),
            "connection": self.client_address[1] if len(self.client_address) > 1 else None}).encode())

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


class UnixEcho(Echo):
    disable_nagle_algorithm = False


class UnixServer(Server):
    address_family = socket.AF_UNIX

    def get_request(self):
        return self.socket.accept()[0], ("unix",)


where = sys.argv[1]
if where.isdigit():
    Server(("127.0.0.1", int(where)), Echo).serve_forever()
else:
    if os.path.exists(where):
        os.unlink(where)
    UnixServer(where, UnixEcho).serve_forever()
