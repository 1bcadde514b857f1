"""A socket that stands between davit and the tests' engine, and makes of it one of another API version, a slow one, or one that is silent."""
import contextlib
import json
import re
import select
import socket
import threading

REQUEST = re.compile(r"(?P<method>[A-Z]+) (?:/v(?P<version>\d+\.\d+))?(?P<path>/\S*) HTTP/1\.1\r\n")


def numbers(version):
    return tuple(int(part) for part in version.split("."))


class EngineProxy:
    """Davit asks each request on a connection of its own: the request is looked at, and the rest of the connection passed on as it is.

    `versions`: (oldest, newest) that this engine says it speaks; others are refused in an engine's words. Where the engine behind knows
    less than what was asked for, it is asked in the newest that it knows. `delay_s`: waited before each request. `silent`: a request
    whose "METHOD /path" matches is never answered; `late`: one that waits for `go`. `info`: what it says of itself in other words."""

    def __init__(self, api, path, versions=None, delay_s=0, silent=None, late=None, info=None):
        self.api, self.path, self.versions, self.delay_s, self.info = api, str(path), versions, delay_s, info
        self.silent, self.late, self.go = silent, late, threading.Event()
        self.known = api.ask("GET", "/version")["ApiVersion"]
        self.asked, self.refused, self.held = [], [], []
        self.over = threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.go.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                asker, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(asker,), daemon=True).start()

    def serve(self, asker):
        with asker, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                more = asker.recv(65536)
                if not more:
                    return
                head += more
            line, rest = head.split(b"\r\n", 1)
            request = REQUEST.fullmatch(line.decode() + "\r\n")
            what = f"{request['method']} {request['path']}"
            self.asked.append(what)
            self.over.wait(self.delay_s)
            if self.late and re.match(self.late, what):
                self.held.append(what)
                self.go.wait()
            if self.silent and re.match(self.silent, what):
                self.held.append(what)
                select.select([asker], [], [])  # until davit no longer waits
            elif request["path"] == "/version" and self.versions:
                oldest, newest = self.versions
                self.answer(asker, "200 OK", {**self.api.ask("GET", "/version"), "MinAPIVersion": oldest, "ApiVersion": newest})
            elif request["path"] == "/info" and self.info:
                self.answer(asker, "200 OK", {**self.api.ask("GET", "/info"), **self.info})
            elif problem := self.problem_of(request["version"]):
                self.refused.append(what)
                self.answer(asker, "400 Bad Request", {"message": problem})
            else:
                version = min(request["version"] or self.known, self.known, key=numbers)
                self.pass_on(asker, f"{request['method']} /v{version}{request['path']} HTTP/1.1\r\n".encode() + rest)

    def problem_of(self, version):
        if not self.versions or not version:
            return None
        oldest, newest = self.versions
        if numbers(version) > numbers(newest):
            return f"client version {version} is too new. Maximum supported API version is {newest}"
        if numbers(version) < numbers(oldest):
            return f"client version {version} is too old. Minimum supported API version is {oldest}"
        return None

    @staticmethod
    def answer(asker, status, body):
        text = json.dumps(body)
        asker.sendall(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())

    def pass_on(self, asker, begin):
        """Bytes both ways, and the end of each way when it comes."""
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.api.path)
            engine.sendall(begin)
            other = {asker: engine, engine: asker}
            open_ways = {asker, engine}
            while open_ways:
                for one in select.select(list(open_ways), [], [])[0]:
                    data = one.recv(65536)
                    if data:
                        other[one].sendall(data)
                    elif one is engine:
                        return
                    else:
                        open_ways.discard(one)
                        engine.shutdown(socket.SHUT_WR)
