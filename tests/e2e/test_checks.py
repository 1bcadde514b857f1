"""What an app says of itself in app.json: checks at the start and later, formation, scripts, variables; and in which order old and
new instances change places.
"""
import http.client
import json
import os
import signal
import socket
import threading

import harness

SERVER = '''
import http.server, os, signal, socket, socketserver, sys, threading
@EXTRA@
state = {"ready": 200, "live": 200, "up": 200}
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        words = self.path.strip("/").split("/")
        if words[0] == "set":
            state[words[1]] = int(words[2])
        body = (os.environ.get("DAVIT_INSTANCE", "?") + " " + os.environ.get("GREETING", "") + "\\n").encode()
        self.send_response(state.get(words[0], 200))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    request_queue_size = 512
server = Server(("0.0.0.0", int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
server.server_close()
'''


class OnlyOne:
    """A server of the test's that takes one connection at a time: an instance that holds one is known to run alone."""

    # The machine as a container sees it, or loopback.
    CLIENT = '''
host = "127.0.0.1"
for line in open("/proc/net/route").read().splitlines()[1:]:
    if %(container)r and line.split()[1] == "00000000":
        host = socket.inet_ntoa(bytes.fromhex(line.split()[2])[::-1])
alone = socket.create_connection((host, %(port)d))
if alone.recv(1) != b"y":
    sys.exit("another one runs")
'''

    def __init__(self, port):
        self.port, self.holder = port, None
        self.listener = socket.create_server(("0.0.0.0", port))
        threading.Thread(target=self.serve, daemon=True).start()

    def client(self):
        return self.CLIENT % {"container": harness.ON_DOCKER, "port": self.port}

    def serve(self):
        while True:
            try:
                asker, _ = self.listener.accept()
            except OSError:
                return
            if self.holder is not None and self.is_held():
                asker.sendall(b"n")
                asker.close()
            else:
                self.holder = asker
                asker.sendall(b"y")

    def is_held(self):
        try:
            return self.holder.recv(1, socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class ChecksTest(harness.HomeTest):
    def manifest_app(self, name, manifest, extra="", procfile="web: exec python3 -u server.py\n"):
        app = self.app(name)
        app.write("server.py", SERVER.replace("@EXTRA@", extra))
        app.write("Procfile", procfile)
        self.write_manifest(app, manifest)
        return app

    def write_manifest(self, app, manifest):
        app.write("app.json", manifest if isinstance(manifest, str) else json.dumps(manifest))
        app.commit()

    def web(self, app, number):
        return next(i for i in self.home.instances(app.name) if i["type"] == "web" and i["number"] == number and i["role"] == "live")

    def tell(self, app, number, what, status):
        """Changes how one instance answers from now on."""
        host, port = self.web(app, number)["endpoints"][0].split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        try:
            connection.request("GET", f"/set/{what}/{status}")
            connection.getresponse().read()
        finally:
            connection.close()

    def who_answers(self, app, requests=12):
        return {self.home.get(app.name)[1].split()[0].split(".", 2)[2] for _ in range(requests)}

    def report(self, app):
        return self.home.json("checks:report", app.name)

    def watcher(self, app):
        """The pid of the app's health watch, if there is one."""
        for pid, words in self.home.pids().items():
            if "davit-worker health " + app.name + " " in words:
                return pid
        return None


class Watched(ChecksTest):
    READINESS = {"healthchecks": {"web": [{"type": "readiness", "path": "/ready", "wait": 0.2, "attempts": 2, "timeout": 2}]},
                 "formation": {"web": {"quantity": 2}}}
    LIVENESS = {"healthchecks": {"web": [{"type": "liveness", "path": "/live", "wait": 0.2, "attempts": 2, "timeout": 2}]},
                "formation": {"web": {"quantity": 2}}}

    def test_readiness_takes_an_instance_out_and_brings_it_back(self):
        app = self.manifest_app("ready", self.READINESS)
        app.push()
        self.assertEqual({"web.1", "web.2"}, self.who_answers(app))
        with harness.Load(self.home, app.name) as load:
            self.tell(app, 2, "ready", 503)
            harness.wait_for(lambda: self.who_answers(app) == {"web.1"}, "the end of requests to web.2")
            self.assertIn("not ready", self.report(app)["health-web-2"])
            self.assertIn("no requests", self.home.davit("ps:report", app.name).stdout)
            os.kill(self.watcher(app), signal.SIGKILL)
            self.assertEqual({"web.1"}, self.who_answers(app))
            self.tell(app, 2, "ready", 200)
            harness.wait_for(lambda: self.who_answers(app) == {"web.1", "web.2"}, "web.2 in the routes again")
        self.assertEqual([], load.bad[:5])
        self.tell(app, 1, "ready", 503)
        self.tell(app, 2, "ready", 503)
        harness.wait_for(lambda: self.report(app).get("health-web-1", "").startswith("not ready") and
                         self.report(app)["health-web-2"].startswith("not ready"), "both to be found unready")
        self.assertEqual({"web.1", "web.2"}, self.who_answers(app))

    def test_liveness_starts_one_instance_again(self):
        app = self.manifest_app("live", self.LIVENESS)
        app.push()
        harness.wait_for(lambda: self.watcher(app), "the health watch")
        before = {i["number"]: i["pid"] for i in self.home.instances(app.name)}
        with harness.Load(self.home, app.name) as load:
            self.tell(app, 2, "live", 500)
            harness.wait_for(lambda: self.web(app, 2)["pid"] not in (0, before[2]), "web.2 to be started again", 60)
            harness.wait_for(lambda: self.who_answers(app) == {"web.1", "web.2"}, "web.2 in the routes again")
        self.assertEqual([], load.bad[:5])
        self.assertEqual(before[1], self.web(app, 1)["pid"])
        self.assertIn("started again 1 times", self.report(app)["health-web-2"])
        self.assertIn("instance=web.2 is started again", (self.home.path / "logs" / "davit.log").read_text())

    def test_the_watch_goes_and_comes_with_what_it_watches(self):
        app = self.manifest_app("comes", self.READINESS)
        app.push()
        first = harness.wait_for(lambda: self.watcher(app), "the health watch")
        self.assertEqual("true", self.report(app)["watched"])
        self.home.davit("ps:restart", app.name)
        harness.wait_for(lambda: self.watcher(app) not in (None, first), "the watch of the new revision")
        self.home.davit("ps:stop", app.name)
        harness.wait_for(lambda: not self.watcher(app), "the end of the watch")
        self.home.davit("ps:start", app.name)
        harness.wait_for(lambda: self.watcher(app), "the watch after ps:start")
        self.home.davit("system:stop")
        self.assertIsNone(self.watcher(app))
        self.home.davit("system:start")
        harness.wait_for(lambda: self.watcher(app), "the watch after system:start")
        self.write_manifest(app, {})
        app.push()
        harness.wait_for(lambda: not self.watcher(app), "the end of the watch of an app without such checks")
        self.assertFalse((self.home.path / "run" / "s6" / "units" / "health.comes").exists())

    def test_a_deploy_is_not_held_up_by_the_watch(self):
        app = self.manifest_app("both", self.READINESS)
        app.push()
        self.tell(app, 2, "ready", 503)
        with harness.Load(self.home, app.name) as load:
            for _ in range(3):
                self.home.davit("ps:restart", app.name)
        self.assertEqual([], load.bad[:5])
        self.assertEqual({"web.1", "web.2"}, self.who_answers(app))


class Manifest(ChecksTest):
    def test_checks_run(self):
        app = self.manifest_app("asked", {"healthchecks": {"web": [{"name": "it is up", "path": "/up", "attempts": 1}]},
                                          "formation": {"web": {"quantity": 2}}})
        app.push()
        good = self.home.davit("checks:run", app.name)
        self.assertIn("asked.web.2", good.stdout + good.stderr)
        self.assertIn("it is up: good, GET /up answered 200", good.stdout + good.stderr)
        self.tell(app, 2, "up", 503)
        self.assert_exit(1, self.home.davit("checks:run", app.name, check=False), "GET /up answered 503", "1 of 2 instances")
        self.assert_exit(0, self.home.davit("checks:run", app.name, "web.1", check=False))
        self.assert_exit(1, self.home.davit("checks:run", app.name, "nope", check=False), "Invalid process type specified (asked.nope)")
        self.assert_exit(1, self.home.davit("checks:run", app.name, "web.3", check=False), "Invalid container id specified")
        self.home.davit("ps:stop", app.name)
        self.assert_exit(1, self.home.davit("checks:run", app.name, check=False), "Nothing of asked runs", "davit ps:start asked")

    def test_a_broken_one_is_refused_before_the_build(self):
        app = self.manifest_app("broken", {})
        app.push()
        for manifest, says in (("{", "not a JSON object"), ("[]", "not a JSON object"),
                               ({"healthchecks": {"web": {}}}, "healthchecks.web must be a list"),
                               ({"healthchecks": {"web": [{"path": "up"}]}}, "healthchecks.web[0].path must be"),
                               ({"healthchecks": {"web": [{"path": "/", "atempts": 1}]}}, "Did you mean attempts?"),
                               ({"healthchecks": {"web": [{"path": "/", "timeout": "5"}]}}, "timeout must be a number of seconds"),
                               ({"formation": {"web": {"quantity": -1}}}, "formation.web.quantity must be"),
                               ({"formation": {"web": {"max_parallel": 0}}}, "formation.web.max_parallel must be"),
                               ({"scripts": {"dokku": {"predeploy": ["a"]}}}, "scripts.dokku.predeploy must be a text"),
                               ({"env": {"A": {"generator": "uuid"}}}, "env.A.generator must be secret"),
                               ({"env": {"API_KEY": {"description": "ask Ada"}}}, "env.API_KEY (ask Ada)")):
            self.write_manifest(app, manifest)
            pushed = app.push(check=False)
            self.assertNotEqual(0, pushed.returncode)
            self.assertIn(says, pushed.stderr)
            self.assertNotIn("Building", pushed.stderr)
        self.assertEqual(200, self.home.get(app.name)[0])

    def test_formation(self):
        app = self.manifest_app("formed", {"formation": {"web": {"quantity": 2, "max_parallel": 1}, "worker": {"quantity": 1}}},
                                procfile="web: exec python3 -u server.py\nworker: exec sleep 1000\nclock: exec sleep 1000\n")
        self.home.davit("ps:scale", app.name, "clock=1")
        pushed = app.push()
        self.assertIn("Waiting until web is healthy, 1 of 2", pushed.stderr)
        kinds = sorted(f"{i['type']}.{i['number']}" for i in self.home.instances(app.name))
        self.assertEqual(["web.1", "web.2", "worker.1"], kinds)
        self.assert_exit(1, self.home.davit("ps:scale", app.name, "web=3", check=False), "cannot be manually scaled")
        self.assertEqual("false", self.home.json("ps:report", app.name)["can-scale"])
        self.write_manifest(app, {"formation": {"web": {"quantity": 0}}})
        app.push()
        self.assertEqual(503, self.home.get(app.name)[0])
        self.write_manifest(app, {})
        app.push()
        self.home.davit("ps:scale", app.name, "web=1")
        self.assertEqual(200, self.home.get(app.name)[0])

    def test_scripts_and_variables(self):
        app = self.manifest_app("scripted", {
            "scripts": {"dokku": {"predeploy": "echo before $GREETING; test -f server.py", "postdeploy": "echo after; exit 3"},
                        "postdeploy": "echo the first time"},
            "env": {"GREETING": "hello", "KEY": {"generator": "secret"}}})
        pushed = app.push().stderr
        for words in ("before hello", "after", "postdeploy script failed: it exited with 3", "the first time"):
            self.assertIn(words, pushed)
        self.assertIn("hello", self.home.get(app.name)[1])
        key = self.home.davit("config:get", app.name, "KEY").stdout.strip()
        self.assertEqual(64, len(key))
        self.write_manifest(app, {"scripts": {"dokku": {"predeploy": "echo no; exit 9"}}, "env": {"KEY": {"generator": "secret"}}})
        pushed = app.push(check=False)
        self.assertNotEqual(0, pushed.returncode)
        self.assertIn("The predeploy script exited with 9", pushed.stderr)
        self.assertIn("hello", self.home.get(app.name)[1])
        self.assertEqual(key, self.home.davit("config:get", app.name, "KEY").stdout.strip())

    def test_app_json_elsewhere(self):
        app = self.manifest_app("else", "not to be read")
        self.home.davit("app-json:set", app.name, "appjson-path", "deploy/app.json")
        app.write("deploy/app.json", json.dumps({"env": {"GREETING": "from elsewhere"}}))
        app.commit()
        app.push()
        self.assertIn("from elsewhere", self.home.get(app.name)[1])

    def only_one(self):
        server = OnlyOne(self.home.ports.next())
        self.addCleanup(server.close)
        return server

    def test_what_must_not_run_twice(self):
        app = self.manifest_app("once", {}, extra=self.only_one().client())
        app.push()
        self.home.davit("ps:set", app.name, "replacement", "stop-first")
        first = self.web(app, 1)["id"]
        self.home.davit("ps:restart", app.name)
        self.assertNotEqual(first, self.web(app, 1)["id"])
        self.assertEqual(200, self.home.get(app.name)[0])
        second = self.web(app, 1)["id"]
        app.write("Procfile", "web: exit 3\n")
        app.commit()
        refused = app.push(check=False)
        self.assertNotEqual(0, refused.returncode)
        self.assertEqual(second, self.web(app, 1)["id"], "the old release is back")
        harness.wait_for(lambda: self.home.get(app.name)[0] == 200, "the old release to answer")
        self.home.davit("ps:set", app.name, "replacement", "start-first")
        self.assertNotEqual(0, self.home.davit("ps:restart", app.name, check=False).returncode)
        self.assertEqual(200, self.home.get(app.name)[0])

    def test_unchecked_instances_get_requests_as_soon_as_they_listen(self):
        never = {"healthchecks": {"web": [{"path": "/", "status": 204, "attempts": 1}]}}
        app = self.manifest_app("unchecked", never, extra="import time\ntime.sleep(1)")
        self.home.davit("checks:skip", app.name, "web")
        app.push()
        self.assertEqual(200, self.home.get(app.name)[0])
        self.home.davit("checks:disable", app.name, "web")
        self.home.davit("ps:restart", app.name)
        self.assertEqual(200, self.home.get(app.name)[0])
        before = self.web(app, 1)["id"]
        app.write("Procfile", "web: exit 3\n")
        app.commit()
        self.assertNotEqual(0, app.push(check=False).returncode)
        self.assertEqual((before, 200), (self.web(app, 1)["id"], self.home.get(app.name)[0]), "the old one is back, and listens")
        self.assertEqual("undone", self.home.json("deploys:list", app.name)[0]["state"])
        self.home.davit("checks:enable", app.name)
        self.assert_exit(1, self.home.davit("ps:restart", app.name, check=False), "failed its check")

    def test_a_death_at_any_step_of_stop_first_leaves_one_running(self):
        app = self.manifest_app("mortal", {}, extra=self.only_one().client())
        self.home.davit("ps:set", app.name, "replacement", "stop-first")
        app.push()
        for point in ("launch/host/process.stop:prepared", "launch/host/process.stop:applying", "launch/host/process.stop:acted",
                      "launch/host/process.stop:applied", "launch/host/process.start:acted", "switch/nginx/proxy.route:acted",
                      "switch/host/record:committed"):
            before = self.web(app, 1)["id"]
            done = self.home.davit("ps:restart", app.name, check=False, env={"DAVIT_FAILPOINT": point})
            after = self.web(app, 1)["id"]
            self.assertEqual(after != before, point.endswith("committed"), point + done.stdout + done.stderr)
            harness.wait_for(lambda: self.home.get(app.name)[0] == 200, f"an answer after a death at {point}")
            running = [i for i in self.home.instances(app.name) if i["state"] == "running"]
            self.assertEqual(1, len(running), f"{point}: {running}")

    def test_a_change_of_config_and_scale_under_load(self):
        app = self.manifest_app("changed", {}, procfile="web: exec python3 -u server.py\nworker: exec sleep 1000\n")
        app.push()
        self.home.davit("ps:scale", app.name, "web=2", "worker=1")
        with harness.Load(self.home, app.name) as load:
            self.home.davit("config:set", app.name, "GREETING=again")
            self.home.davit("ps:scale", app.name, "web=3", "worker=2")
            self.home.davit("ps:scale", app.name, "web=1", "worker=1")
            self.home.davit("ps:restart", app.name)
        self.assertEqual([], load.bad[:5])
        revisions = {i["revision"] for i in self.home.instances(app.name) if i["role"] == "live"}
        self.assertEqual(1, len(revisions), "web and workers are of one revision")
        self.assertIn("again", self.home.get(app.name)[1])


del ChecksTest  # it has no tests of its own

if __name__ == "__main__":
    harness.main()
