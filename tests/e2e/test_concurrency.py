"""Two at once, a client that goes away, and a deployment that is cancelled."""
import concurrent.futures
import os
import signal
import subprocess
import time

import harness


class Concurrency(harness.HomeTest):
    def slow_app(self, name, seconds):
        app = self.deployed(name, "old")
        app.server("new")
        app.write("Procfile", f"release: echo working; sleep {seconds}\nweb: exec python3 -u server.py\n")
        app.commit()
        return app

    def start_push(self, app):
        return subprocess.Popen(["git", "push", str(self.home.repository(app.name)), "HEAD:refs/heads/main"], cwd=app.folder,
                                env=self.home.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                start_new_session=True)

    def deployment(self, app):
        return self.home.json("deploys:list", app)[0]

    def wait_phase(self, app):
        harness.wait_for(lambda: "working" in self.home.davit("deploys:output", app, check=False).stdout, "the release command runs")

    def test_a_second_operation_says_whom_it_waits_for(self):
        app = self.slow_app("busy", 4)
        push = self.start_push(app)
        self.wait_phase("busy")
        done = self.home.davit("ps:restart", "--no-wait", "busy", check=False)
        self.assert_exit(1, done, "git push")
        done = self.home.davit("ps:restart", "busy")
        self.assertIn("Waiting for git push", done.stdout + done.stderr)
        output = push.communicate(timeout=60)[0].decode()
        self.assertEqual(0, push.returncode, output)
        self.assertEqual("new", self.home.get("busy")[1].strip())

    def test_a_second_push_waits_for_the_first_and_is_not_lost(self):
        app = self.slow_app("twice", 4)
        first = self.start_push(app)
        self.wait_phase("twice")
        done = app.push(check=False, flags=["-o", "no-wait"])
        self.assert_exit(1, done, "git push", "pre-receive hook declined")
        app.server("newest")
        app.commit()
        second = self.start_push(app)
        output = second.communicate(timeout=90)[0].decode()
        self.assertIn("Waiting for git push to finish, which began", output)
        self.assertEqual(0, first.wait(30), first.communicate()[0])
        if second.returncode != 0:  # git had told it an older branch than the one that is there now: it says so, and nothing was built
            self.assertRegex(output, r"(?i)push again")
            self.assertEqual("new", self.home.get("twice")[1].strip())
            app.push()
        self.assertEqual("newest", self.home.get("twice")[1].strip())
        self.assert_branch(app)

    def assert_branch(self, app):
        head = app.git("rev-parse", "HEAD").stdout.strip()
        harness.wait_for(lambda: self.home.run(["git", "-c", "safe.directory=*", "-C", self.home.repository(app.name), "rev-parse", "main"]
                                               ).stdout.strip() == head, "the branch agrees with the release")

    def test_a_client_that_goes_away_stops_nothing(self):
        for name, number in {"ctrl-c": signal.SIGINT, "lost": signal.SIGKILL}.items():
            with self.subTest(name):
                app = self.slow_app(name, 3)
                push = self.start_push(app)
                self.wait_phase(name)
                os.killpg(push.pid, number)
                push.communicate(timeout=30)
                harness.wait_for(lambda: self.deployment(name)["state"] == "done", "the deployment goes on", 60)
                self.assertEqual("new", self.home.get(name)[1].strip())
                self.assert_branch(app)

    def test_cancel_takes_it_back(self):
        app = self.slow_app("cancelled", 600)
        push = self.start_push(app)
        self.wait_phase("cancelled")
        started = time.monotonic()
        self.home.davit("deploys:cancel", "cancelled")
        output = push.communicate(timeout=60)[0].decode()
        self.assertNotEqual(0, push.returncode, output)
        self.assertLess(time.monotonic() - started, 300, "it did not wait for the command's own end")
        self.assertEqual("cancelled", self.deployment("cancelled")["state"])
        self.assertEqual("old", self.home.get("cancelled")[1].strip())

    def test_two_changes_of_a_list_are_both_kept(self):
        self.home.davit("apps:create", "listed")
        wanted = [f"https://example.com/{n}.git" for n in range(8)]
        with concurrent.futures.ThreadPoolExecutor(len(wanted)) as pool:
            list(pool.map(lambda url: self.home.davit("buildpacks:add", "listed", url), wanted))
        self.assertEqual(wanted, sorted(self.home.json("buildpacks:list", "listed")))

    def test_two_pushes_to_two_apps_do_not_wait_for_each_other(self):
        first, second = self.slow_app("one", 3), self.slow_app("two", 3)
        pushes = [self.start_push(first), self.start_push(second)]
        for push in pushes:
            output = push.communicate(timeout=90)[0].decode()
            self.assertEqual(0, push.returncode, output)
            self.assertNotIn("Waiting for git push", output)

    def test_pending_config_is_taken_by_the_next_restart(self):
        app = self.app("pending")
        app.server("unused")
        app.write("server.py", harness.SERVER.replace("@EXTRA@", "").replace("@ANSWER@", "os.environ.get('X', 'none')"))
        app.commit()
        app.push()
        self.home.davit("config:set", "--no-restart", "pending", "X=later")
        self.assertEqual("none", self.home.get("pending")[1].strip())
        self.home.davit("ps:restart", "pending")
        self.assertEqual("later", self.home.get("pending")[1].strip())

    def test_run_detached_is_listed_and_stopped(self):
        self.deployed("jobs", "one")
        name = self.home.davit("run:detached", "jobs", "sleep", "1000").stdout.strip()
        self.assertIn(name, self.home.davit("run:list", "jobs").stdout)
        self.home.davit("run:stop", "jobs", name)
        self.assertNotIn(name, self.home.davit("run:list", "jobs").stdout)

    def test_two_run_detached_at_once_are_two(self):
        self.deployed("pair", "one")
        both = [subprocess.Popen([harness.DAVIT, "run:detached", "pair", "sleep", "1000"], env=self.home.env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
        names = sorted(one.communicate(timeout=120)[0].decode().strip() for one in both)
        self.assertEqual(["pair.r1.run.1", "pair.r2.run.1"], names)
        self.assertEqual(["running"] * 2, [one["state"] for one in self.home.json("run:list", "pair")])
        self.home.davit("run:stop", "pair")

    def test_detached_runs_belong_to_their_app(self):
        app = self.deployed("owner", "one")
        self.home.davit("run:detached", "owner", "sh", "-c", "echo remember me; exec sleep 1000")
        harness.wait_for(lambda: "remember me" in self.home.davit("logs", "owner").stdout, "it has begun")
        self.assert_exit(1, self.home.davit("apps:rename", "owner", "heir", check=False), "owner.r1.run.1 still runs", "davit run:stop owner")
        self.assert_answers("owner", "one")
        self.home.davit("--force", "apps:destroy", "owner")
        self.home.davit("apps:create", "owner")
        app.server("two")
        app.commit()
        app.push()
        self.assertEqual([], self.home.json("run:list", "owner"))
        self.assert_exit(1, self.home.davit("enter", "owner", "run", "true", check=False), "runs no process run")
        self.assertNotIn("remember me", self.home.davit("logs", "owner").stdout)
        self.home.davit("apps:rename", "owner", "heir")
        self.assert_answers("heir", "two")

    def test_a_process_type_named_run_is_no_detached_run(self):
        app = self.deployed("runner", "one")
        app.write("Procfile", "web: exec python3 -u server.py\nrun: exec sleep 1000\n")
        app.commit()
        app.push()
        self.home.davit("ps:scale", "runner", "run=1")

        def live():
            return [(one["id"], one["pid"], one["state"]) for one in self.home.instances("runner") if one["type"] == "run"]
        before = live()
        self.assertEqual(1, len(before))
        self.assertEqual([], self.home.json("run:list", "runner"))
        name = self.home.davit("run:detached", "runner", "sleep", "1000").stdout.strip()
        self.assertEqual([name], [one["id"] for one in self.home.json("run:list", "runner")])
        self.home.davit("run:stop", "runner")
        self.assertEqual([], self.home.json("run:list", "runner"))
        self.assertEqual(before, live())

    def test_stop_and_start(self):
        self.deployed("stopped", "one")
        self.home.davit("ps:stop", "stopped")
        self.assertIn(self.home.get("stopped")[0], (404, 502, 503))
        harness.wait_for(lambda: not self.home.instances("stopped"), "the instances are gone")
        self.home.davit("ps:start", "stopped")
        self.assertEqual("one", self.home.get("stopped")[1].strip())
        before = [instance["id"] for instance in self.home.instances("stopped")]
        self.assertIn("running already", self.home.davit("ps:start", "stopped").stdout)
        self.assertEqual(before, [instance["id"] for instance in self.home.instances("stopped")])


if __name__ == "__main__":
    harness.main()
