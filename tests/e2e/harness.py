"""What every end-to-end test stands on: a davit home in a temporary folder, an app in a git repository, requests, and load.

Nothing here knows how davit works inside; it does what an operator and a developer would do. Everything that is started is stopped by
the home's own `system:stop`, and what is left then is a failure of the test.
"""
import atexit
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import engine
from ports import PortBlock

SOURCE = Path(os.environ.get("DAVIT_SOURCE_DIR", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ.get("DAVIT_BUILD_DIR", SOURCE / "build" / "release"))
DAVIT = BUILD / "bin" / "davit"
RUNTIME = os.environ.get("DAVIT_E2E_RUNTIME", "process")  # of every home: process or docker
ON_DOCKER = RUNTIME == "docker"
DEADLINE_S = 120


def wait_for(condition, what, deadline_s=30):
    """Polls a condition of another process, which we cannot await in any other way."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {deadline_s} s")


def docker_engine():
    """The engine that the tests of this run share (DAVIT_E2E_ENGINE names the file that says where), else one of this program's own."""
    shared = os.environ.get("DAVIT_E2E_ENGINE")
    if shared and os.path.exists(shared):
        return engine.Api(json.loads(Path(shared).read_text())["socket"])
    if not hasattr(docker_engine, "own"):
        docker_engine.own, end = engine.alone(DAVIT)
        atexit.register(end)
    return docker_engine.own


class Home:
    """One davit home. `user`: a normal user's uid that owns it and runs everything; None: ourselves. `prepare`: called with the empty
    folder before `davit init`. `folder`: exists; None: a new one, which everybody can pass through.
    `docker`: the engine that it uses, where the runtime is docker; None: the shared one."""

    def __init__(self, user=None, prepare=None, folder=None, docker=None, runtime=RUNTIME):
        self.folder = Path(folder or tempfile.mkdtemp(prefix="davit-e2e-"))
        if folder is None:
            self.folder.chmod(0o755)
        self.path = self.folder / "home"
        self.path.mkdir()
        self.user = user
        if user is not None:
            os.chown(self.folder, user, user)
            os.chown(self.path, user, user)
        if prepare is not None:
            prepare(self.path)
        self.ports = PortBlock()
        self.port = self.ports.next()
        self.env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(self.folder), "LANG": "C.UTF-8",
                    "DAVIT_HOME": str(self.path), "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
                    "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@localhost", "GIT_COMMITTER_NAME": "t",
                    "GIT_COMMITTER_EMAIL": "t@localhost"}
        self.engine = (docker or docker_engine()) if runtime == "docker" else None
        # DOCKER_HOST counts for `init` only, which writes it down.
        self.davit("init", "--runtime", runtime, "--http-port", str(self.port),
                   env={"DOCKER_HOST": f"unix://{self.engine.path}"} if self.engine else None)
        # The first few of the block are the tests' own servers'; the rest is the instances'.
        settings = self.path / "plugins.toml"
        text = settings.read_text().replace(
            "[host]\n", f"[host]\nport_first = {self.ports.first + 10}\nport_last = {self.ports.last}\n", 1)
        settings.write_text(engine.with_setting(text, "docker", "stack", engine.STACK) if self.engine else text)

    def run(self, argv, check=True, input=None, env=None, cwd=None, timeout=DEADLINE_S):
        """A word may be bytes."""
        def drop():
            if self.user is not None:
                os.setgroups([])
                os.setgid(self.user)
                os.setuid(self.user)
        done = subprocess.run([word if isinstance(word, bytes) else str(word) for word in argv], env={**self.env, **(env or {})},
                              cwd=cwd or self.folder, timeout=timeout,
                              stdin=subprocess.DEVNULL if input is None else None, input=input, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, preexec_fn=drop)
        done.stdout = done.stdout.decode(errors="replace")
        done.stderr = done.stderr.decode(errors="replace")
        if check and done.returncode != 0:
            raise AssertionError(f"{argv} exited {done.returncode}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}")
        return done

    def certificate(self, host, days=2):
        """The files of a certificate that signs itself, and of its key."""
        certificate, key, request = (self.folder / f"{host}.{kind}" for kind in ("crt", "key", "csr"))
        self.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={host}",
                  "-keyout", key, "-out", request])
        self.run(["openssl", "x509", "-req", "-in", request, "-signkey", key, "-days", str(days), "-out", certificate])
        return certificate, key

    def tls_port(self):
        """One of the home's own, for a while."""
        head = "[plugins.nginx.settings]\n"
        return self.settings(lambda text: text.replace(head, f"{head}tls-port = {self.ports.next()}\n", 1))

    @contextlib.contextmanager
    def settings(self, change):
        """plugins.toml with another text for a while: `change` gets the text and returns the new one."""
        file = self.path / "plugins.toml"
        before = file.read_text()
        file.write_text(change(before), errors="surrogateescape")
        try:
            yield
        finally:
            file.write_text(before)

    def install(self, plugin, path):
        """A plugin of a third party."""
        with open(self.path / "plugins.toml", "a") as settings:
            settings.write(f'\n[plugins.{plugin}]\nenabled = true\npath = "{path}"\n')

    def davit(self, *words, check=True, **options):
        return self.run([DAVIT, *words], check=check, **options)

    def json(self, *words):
        return json.loads(self.davit(*words, "--format", "json").stdout)

    def instances(self, app):
        return json.loads(self.davit("ps:inspect", app).stdout)

    def repository(self, app):
        return self.path / "repos" / f"{app}.git"

    def get(self, app, path="/", headers=None, timeout=10):
        """(status, body) through the proxy."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"Host": f"{app}.localhost", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def ask(self, app):
        """(status, body, the instance that answered or None) through the proxy."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/", headers={"Host": f"{app}.localhost"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace"), answer.getheader("X-Instance")
        finally:
            connection.close()

    def pids(self):
        """Every process whose environment, arguments or folder name this home."""
        home = f"DAVIT_HOME={self.path}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                where = os.readlink(entry / "cwd")
                ours = False
                with contextlib.suppress(PermissionError):  # a worker stands in / and names nothing else
                    ours = home in (entry / "environ").read_bytes().split(b"\0")
                if ours or str(self.path) in words or where.startswith(str(self.path)):
                    found[int(entry.name)] = words
        return found

    def workers(self, program=None):
        """pid -> words of this home's davit and davit-worker processes: they stand in no folder of it, but name it in their
        environment."""
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else [b""]
                name = os.path.basename(words[0]).decode()
                if name in ([program] if program else ["davit", "davit-worker"]):
                    if f"DAVIT_HOME={self.path}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                        found[int(entry.name)] = b" ".join(words).decode()
        return found

    def close(self):
        """Stops everything; what then still runs for this home is returned, killed, and a failure."""
        left = {}
        if (self.path / "davit.db").exists():
            self.davit("system:stop", check=False)
            with contextlib.suppress(AssertionError):
                wait_for(lambda: not self.pids(), "the end of the home's processes", 15)
            left = self.pids()
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if self.engine is not None:
            containers, _ = self.engine.of_home(self.path)
            left.update({row["Id"][:12]: row["Names"] for row in containers if row["State"] == "running"})
            self.engine.forget_home(self.path)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.ports.close()
        return left


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


class App:
    """A developer's working copy."""

    def __init__(self, home, name, example=None):
        self.home = home
        self.name = name
        self.folder = home.folder / f"work-{name}"
        if example:
            shutil.copytree(SOURCE / "examples" / "apps" / example, self.folder, symlinks=True)
        else:
            self.folder.mkdir()
        if home.user is not None:
            home_owner = home.user
            for root, folders, files in os.walk(self.folder):
                for entry in [root, *(os.path.join(root, f) for f in folders + files)]:
                    os.chown(entry, home_owner, home_owner, follow_symlinks=False)
        self.git("init", "-q", "-b", "main")

    def git(self, *words, check=True, **options):
        return self.home.run(["git", "-c", "protocol.file.allow=always", *words], check=check, cwd=self.folder, **options)

    def write(self, path, text, mode=None):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        if mode is not None:
            file.chmod(mode)
        if self.home.user is not None:
            os.chown(file, self.home.user, self.home.user)

    def commit(self, message="change"):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def push(self, check=True, refspec="HEAD:refs/heads/main", remote=None, **options):
        return self.git("push", *(options.pop("flags", [])), str(remote or self.home.repository(self.name)), refspec, check=check,
                        **options)

    def server(self, answer, extra=""):
        """A web server in Python that answers with a fixed text, and does what `extra` says at its start."""
        self.write("server.py", SERVER.replace("@ANSWER@", json.dumps(answer)).replace("@EXTRA@", extra))
        self.write("Procfile", "web: exec python3 -u server.py\n")


SERVER = '''
import http.server, os, signal, socket, socketserver, sys, time
@EXTRA@
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def setup(self):
        super().setup()
        connected.add(self.connection)
    def finish(self):
        connected.discard(self.connection)
        super().finish()
    def do_GET(self):
        if self.headers.get("Upgrade"):
            return self.echo()
        if self.path.startswith("/slow"):
            time.sleep(float(self.path.split("=")[1]))
        body = (@ANSWER@ + "\\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Instance", os.environ.get("DAVIT_INSTANCE", ""))
        self.end_headers()
        self.wfile.write(body)
    def echo(self):
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers["Upgrade"])
        self.end_headers()
        upgraded.append(self.connection)
        for line in self.rfile:
            self.wfile.write(os.environ.get("DAVIT_INSTANCE", "").encode() + b" " + line)
        self.close_connection = True
    def log_message(self, *args):
        pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = False
    request_queue_size = 512
connected, upgraded = set(), []
server = Server(("0.0.0.0", int(os.environ["PORT"])), Handler)
def stop(*_):
    import threading
    threading.Thread(target=server.shutdown).start()
    for connection in [*connected]:  # a request that is here is answered; the proxy's idle connections are not waited for
        try:
            connection.shutdown(socket.SHUT_RDWR if connection in upgraded else socket.SHUT_RD)
        except OSError:
            pass
signal.signal(signal.SIGTERM, stop)
print("listening", flush=True)
server.serve_forever(0.05)
server.server_close()
'''


class Upgraded:
    """A connection that has stopped to be HTTP, as a websocket's does: an instance sends each line back, with its name before it."""

    def __init__(self, home, app):
        self.socket = socket.create_connection(("127.0.0.1", home.port), timeout=DEADLINE_S)
        self.socket.sendall(f"GET / HTTP/1.1\r\nHost: {app}.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".encode())
        self.lines = self.socket.makefile("rb")
        head = list(iter(lambda: self.lines.readline().strip(), b""))
        if not head or b" 101 " not in head[0]:
            raise AssertionError(f"no upgrade: {head}")

    def echo(self):
        """Which instance is at the other end."""
        self.socket.sendall(b"hello\n")
        return self.lines.readline().split()[0].decode()

    def wait_for_end(self):
        while self.lines.readline():
            pass
        self.close()

    def close(self):
        self.lines.close()
        self.socket.close()


class Load:
    """Constant requests from a few threads, until stopped; counts what came back. `keep_alive`: one connection a thread. `rate`: of all
    threads together, a second, as far as the machine can; None: each begins its next request 2 ms after the last."""

    def __init__(self, home, app, threads=4, keep_alive=True, rate=None):
        self.home, self.app, self.keep_alive = home, app, keep_alive
        self.interval_s = threads / rate if rate else None
        self.good, self.bad, self.answers = 0, [], {}
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.work) for _ in range(threads)]

    def __enter__(self):
        self.begin = time.monotonic()
        for thread in self.threads:
            thread.start()
        wait_for(lambda: self.sent() > 20, "the load's first answers")
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def sent(self):
        return self.good + len(self.bad)

    def due(self):
        """How many should have been sent by now, at the rate. The threads keep to its times: what is late is sent without a pause."""
        return int((time.monotonic() - self.begin) / self.interval_s) * len(self.threads)

    def per_second(self):
        return self.sent() / (time.monotonic() - self.begin)

    def pause(self, number):
        """After the request of this number, counted from 1: until the next one's time."""
        if self.interval_s is None:
            time.sleep(0.002)
        else:
            self.over.wait(max(0, self.begin + number * self.interval_s - time.monotonic()))

    def work(self):
        connection = None
        number = 0
        while not self.over.is_set():
            number += 1
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.home.port, timeout=20)
                connection.request("GET", "/", headers={"Host": f"{self.app}.localhost",
                                                        **({} if self.keep_alive else {"Connection": "close"})})
                answer = connection.getresponse()
                body = answer.read().decode(errors="replace").strip()
                with self.lock:
                    if answer.status == 200:
                        self.good += 1
                        self.answers[body] = self.answers.get(body, 0) + 1
                    else:
                        self.bad.append(f"{answer.status} {body[:80]}")
                if not self.keep_alive or answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                with self.lock:
                    self.bad.append(repr(error))
                if connection is not None:
                    connection.close()
                connection = None
            self.pause(number)
        if connection is not None:
            connection.close()


class HomeTest(unittest.TestCase):
    """A home for all tests of the class."""

    user = None
    prepare = None  # a function of the empty folder that becomes the home

    @classmethod
    def setUpClass(cls):
        if not DAVIT.exists():
            raise AssertionError(f"{DAVIT} is not built")
        cls.home = Home(cls.user, cls.prepare)

    @classmethod
    def tearDownClass(cls):
        left = cls.home.close()
        if left:
            raise AssertionError(f"still running after system:stop: {left}")

    def app(self, name, example=None):
        self.home.davit("apps:create", name)
        return App(self.home, name, example)

    def deployed(self, name, answer="one", extra=""):
        app = self.app(name)
        app.server(answer, extra)
        app.commit()
        app.push()
        status, body = self.home.get(name)
        self.assertEqual((200, answer), (status, body.strip()))
        return app

    def assert_answers(self, name, text):
        status, body = self.home.get(name)
        self.assertEqual((200, text), (status, body.strip()))

    def assert_exit(self, code, done, *words):
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stdout + done.stderr)


main = unittest.main
