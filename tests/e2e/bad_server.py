"""A web server on loopback that answers badly on purpose.

GET /FAULT/NAME: the first `faults` answers for NAME have the fault, the next ones are good. Faults: reset, cut, stall, empty, a status such as 503; slow answers
well each time, but takes `slow_s`. /good has an ETag, /dated a Last-Modified, /plain neither; /missing is 404; /nostore says no-store; /cookie
sets one. The body of NAME is always the same.
"""
import hashlib
import http.server
import random
import socket
import struct
import threading

SIZE = 200_000


def body_of(name):
    return random.Random(name).randbytes(SIZE)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.split("?")[0]
        _, fault, name = (path.split("/", 2) + ["", ""])[:3]
        server = self.server.owner
        with server.lock:
            seen = server.seen[path] = server.seen.get(path, 0) + 1
            server.requests.append((path, dict(self.headers)))
        body = body_of(name) if server.bodies is None else server.bodies(name)
        bad = seen <= server.faults
        if fault == "missing":
            return self.reply(404, b"nothing here\n")
        if fault.isdigit() and bad:
            return self.reply(int(fault), b"busy\n")
        if fault == "empty" and bad:
            return self.hang_up()
        if fault in ("reset", "cut", "stall") and bad:
            self.start(200, len(body))
            self.wfile.write(body[:len(body) // 2])
            self.wfile.flush()
            if fault == "stall":
                server.over.wait(60)
            return self.hang_up(reset=fault == "reset")
        if fault == "slow":
            self.start(200, len(body))
            for part in range(10):
                self.wfile.write(body[part * len(body) // 10:(part + 1) * len(body) // 10])
                self.wfile.flush()
                server.over.wait(server.slow_s / 10)
            return None
        tag = {"good": ("ETag", f'"{hashlib.sha256(body).hexdigest()[:8]}"', "If-None-Match"),
               "dated": ("Last-Modified", "Sat, 28 Nov 2026 10:00:00 GMT", "If-Modified-Since")}.get(fault)
        more = {"nostore": [("Cache-Control", "no-store")], "cookie": [("Set-Cookie", "a=b")]}.get(fault, [])
        if tag:
            more = [tag[:2]]
            if self.headers.get(tag[2]) == tag[1]:
                with server.lock:
                    server.not_modified += 1
                return self.reply(304, b"", more)
        return self.reply(200, body, more)

    def start(self, status, size, more=()):
        self.send_response(status)
        self.send_header("Content-Length", str(size))
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()

    def reply(self, status, body, more=()):
        self.start(status, len(body), more)
        self.wfile.write(body)

    def hang_up(self, reset=False):
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *args):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args):
        pass  # clients hang up here, as they should


class BadServer:
    """Serves from its making to close(). `bodies`: name -> bytes, instead of body_of."""

    def __init__(self, port, faults=2, slow_s=1.5, bodies=None, host="127.0.0.1"):
        self.port, self.faults, self.slow_s, self.bodies, self.host = port, faults, slow_s, bodies, host
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.seen, self.requests, self.not_modified = {}, [], 0
        self.http = Quiet((host, port), Handler)
        self.http.owner = self
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def url(self, path):
        return f"http://{self.host}:{self.port}/{path}"

    def close(self):
        self.over.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()
