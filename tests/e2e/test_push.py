"""A push becomes a running app: what a developer sees, on a home of our own user."""
import os
import re
import signal
import subprocess
from pathlib import Path

import engine
import harness
from harness import App


class Push(harness.HomeTest):
    def test_first_push_answers_and_a_second_replaces_it(self):
        app = self.app("first")
        app.server("one")
        app.commit()
        shown = app.push().stderr
        self.assertIn("-----> ", shown)
        self.assertIn(f"http://first.localhost:{self.home.port}", shown)
        self.assertEqual((200, "one"), self.answer("first"))
        app.server("two")
        app.commit()
        app.push()
        self.assertEqual((200, "two"), self.answer("first"))
        releases = self.home.json("releases:list", "first")
        self.assertEqual(2, len(releases))
        self.assertEqual(app.git("rev-parse", "HEAD").stdout.strip(),
                         self.home.run(["git", "-c", "safe.directory=*", "-C", self.home.repository("first"), "rev-parse", "main"]).stdout.strip())

    def answer(self, app):
        status, body = self.home.get(app)
        return status, body.strip()

    def test_every_example_answers(self):
        for example in ("static", "python", "node", "procfile", "null"):
            with self.subTest(example):
                app = self.app(f"example-{example}", example)
                app.commit()
                app.push()
                status, _ = self.home.get(f"example-{example}")
                self.assertEqual(200, status)

    def test_a_commit_that_changes_no_file_adds_no_slug_and_no_image(self):
        app = self.deployed("again", "the same")

        def kept():
            slugs = {(file.name, file.stat().st_ino) for file in (self.home.path / "slugs/again").iterdir()}
            images = {row["Id"] for row in self.home.engine.labelled("images", engine.label_of(self.home.path))} if harness.ON_DOCKER else set()
            return slugs, images
        before = kept()
        app.git("commit", "--allow-empty", "-m", "nothing new")
        app.push()
        self.assertEqual(2, len(self.home.json("releases:list", "again")))
        self.assertEqual(before, kept())
        app.server("another")
        app.commit()
        app.push()
        self.assertNotEqual(before, kept())
        self.assert_answers("again", "another")

    def test_a_failed_build_rejects_the_push_and_leaves_the_release(self):
        app = self.deployed("broken", "good")
        app.write("requirements.txt", "this is no requirement !!\n")
        app.commit()
        done = app.push(check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("pre-receive hook declined", done.stderr)
        self.assertEqual((200, "good"), self.answer("broken"))
        self.assertEqual("undone", self.home.json("deploys:list", "broken")[0]["state"])

    def test_an_app_that_exits_at_once_is_taken_back(self):
        app = self.deployed("exits", "good")
        app.write("Procfile", "web: echo what a pity; exit 3\n")
        app.commit()
        done = app.push(check=False)
        self.assert_exit(1, done, "what a pity", "exited with 3")
        self.assertEqual((200, "good"), self.answer("exits"))

    def test_an_app_that_never_listens_is_taken_back(self):
        app = self.deployed("deaf", "good")
        self.home.davit("checks:set", "deaf", "start-timeout", "2")
        app.write("Procfile", "web: exec sleep 1000\n")
        app.commit()
        done = app.push(check=False)
        self.assert_exit(1, done, "not ready in time")
        self.assertNotIn("it listens on", done.stderr)
        self.assertEqual((200, "good"), self.answer("deaf"))

    def test_an_app_that_listens_elsewhere_is_told_where(self):
        app = self.deployed("elsewhere", "good")
        self.home.davit("checks:set", "elsewhere", "start-timeout", "4")
        app.write("elsewhere.py", "import socket, time\nsockets = [socket.create_server((host, 0)) for host in ('', '127.0.0.1')]\n"
                                  "print('AT', *(each.getsockname()[1] for each in sockets), flush=True)\ntime.sleep(1000)\n")
        app.write("Procfile", "web: exec python3 elsewhere.py\n")
        app.commit()
        done = app.push(check=False)
        everywhere, inside = re.search(r"AT (\d+) (\d+)", done.stderr).groups()
        said = [f"127.0.0.1:{inside}", f"port {everywhere}"]
        self.assert_exit(1, done, "it listens on " + " and ".join(said if int(inside) < int(everywhere) else reversed(said)))
        self.assertEqual((200, "good"), self.answer("elsewhere"))

    def test_an_app_that_listens_late_is_waited_for(self):
        self.deployed("late", "late", "time.sleep(3)")

    def test_release_command_runs_once_and_its_failure_ends_the_deploy(self):
        app = self.app("release")
        app.server("one")
        app.write("Procfile", "release: echo released $WHO\nweb: exec python3 -u server.py\n")
        self.home.davit("config:set", "--no-restart", "release", "WHO=me")
        app.commit()
        self.assertIn("released me", app.push().stderr)
        app.write("Procfile", "release: echo oh no; exit 4\nweb: exec python3 -u server.py\n")
        app.commit()
        self.assert_exit(1, app.push(check=False), "oh no", "exited with 4")
        self.assertEqual((200, "one"), self.answer("release"))

    def test_what_a_deploy_runs_gives_way_and_the_app_does_not(self):
        app = self.app("polite")
        app.server("one")
        app.write("Procfile", "release: chrt -p $$\nweb: chrt -p $$; exec python3 -u server.py\n")
        app.commit()
        self.assertIn("SCHED_BATCH", app.push().stderr)
        harness.wait_for(lambda: "SCHED_OTHER" in self.home.davit("logs", "polite").stdout, "the policy of the app")
        self.assertIn("SCHED_OTHER", self.home.davit("run", "polite", "chrt", "-p", "0").stdout)

    def test_config_reaches_the_app_with_every_byte(self):
        app = self.app("config")
        app.server("unused")
        app.write("server.py", harness.SERVER.replace("@EXTRA@", "").replace("@ANSWER@", "repr(os.environ.get('VALUE'))"))
        app.commit()
        self.home.davit("config:set", "--no-restart", "config", "VALUE=a b\n'c' \"d\" $e \\n")
        app.push()
        self.assertEqual((200, repr("a b\n'c' \"d\" $e \\n")), self.answer("config"))
        self.home.davit("config:set", "config", "VALUE=other")
        self.assertEqual((200, "'other'"), self.answer("config"))

    def test_a_worker_runs_beside_web_and_logs(self):
        app = self.app("workers")
        app.server("one")
        app.write("Procfile", "web: exec python3 -u server.py\nworker: while true; do echo working hard; sleep 1; done\n")
        app.commit()
        app.push()
        self.home.davit("ps:scale", "workers", "worker=1")
        harness.wait_for(lambda: "working hard" in self.home.davit("logs", "workers", "--ps", "worker").stdout, "the worker's log")

    def test_a_tail_that_nobody_reads_ends(self):
        self.deployed("quiet", "one")
        follower = subprocess.Popen([harness.DAVIT, "logs", "quiet", "--tail"], env=self.home.env, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE)
        self.assertTrue(follower.stdout.readline())
        follower.stdout.close()  # and the app says nothing more
        follower.wait(harness.DEADLINE_S)

    def test_run_uses_the_release_and_returns_its_exit_code(self):
        app = self.deployed("runs", "one")
        self.home.davit("config:set", "--no-restart", "runs", "X=y")
        done = self.home.davit("run", "runs", "bash", "-c", "ls; exit 7", check=False)
        self.assert_exit(7, done, "Procfile")

    def test_a_detached_run_that_has_ended_is_listed_once_with_its_exit_code(self):
        self.deployed("jobs", "one")
        first = self.home.davit("run:detached", "jobs", "sh", "-c", "echo the first is over; exit 3").stdout.strip()
        harness.wait_for(lambda: "the first is over" in self.home.davit("logs", "jobs").stdout, "its end")
        second = self.home.davit("run:detached", "jobs", "sleep", "1000").stdout.strip()
        third = self.home.davit("run:detached", "jobs", "true").stdout.strip()
        ends = {}

        def both_have_ended():
            rows = self.home.json("run:list", "jobs")
            self.assertEqual([("running", None)], [(row["state"], row["exit_code"]) for row in rows if row["id"] == second])
            ended = [(row["id"], row["exit_code"]) for row in rows if row["state"] == "exited"]
            self.assertFalse(ends.keys() & dict(ended).keys(), "listed twice")
            ends.update(ended)
            return len(ends) == 2
        harness.wait_for(both_have_ended, "both ends")
        self.assertEqual({first: 3, third: 0}, ends)
        last = self.home.davit("run:detached", "jobs", "sh", "-c", "echo the last is over; exit 4").stdout.strip()
        harness.wait_for(lambda: "the last is over" in self.home.davit("logs", "jobs").stdout, "its end")
        harness.wait_for(lambda: re.search(rf"^{re.escape(last)} +exited +4$", self.home.davit("run:list", "jobs").stdout, re.MULTILINE),
                         "the last one's end")
        self.assertNotIn(last, self.home.davit("run:list", "jobs").stdout)
        self.home.davit("run:stop", "jobs")

    def test_an_instance_that_has_ended_is_shown_with_its_exit_code(self):
        app = self.app("ends")
        app.server("one")
        app.write("Procfile", "web: exec python3 -u server.py\nworker: exec sleep 1000\n")
        app.commit()
        self.home.davit("ps:set", "ends", "restart-policy", "no")
        self.home.davit("ps:scale", "ends", "worker=1")
        app.push()

        def worker():
            return next(row for row in self.home.instances("ends") if row["type"] == "worker")
        self.assertIsNone(worker()["exit_code"])
        os.kill(worker()["pid"], signal.SIGKILL)
        harness.wait_for(lambda: worker()["state"] == "exited", "its end")
        self.assertEqual(128 + signal.SIGKILL, worker()["exit_code"])
        self.assertIn("exited (ID: " + worker()["id"] + "), exit code 137\n", self.home.davit("ps:report", "ends").stdout)

    def test_an_app_that_exits_1_on_sigterm_has_not_crashed(self):
        app = self.app("rude")
        app.server("one")
        server = app.folder / "server.py"
        server.write_text(server.read_text().replace("signal.SIGTERM, stop", "signal.SIGTERM, lambda *_: os._exit(1)"))
        app.commit()
        app.push()
        self.assertNotIn("crash", self.home.davit("ps:restart", "rude").stdout)  # the old instance is stopped behind it
        harness.wait_for(lambda: self.home.json("deploys:list", "rude")[0]["state"] == "done", "the drain")
        self.home.davit("ps:stop", "rude")
        self.assertNotIn("crash", self.home.davit("ps:report", "rude").stdout)
        self.home.davit("ps:start", "rude")
        self.assert_answers("rude", "one")
        self.assertEqual([0], [instance["exits"] for instance in self.home.instances("rude")])

    def test_a_trace_says_what_runs_and_which_plugin_handles_what(self):
        app = self.deployed("traced", "one")
        app.write("note", "more")
        app.commit()
        shown = app.push(flags=["-o", "trace"]).stderr
        for words in ("plugin buildstep: ", f"plugin {harness.RUNTIME}: ", "plugin nginx: ", " took ", "runs git "):
            self.assertIn(words, shown)
        done = self.home.davit("--trace", "ps:restart", "traced")
        self.assertRegex(done.stdout + done.stderr, r"trace \d+\.\d{3} s: plugin nginx: .* took \d+ ms")
        self.assertNotIn("trace ", self.home.davit("ps:restart", "traced").stderr)

    def test_destroy_takes_everything(self):
        app = self.deployed("gone", "one")
        self.home.davit("--force", "apps:destroy", "gone")
        self.assertEqual(20, self.home.davit("apps:exists", "gone", check=False).returncode)
        self.assertFalse(self.home.repository("gone").exists())
        self.assertEqual(404, self.home.get("gone")[0])

    def test_a_certificate_is_shown_and_one_that_clients_refuse_is_warned_of(self):
        self.deployed("shown", "one")
        self.assertEqual("false", self.home.davit("certs:report", "shown", "--ssl-enabled").stdout.strip())
        self.assert_exit(1, self.home.davit("certs:remove", "shown", check=False), "SSL endpoint is not defined")
        with self.home.tls_port():
            done = self.home.davit("certs:add", "shown", *self.home.certificate("shown.localhost", days=60))
            report = self.home.json("certs:report", "shown")
            self.assertIn(f"Certificate of shown: CN=shown.localhost, for shown.localhost, until {report['expires-at']}\n", done.stdout)
            self.assertEqual("", done.stderr)
            self.assertEqual(["true", "shown.localhost", "CN=shown.localhost", "CN=shown.localhost", "self signed"],
                             [report[key] for key in ("enabled", "hostnames", "ssl-subject", "ssl-issuer", "verified")])
            self.assertTrue((Path(report["dir"]) / "server.crt").exists())
            self.assertIn("       Ssl hostnames:                 shown.localhost\n", self.home.davit("certs:report").stdout)
            self.assertNotIn("certificate of shown", self.home.davit("doctor", check=False).stderr)

            done = self.home.davit("certs:add", "shown", *self.home.certificate("other.localhost", days=-1))
            self.assertIn("has expired", done.stderr)
            self.assertIn("none of the hosts of shown (shown.localhost)", done.stderr)
            self.assertIn("the certificate of shown expired at", self.home.davit("doctor", check=False).stderr)
            self.home.davit("certs:add", "shown", *self.home.certificate("shown.localhost", days=13))
            self.assertIn("the certificate of shown expires at", self.home.davit("doctor", check=False).stderr)
            self.assertIn("Removing SSL endpoint from shown", self.home.davit("certs:remove", "shown").stdout)
            self.assertEqual(200, self.home.get("shown")[0])

    def test_a_destroyed_apps_certificate_is_not_the_next_ones(self):
        with self.home.tls_port():
            app = self.deployed("sealed", "one")
            self.home.davit("certs:add", "sealed", *self.home.certificate("sealed.localhost"))
            self.assertEqual(301, self.home.get("sealed")[0])
            kept = self.home.path / "plugins/nginx/certs/sealed"
            self.assertTrue(list(kept.glob("*/server.key")))
            done = self.home.davit("--force", "apps:destroy", "sealed")
            self.assertNotIn("Warning", done.stdout + done.stderr)
            self.assertEqual([], [file for file in self.home.path.rglob("server.key") if "shown" not in file.parts])
            self.home.davit("apps:create", "sealed")
            app.push()
            self.assert_answers("sealed", "one")


if __name__ == "__main__":
    harness.main()
