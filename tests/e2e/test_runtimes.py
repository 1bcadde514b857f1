"""Apps that move between runtimes while requests come in."""
import json
import signal
import subprocess
import time
import unittest

import engine
import harness
from test_storage import COUNTING


class Runtimes(harness.HomeTest):
    """Needs an engine: where there is none it says so. The home's runtime is docker; the app moves to processes and back."""

    @classmethod
    def setUpClass(cls):
        if not harness.ON_DOCKER:
            raise unittest.SkipTest("this moves apps between runtimes: set DAVIT_E2E_RUNTIME=docker")
        super().setUpClass()
        cls.home.davit("plugin:enable", "process")

    def runtimes(self, app):
        return {instance["runtime"] for instance in self.home.instances(app) if instance["role"] == "live"}

    def test_there_and_back_under_load(self):
        name = "nomad"
        self.deployed(name, "here")
        self.home.davit("ps:scale", name, "web=2")
        self.assert_exit(1, self.home.davit("ps:set", name, "runtime", "nothing", check=False), "no runtime that is enabled")
        with harness.Load(self.home, name) as load:
            self.home.davit("ps:set", name, "runtime", "process")
            self.assertEqual({"docker"}, self.runtimes(name), "a setting alone moves nothing")
            self.home.davit("ps:restart", name)
            self.assertEqual({"process"}, self.runtimes(name))
            self.home.davit("ps:scale", name, "web=3")
            self.home.davit("releases:rollback", name)
            self.assertEqual({"docker"}, self.runtimes(name), "a rollback goes back to where that release ran")
            self.home.davit("ps:set", name, "runtime", "process")
            self.home.davit("config:set", name, "A=b")
            self.assertEqual({"process"}, self.runtimes(name))
        self.assertEqual([], load.bad[:5], f"{len(load.bad)} of {load.good + len(load.bad)} failed")
        harness.wait_for(lambda: {i["runtime"] for i in self.home.instances(name)} == {"process"}, "the end of the containers")

    def test_logs_are_of_both_runtimes(self):
        name = "diary"
        app = self.app(name)
        app.server("written")
        app.write("Procfile", "web: echo began; exec python3 -u server.py\n")
        app.commit()
        app.push()
        first = [instance["revision"] for instance in self.home.instances(name)]
        log = self.home.path / "followed"
        with log.open("w") as out:
            follower = subprocess.Popen([harness.DAVIT, "logs", name, "-t", "--format", "json"], env=self.home.env, stdin=subprocess.DEVNULL, stdout=out,
                                        stderr=subprocess.STDOUT)
        self.addCleanup(follower.kill)

        def began():
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            return [line["revision"] for line in lines if line["text"].startswith("began")]
        harness.wait_for(lambda: began() == first, "what was there before is shown")
        revisions = first
        for runtime in ("process", "docker"):
            self.home.davit("ps:set", name, "runtime", runtime)
            self.home.davit("ps:restart", name)
            revisions = revisions + [one["revision"] for one in self.home.instances(name) if one["role"] == "live"]
            harness.wait_for(lambda: began() == revisions, f"what begins on {runtime} is shown")
            said = self.home.davit("logs", name, "-n", "1000").stdout
            self.assertEqual(len(revisions), said.count("began"), said)
        harness.wait_for(lambda: len(self.home.instances(name)) == 1, "the old ones are gone")
        time.sleep(2)
        self.assertEqual(revisions, began(), "each line once")
        follower.send_signal(signal.SIGINT)
        self.assertEqual(0, follower.wait(30), "Ctrl-C is how one ends it")

    def test_storage_goes_along_and_is_never_had_by_two(self):
        name = "porter"
        self.home.davit("storage:ensure-directory", "cargo")
        self.home.davit("apps:create", name)
        self.home.davit("storage:mount", name, "cargo:/data")
        app = harness.App(self.home, name)
        app.server("here", COUNTING)
        app.commit()
        app.push()
        for runtime in ("process", "docker"):
            self.home.davit("ps:set", name, "runtime", runtime)
            moved = self.home.davit("ps:restart", name)
            self.assertIn("is not for two releases at once", moved.stdout + moved.stderr)
            self.assertEqual({runtime}, self.runtimes(name))
            self.assert_answers(name, "here")
        place = self.home.path / "storage" / "cargo"
        self.assertEqual("xxx", (place / "starts").read_text())
        self.assertFalse((place / "two-at-once").exists())

    def test_an_image_stays_where_images_run(self):
        name = "picture"
        app = self.app(name)
        app.server("shown")
        app.write("Procfile", "web: python3 -u /server.py\n")
        app.write("Dockerfile", f"FROM {engine.STACK}\nCOPY server.py /\n")
        app.commit()
        with self.home.settings(lambda text: engine.with_setting(text, "dockerfile", "build-network", "host")):
            app.push()  # the tests' engine has no default bridge
        self.home.davit("ps:set", name, "replacement", "stop-first")
        before = self.home.instances(name)
        self.home.davit("ps:set", name, "runtime", "process")
        refused = self.home.davit("ps:restart", name, check=False)
        self.assert_exit(1, refused, f"davit ps:set {name} runtime docker")
        self.assertEqual(before, self.home.instances(name))
        self.assert_answers(name, "shown")
        self.home.davit("ps:set", name, "runtime", "docker")
        self.home.davit("ps:restart", name)
        self.assert_answers(name, "shown")


if __name__ == "__main__":
    harness.main()
