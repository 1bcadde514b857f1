"""kill -9 of anything at any moment: the old or the new release answers, and the next command repairs."""
import contextlib
import os
import shutil
import signal
import unittest

import harness

# Every row of the journal that a push writes, in order; the process dies right after the row is synced.
STEPS = ["fetch/host/source.checkout", "build/host/build.run", "release/host/release.create", "launch/host/process.start",
         "switch/nginx/proxy.route"]
STATES = ["prepared", "applying", "acted", "applied"]
AFTER = ["switch/host/record:committed", "drain/host/drain:begin", "finish/host/finish:begin", "finish/host/finish:end"]


class KillWorker(harness.HomeTest):
    def state(self, name):
        rows = [row for row in self.home.instances(name)]
        return sorted({row["revision"] for row in rows})

    def kill_at(self, point, kill_guard=False):
        name = "k" + str(abs(hash((point, kill_guard))) % 10**8)
        with self.subTest(point):
            app = self.deployed(name, "old")
            app.server("new")
            app.commit()
            with harness.Load(self.home, name, threads=2) as load:
                done = app.push(check=False, env={"DAVIT_FAILPOINT": point})
            self.assertEqual([], load.bad[:3])
            committed = point in AFTER
            if not committed:
                self.assertNotEqual(0, done.returncode, done.stderr)
            # The next command repairs; afterwards the state is exactly old or exactly new.
            self.home.davit("ps:restart", name)
            expected = "new" if committed else "old"
            self.assertEqual((200, expected), (lambda a: (a[0], a[1].strip()))(self.home.get(name)))
            states = {row["state"] for row in self.home.json("deploys:list", name)}
            harness.wait_for(lambda: not ({"running", "queued", "committed", "draining"} &
                                          {row["state"] for row in self.home.json("deploys:list", name)}),
                             "the end of every deployment")
            self.assertEqual(1, len(self.state(name)), states)
            self.assertEqual([], [entry.name for entry in (self.home.path / "run" / "work").glob("*")])
            self.home.davit("--force", "apps:destroy", name)

    def test_at_each_step_before_the_switch(self):
        for step in STEPS:
            for state in STATES:
                self.kill_at(f"{step}:{state}")

    def test_after_the_switch(self):
        for point in AFTER:
            self.kill_at(point)


class KillGuard(harness.HomeTest):
    """The guard is the parent of a deployment's worker. The kernel takes the worker with it; nobody repairs at once."""

    # One point of each kind; KillWorker has all of them, and what follows the death is the same code.
    BEFORE = ["fetch/host/source.checkout:acted", "build/host/build.run:applying", "release/host/release.create:prepared",
              "launch/host/process.start:acted", "switch/nginx/proxy.route:applied"]

    def push_and_kill(self, app, point, answer):
        app.server(answer)
        app.commit()
        with harness.Load(self.home, app.name, threads=2) as load:
            done = app.push(check=False, env={"DAVIT_FAILPOINT": f"guard@{point}"})
            harness.wait_for(lambda: not self.home.workers(), "the worker goes with its guard")
            seen = load.good
            harness.wait_for(lambda: load.good > seen + 10, "answers after the kill")
        self.assertEqual([], load.bad[:3])
        return done

    def assert_settled(self, app, answer, state):
        self.assertEqual((200, answer), (lambda a: (a[0], a[1].strip()))(self.home.get(app.name)))
        harness.wait_for(lambda: self.home.json("deploys:list", app.name)[0]["state"] not in ("committed", "draining"), "it drained")
        states = [row["state"] for row in self.home.json("deploys:list", app.name)]
        self.assertEqual([], [word for word in states if word not in ("done", "undone", "failed")])
        self.assertIn(state, states)
        self.assertEqual(1, len({row["revision"] for row in self.home.instances(app.name)}))
        self.assertEqual([], list((self.home.path / "run" / "work").glob("*")))

    def test_before_the_switch_it_goes_back(self):
        app = self.deployed("guarded", "old")
        for number, point in enumerate(self.BEFORE):
            with self.subTest(point):
                done = self.push_and_kill(app, point, f"new{number}")
                self.assert_exit(1, done, "ended without a word", "Any further command on this app finishes it or takes it back")
                # Both ways of repair: the next command on the app, and system:start.
                self.home.davit(*(["ps:restart", "guarded"] if number % 2 == 0 else ["system:start"]))
                self.assert_settled(app, "old", "undone")

    def test_after_the_switch_it_goes_forward(self):
        app = self.deployed("forward", "old")
        for number, (point, told) in enumerate({"switch/host/record:committed": False, "finish/host/finish:begin": True}.items()):
            with self.subTest(point):
                done = self.push_and_kill(app, point, f"new{number}")
                self.assertEqual(told, done.returncode == 0, done.stderr)
                self.home.davit(*(["system:start"] if number % 2 == 0 else ["ps:restart", "forward"]))
                self.assert_settled(app, f"new{number}", "done")
                head = self.home.run(["git", "-c", "safe.directory=*", "-C", self.home.repository("forward"), "rev-parse", "main"])
                self.assertEqual(app.git("rev-parse", "HEAD").stdout, head.stdout, "the branch agrees with the release")


class KillParts(harness.HomeTest):
    def unit_pids(self, word):
        return [pid for pid, words in self.home.pids().items() if word in words]

    def answers(self, name, text, deadline_s=30):
        harness.wait_for(lambda: self.home.get(name)[1].strip() == text, f"{name} answers {text}", deadline_s)

    def test_nginx_is_restarted_and_knows_its_routes(self):
        self.deployed("proxied", "one")
        masters = self.unit_pids("nginx: master")
        self.assertEqual(1, len(masters))
        os.kill(masters[0], signal.SIGKILL)

        def answered():
            try:
                return self.home.get("proxied")[0] == 200
            except OSError:
                return False
        harness.wait_for(answered, "nginx is back")
        self.home.davit("ps:restart", "proxied")
        self.assertEqual("one", self.home.get("proxied")[1].strip())

    def test_an_nginx_that_was_killed_often_is_there_for_a_command_that_needs_it(self):
        self.deployed("often", "one")
        for _ in range(7):  # by itself it would come back after 1, 2, 4, ... 60 s
            for pid in self.unit_pids("nginx: "):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.home.davit("system:start")
            self.assertEqual("one", self.home.get("often")[1].strip())

    def test_an_instance_is_restarted_while_the_other_answers(self):
        self.deployed("pair", "one")
        self.home.davit("ps:scale", "pair", "web=2")
        with harness.Load(self.home, "pair", keep_alive=False) as load:
            before = load.good
            row = self.home.instances("pair")[0]
            os.kill(row["pid"], signal.SIGKILL)
            harness.wait_for(lambda: len([r for r in self.home.instances("pair")
                                          if r["state"] == "running" and r["pid"] != row["pid"]]) == 2, "two instances again")
            harness.wait_for(lambda: load.good > before + 50, "more answers")
            self.home.davit("ps:restart", "pair")
        self.assertEqual([], load.bad[:3])

    def test_a_single_instance_costs_its_start_time(self):
        self.deployed("single", "one")
        before = self.home.instances("single")[0]["pid"]
        os.kill(before, signal.SIGKILL)
        harness.wait_for(lambda: self.home.get("single")[0] == 200, "it answers again")
        self.assertNotEqual(before, self.home.instances("single")[0]["pid"])
        self.home.davit("ps:restart", "single")
        self.answers("single", "one")

    @unittest.skipIf(harness.ON_DOCKER, "an instance's supervisor is a process of the embedded runtime's")
    def test_the_supervisor_of_one_instance_dies_and_the_other_answers(self):
        self.deployed("twins", "one")
        self.home.davit("ps:scale", "twins", "web=2")
        with harness.Load(self.home, "twins", keep_alive=False) as load:
            row = self.home.instances("twins")[0]
            supervisors = [pid for pid, words in self.home.pids().items() if words.startswith(f"s6-supervise {row['id']} ")]
            self.assertEqual(1, len(supervisors), self.home.pids())
            os.kill(supervisors[0], signal.SIGKILL)
            harness.wait_for(lambda: len([r for r in self.home.instances("twins")
                                          if r["state"] == "running" and r["pid"] != row["pid"]]) == 2, "its instance runs anew")
            seen = load.good
            harness.wait_for(lambda: load.good > seen + 50, "more answers")
            self.home.davit("ps:restart", "twins")  # the next command finds nothing odd
        self.assertEqual([], load.bad[:3])

    def test_the_supervisor_may_die_and_is_adopted(self):
        self.deployed("adopted", "one")
        scans = self.unit_pids("s6-svscan")
        self.assertEqual(1, len(scans))
        with harness.Load(self.home, "adopted") as load:
            os.kill(scans[0], signal.SIGKILL)
            self.home.davit("system:start")
        self.assertEqual([], load.bad[:3])
        self.assertEqual(1, len(self.unit_pids("s6-svscan")))
        self.home.davit("ps:restart", "adopted")
        self.answers("adopted", "one")

    def test_everything_dies_and_system_start_brings_it_back(self):
        self.deployed("reboot", "one")
        for pid in self.home.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        harness.wait_for(lambda: not self.home.pids(), "everything is gone")
        self.home.davit("system:start")

        def answered():
            try:
                return self.home.get("reboot")[0] == 200
            except OSError:
                return False
        harness.wait_for(answered, "the app is back")

    def test_what_somebody_removed_is_named_by_system_start(self):
        self.deployed("removed", "one")
        self.home.davit("system:stop")
        if harness.ON_DOCKER:
            for container in self.home.engine.of_home(self.home.path)[0]:
                if any("removed" in name for name in container["Names"]):
                    self.home.engine.ask("DELETE", f"/containers/{container['Id']}", query={"force": "1"})
        else:
            tree = self.home.path / "run" / "s6"
            for unit in (tree / "units").glob("removed.*"):
                shutil.rmtree(unit)
                (tree / "scan" / unit.name).unlink(missing_ok=True)
        done = self.home.davit("system:start")
        self.assertIn("1 of 1 instance of removed does not run", done.stderr)
        self.assertIn("davit ps:restart removed", done.stderr)
        self.assert_exit(1, self.home.davit("doctor", check=False), "1 of 1 instance of removed does not run")
        self.assert_exit(1, self.home.davit("checks:run", "removed", check=False), "1 of 1 instances failed their checks")
        self.home.davit("ps:restart", "removed")
        self.answers("removed", "one")
        self.assertNotIn("removed does not run", self.home.davit("system:start").stderr)


if __name__ == "__main__":
    harness.main()
