"""Apps with databases: pushed, linked, writing; what they were told is kept stays, whatever dies, moves or is made anew. What each kind
of service does by itself is tests/conformance/service."""
import contextlib
import http.client
import os
import signal
import socket
import subprocess
import threading
import urllib.parse

import harness
from harness import wait_for


class Notes:
    """The example app of a kind: POST keeps a note, GET lists them."""

    def __init__(self, home, name):
        self.home, self.name = home, name

    def keep(self, note):
        connection = http.client.HTTPConnection("127.0.0.1", self.home.port, timeout=20)
        try:
            connection.request("POST", "/", body=note, headers={"Host": f"{self.name}.localhost"})
            return connection.getresponse().status == 201
        finally:
            connection.close()

    def all(self):
        status, body = self.home.get(self.name)
        return body.splitlines() if status == 200 else None


class Services(harness.HomeTest):
    create_s = harness.DEADLINE_S

    def linked_app(self, kind):
        self.home.davit(f"{kind}:create", f"{kind}-db", timeout=self.create_s)
        app = self.app(f"{kind}-notes", kind)
        self.home.davit(f"{kind}:link", f"{kind}-db", app.name)  # before its first deploy
        app.commit()
        app.push()
        return app, Notes(self.home, app.name)

    def test_notes_survive_in_postgres(self):
        self.notes_survive("postgres")

    def test_notes_survive_in_mysql(self):
        self.notes_survive("mysql")

    def notes_survive(self, kind):
        app, notes = self.linked_app(kind)
        self.assertEqual([], notes.all())
        self.assertTrue(notes.keep("first & last"))
        kept = ["first & last"]
        with self.subTest("redeploy"):
            app.commit("again")
            app.push()
            self.assertEqual(kept, notes.all())
        with self.subTest("restarts"):
            self.home.davit(f"{kind}:restart", f"{kind}-db")
            self.assertEqual(kept, notes.all())
            self.home.davit("ps:restart", app.name)
            self.assertEqual(kept, notes.all())
        with self.subTest("a rename of the service"):
            url = self.home.davit("config:get", app.name, "DATABASE_URL").stdout
            self.home.davit(f"{kind}:rename", f"{kind}-db", "renamed")
            self.assertEqual(kept, notes.all())
            self.assertEqual([app.name], self.home.json(f"{kind}:links", "renamed"))
            self.assertEqual(url, self.home.davit("config:get", app.name, "DATABASE_URL").stdout)
            self.assert_exit(1, self.home.davit(f"{kind}:info", f"{kind}-db", check=False), "does not exist")
            self.home.davit(f"{kind}:rename", "renamed", f"{kind}-db")
        with self.subTest("a rename of the app"):
            self.home.davit("apps:rename", app.name, f"{kind}-app")
            app.name = notes.name = f"{kind}-app"
            self.assertEqual(kept, notes.all())
        with self.subTest("kill -9 of the server while the app writes"):
            kept += self.write_through_a_death(kind, notes)
            found = set(notes.all())
            self.assertEqual([], [note for note in kept if note not in found], "acknowledged, and lost")
        with self.subTest("a cut dump"):
            before = notes.all()
            dump = self.export(kind)
            self.assertNotEqual(0, self.home.davit(f"{kind}:import", f"{kind}-db", input=dump[:-300], check=False).returncode)
            self.assertEqual(before, notes.all())
            self.home.davit(f"{kind}:import", f"{kind}-db", input=dump)
            self.assertEqual(before, notes.all())
        with self.subTest("reboot"):
            before = notes.all()
            self.power_fails()
            self.home.davit("system:start")
            self.assertEqual("running", self.home.json(f"{kind}:info", f"{kind}-db")["state"])
            wait_for(lambda: notes.all() == before, "the notes after a reboot")
        with self.subTest("a start while somebody has nginx's port"):
            self.home.davit("system:stop")
            with socket.create_server(("", self.home.port)):
                self.assert_exit(1, self.home.davit("system:start", check=False), "nginx did not come up")
                wait_for(lambda: ["running"] == [one["state"] for one in self.home.instances(notes.name)], "the app, which waits for no proxy")
            self.home.davit("system:start")
            wait_for(lambda: notes.all() == before, "the notes behind nginx")

    def power_fails(self):
        for pid in self.home.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def write_through_a_death(self, kind, notes):
        acknowledged, over = [], threading.Event()

        def write():
            for number in range(100_000):
                if over.is_set():
                    return
                with contextlib.suppress(OSError, http.client.HTTPException):
                    if notes.keep(f"note {number}"):
                        acknowledged.append(f"note {number}")

        writer = threading.Thread(target=write)
        writer.start()
        try:
            wait_for(lambda: len(acknowledged) > 20, "the first notes")
            os.kill(self.home.json(f"{kind}:info", f"{kind}-db")["pid"], signal.SIGKILL)
            seen = len(acknowledged)
            wait_for(lambda: len(acknowledged) > seen + 20, "notes after the death of the server", 60)
        finally:
            over.set()
            writer.join()
        return acknowledged

    def export(self, kind):
        return subprocess.run([str(harness.DAVIT), f"{kind}:export", f"{kind}-db"], env=self.home.env, stdout=subprocess.PIPE, check=True,
                              timeout=harness.DEADLINE_S).stdout


class Links(harness.HomeTest):
    def service(self, verb, *words, **options):
        return self.home.davit(f"postgres:{verb}", *words, **options)

    def dsn(self, name):
        return self.service("info", name, "--dsn").stdout.strip()

    def urls(self, app):
        lines = self.home.davit("run", app, "env").stdout.splitlines()
        return dict(line.split("=", 1) for line in lines if "_URL=" in line or line.startswith("DB_"))

    def test_1_an_app_has_many_services_and_a_service_many_apps(self):
        for name in ("one", "two"):
            self.service("create", name)
        self.assert_exit(1, self.service("create", "one", check=False), "service one already exists")
        self.assert_exit(1, self.service("create", "Not Good", check=False), "Please specify a valid name for the service")
        self.assert_exit(1, self.service("link", "nobody", "shop", check=False), "service nobody does not exist")
        self.assert_exit(20, self.service("link", "one", "shop", check=False), "App shop does not exist")
        if not harness.ON_DOCKER:
            self.assert_exit(1, self.home.davit("service-image:build", "postgres", check=False), "The runtime process runs no containers")
        self.deployed("shop")
        self.deployed("blog")
        self.home.davit("config:set", "--no-restart", "shop", "KEPT_URL=by-hand")
        self.service("link", "one", "shop", "--querystring", "a=b c", "--env-style", "host")
        self.assert_answers("shop", "one")
        dsn = self.dsn("one")
        parts = urllib.parse.urlsplit(dsn)
        self.assertEqual({"DATABASE_URL": f"{dsn}?a=b c", "KEPT_URL": "by-hand", "DB_HOST": "127.0.0.1", "DB_PORT": str(parts.port),
                          "DB_USER": parts.username, "DB_PASS": parts.password, "DB_NAME": "one"}, self.urls("shop"))
        self.assert_exit(1, self.service("link", "one", "shop", check=False), "Already linked as DATABASE_URL")
        self.assert_exit(1, self.home.davit("config:set", "shop", "DATABASE_URL=x", check=False), "comes from the link to postgres one")
        self.assertEqual(f"{dsn}?a=b c", self.home.davit("config:get", "shop", "DATABASE_URL").stdout.strip())
        self.home.davit("config:import", "--no-restart", "shop", "-", input=self.home.davit("config:export", "shop", "--format", "json").stdout.encode())
        self.assert_exit(1, self.service("link", "two", "shop", "--alias", "KEPT", check=False), "Specified alias KEPT already in use")
        self.service("link", "two", "shop", "--no-restart")
        self.service("link", "two", "blog", "--alias", "NOTES", "--no-restart")
        self.assertEqual(self.dsn("two"), self.urls("shop")["DAVIT_POSTGRES_AQUA_URL"])
        self.assertEqual({"NOTES_URL": self.dsn("two")}, self.urls("blog"))
        self.assertEqual(["blog", "shop"], self.home.json("postgres:links", "two"))
        self.assertEqual(["one", "two"], self.home.json("postgres:app-links", "shop"))
        self.service("promote", "two", "shop")
        self.assertEqual(self.dsn("two"), self.urls("shop")["DATABASE_URL"])
        self.assertEqual(f"{dsn}?a=b c", self.urls("shop")["DAVIT_POSTGRES_BLACK_URL"])
        self.assert_exit(1, self.service("promote", "two", "shop", check=False), "already promoted as DATABASE_URL")
        self.assert_exit(1, self.service("destroy", "two", "--force", check=False), "Cannot delete linked service")
        self.service("unlink", "two", "shop")
        self.assert_exit(1, self.service("unlink", "two", "shop", check=False), "Not linked to app shop")
        self.assert_exit(1, self.service("linked", "two", "shop", check=False), "is not linked to app shop")
        self.service("linked", "two", "blog")
        self.assertNotIn("DATABASE_URL", self.urls("shop"))
        self.home.davit("--force", "apps:destroy", "blog")
        self.service("destroy", "two", "--force")

    def test_2_a_link_beside_config_of_its_name(self):
        self.service("create", "beside")
        self.deployed("own")
        dsn = self.dsn("beside")
        self.home.davit("config:set", "--no-restart", "own", "DATABASE_URL=by-hand", "DB_HOST=elsewhere")
        refused = self.service("link", "beside", "own", "--env-style", "host", check=False)
        self.assert_exit(1, refused, "DB_HOST is set for own")
        self.service("link", "beside", "own")
        self.assertEqual(("by-hand", dsn), (self.urls("own")["DATABASE_URL"], self.urls("own")["DAVIT_POSTGRES_AQUA_URL"]))
        self.service("promote", "beside", "own")
        urls = self.urls("own")
        self.assertEqual(dsn, urls["DATABASE_URL"])
        self.assertIn("by-hand", urls.values())
        with self.subTest("set for all apps"):
            self.deployed("everywhere")
            self.home.davit("config:set", "--global", "DATABASE_URL=global://y")
            self.service("link", "beside", "everywhere", "--alias", "NOTES")
            self.service("promote", "beside", "everywhere")
            self.home.davit("ps:restart", "everywhere")
            self.assertEqual(dsn, self.urls("everywhere")["DATABASE_URL"])
            self.assertEqual(dsn, self.home.davit("config:get", "everywhere", "DATABASE_URL").stdout.strip())
            self.assertNotIn("global://y", self.home.davit("config:export", "everywhere").stdout)
            self.home.davit("config:unset", "--global", "DATABASE_URL")
        for app in ("own", "everywhere"):
            self.home.davit("--force", "apps:destroy", app)

    def test_3_two_links_at_once(self):
        for name in ("left", "right"):
            self.service("create", name)
        self.app("both")
        runs = [subprocess.Popen([str(harness.DAVIT), "postgres:link", name, "both"], env=self.home.env) for name in ("left", "right")]
        self.assertEqual([0, 0], [run.wait(harness.DEADLINE_S) for run in runs])
        self.assertEqual(["left", "right"], self.home.json("postgres:app-links", "both"))
        with self.subTest("of the same service"):
            self.app("once")
            runs = [subprocess.Popen([str(harness.DAVIT), "postgres:link", "left", "once"], env=self.home.env, stderr=subprocess.PIPE, text=True)
                    for _ in range(2)]
            said = [run.communicate(timeout=harness.DEADLINE_S)[1] for run in runs]
            self.assertEqual([0, 1], sorted(run.returncode for run in runs), said)
            self.assertIn("Already linked as DATABASE_URL", "".join(said))
            self.assertEqual(["both", "once"], self.home.json("postgres:links", "left"))

    def test_4_a_rolling_deploy_that_fails_leaves_the_links(self):
        self.service("create", "kept")
        self.deployed("picky", extra='if os.environ.get("FAILS") == ("linked" if "DATABASE_URL" in os.environ else "alone"):\n    sys.exit(3)')
        self.home.davit("config:set", "--no-restart", "picky", "FAILS=linked")
        self.assert_exit(1, self.service("link", "kept", "picky", check=False), "The links of picky are as they were")
        self.assertEqual([], self.home.json("postgres:links", "kept"))
        self.home.davit("config:set", "--no-restart", "picky", "FAILS=alone")
        self.service("link", "kept", "picky")
        self.assert_exit(1, self.service("link", "kept", "picky", check=False), "Already linked as DATABASE_URL", "ps:restart picky")
        self.assert_exit(1, self.service("unlink", "kept", "picky", check=False), "The links of picky are as they were")
        self.assertIn("DATABASE_URL", self.urls("picky"))
        self.assert_exit(1, self.service("destroy", "kept", "--force", check=False), "Cannot delete linked service")
        self.home.davit("config:unset", "--no-restart", "picky", "FAILS")
        self.service("unlink", "kept", "picky")
        self.assertNotIn("DATABASE_URL", self.urls("picky"))
        self.service("destroy", "kept", "--force")
        self.home.davit("--force", "apps:destroy", "picky")

    def test_5_a_death_at_any_moment_leaves_data_that_serve(self):
        self.service("create", "dies")
        self.service("connect", "dies", input=b"CREATE TABLE t (n int); INSERT INTO t VALUES (5);")
        dump = subprocess.run([str(harness.DAVIT), "postgres:export", "dies"], env=self.home.env, stdout=subprocess.PIPE, check=True).stdout
        for point in ("build:raised", "switch:stopped", "switch:recorded"):
            with self.subTest(point):
                self.assertNotEqual(0, self.service("import", "dies", input=dump, check=False, env={"DAVIT_FAILPOINT": point}).returncode)
                self.service("start", "dies")
                self.assertIn("5", self.service("connect", "dies", input=b"SELECT n FROM t;").stdout)
        self.assertNotEqual(0, self.service("create", "unborn", check=False, env={"DAVIT_FAILPOINT": "create:raised"}).returncode)
        self.service("create", "unborn")
        self.service("destroy", "dies", "--force")
        self.assertNotIn("dies", self.service("list").stdout)
        findings = self.home.json("doctor")
        self.assertTrue([f for f in findings if "postgres unborn runs" in f["what"]], findings)


if __name__ == "__main__":
    harness.main()
