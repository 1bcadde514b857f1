"""Apps that get another name, or are copied, while requests come in."""
import threading

import harness


class Rename(harness.HomeTest):
    def test_a_running_app_gets_another_name_and_drops_nothing(self):
        old, new = "before", "after"
        app = self.deployed(old, "v1")
        self.home.davit("config:set", "--no-restart", old, "KEPT=yes")
        self.home.davit("domains:add", old, "own.localhost")
        self.home.get(old, "/before-it")
        slow = []
        thread = threading.Thread(target=lambda: slow.append(self.home.get(old, "/slow=3", timeout=30)))
        with harness.Load(self.home, "own") as load:  # a domain of its own answers all the time
            thread.start()
            done = self.home.davit("apps:rename", old, new)
            self.assertIn("Renaming before to after", done.stdout + done.stderr)
            harness.wait_for(lambda: load.good > 100, "load after the rename")
        thread.join()
        self.assert_answers(new, "v1")  # its default name went along, among those of its own
        self.assertEqual(404, self.home.get(old)[0])
        self.assertEqual([], load.bad[:5], f"{len(load.bad)} of {load.good + len(load.bad)} failed")
        self.assertEqual((200, "v1"), (slow[0][0], slow[0][1].strip()), "what was in flight is finished")
        self.assertEqual(["after"], self.home.json("apps:list"))
        self.assert_exit(20, self.home.davit("apps:exists", old, check=False))
        harness.wait_for(lambda: {i["id"].split(".")[0] for i in self.home.instances(new)} == {"after"}, "the end of the old instances")
        self.assertEqual("yes", self.home.davit("config:get", new, "KEPT").stdout.strip())
        self.assertFalse((self.home.path / "slugs" / old).exists())
        self.assertFalse(self.home.repository(old).exists())
        self.assertIn("listening", self.home.davit("logs", new, "-n", "50").stdout)
        # The log comes along at the end of it all, after the old instances' end.
        harness.wait_for(lambda: "/before-it" in self.home.davit("nginx:access-logs", new, "-n", "100000").stdout, "the log under its old name")

        # Everything works under the new name.
        app.name = new
        app.server("v2")
        app.commit()
        app.push()
        status, body = self.home.get("own")
        self.assertEqual((200, "v2"), (status, body.strip()))
        self.home.davit("releases:rollback", new)
        self.assertEqual("v1", self.home.get("own")[1].strip())
        self.home.davit("ps:scale", new, "web=2")

        # And the old name is free.
        harness.wait_for(lambda: self.home.davit("apps:create", old, check=False).returncode == 0, "the old name")
        self.assert_answers(new, "v1")  # its default name went along, among those of its own
        self.assertEqual(404, self.home.get(old)[0])
        self.assert_exit(1, self.home.davit("apps:rename", new, old, check=False), "Name is already taken")

    def test_the_default_name_goes_with_the_switch(self):
        self.deployed("early", "hello")
        self.home.davit("apps:rename", "early", "late")
        self.assert_answers("late", "hello")
        self.assertEqual(404, self.home.get("early")[0])

    def test_one_that_was_never_deployed(self):
        app = self.app("empty")
        self.home.davit("apps:rename", "empty", "full")
        app.name = "full"
        app.server("hi")
        app.commit()
        app.push()
        self.assert_answers("full", "hi")

    def test_killed_in_the_middle_the_next_command_makes_it_whole(self):
        self.deployed("victim", "here")
        for point, name in (("launch/host/process.start:acted", "victim"), ("switch/host/record:committed", "survivor")):
            self.home.davit("apps:rename", "victim", "survivor", check=False, env={"DAVIT_FAILPOINT": point})
            self.home.davit("ps:restart", name)
            self.assertIn(name, self.home.json("apps:list"))
            self.assert_answers(name, "here")
            live = [instance for instance in self.home.instances(name) if instance["role"] == "live"]
            self.assertEqual(1, len(live), live)
            harness.wait_for(lambda: len(self.home.instances(name)) == 1, "the end of the old instances")


class Clone(harness.HomeTest):
    def test_a_clone_answers_beside_the_original(self):
        app = self.deployed("mother", "same")
        self.home.davit("config:set", "mother", "SECRET=abc", "PLAIN=1")
        self.home.davit("ps:set", "mother", "stop-timeout-seconds", "7")
        self.home.davit("domains:add", "mother", "mum.localhost")
        self.home.davit("apps:clone", "mother", "daughter")
        self.assert_answers("daughter", "same")
        self.assert_answers("mother", "same")
        self.assertEqual("abc", self.home.davit("config:get", "daughter", "SECRET").stdout.strip())
        self.assertEqual("7", self.home.davit("ps:report", "daughter", "--ps-stop-timeout-seconds").stdout.strip())
        self.assertNotIn("mum", self.home.davit("domains:report", "daughter").stdout)
        self.assert_exit(1, self.home.davit("apps:clone", "mother", "daughter", check=False), "Name is already taken")
        self.home.davit("apps:clone", "--ignore-existing", "mother", "daughter")
        app.git("clone", "-q", str(self.home.repository("daughter")), "copy")
        self.home.davit("ps:rebuild", "daughter")
        self.home.davit("apps:destroy", "--force", "mother")
        self.assert_answers("daughter", "same")
        self.home.davit("ps:restart", "daughter")
        self.assert_answers("daughter", "same")

    def test_the_certificate_stays_with_its_hosts(self):
        with self.home.tls_port():
            self.deployed("sealed", "same")
            self.home.davit("certs:add", "sealed", *self.home.certificate("sealed.localhost"))
            self.home.davit("apps:clone", "sealed", "bare")
            self.assert_answers("bare", "same")
            self.assertEqual(301, self.home.get("sealed")[0])
            self.assertEqual([], list((self.home.path / "plugins/nginx/certs").glob("bare/*")))
            self.home.davit("apps:rename", "sealed", "renamed")
            self.assertEqual(301, self.home.get("renamed")[0])
            self.home.davit("--force", "apps:destroy", "renamed")  # nginx needs no TLS port of ours any more

    def test_without_a_deploy(self):
        self.deployed("plan", "x")
        self.home.davit("apps:clone", "--skip-deploy", "plan", "later")
        self.assertEqual([], self.home.instances("later") if self.home.davit("ps:inspect", "later", check=False).returncode == 0 else [])
        self.assert_exit(1, self.home.davit("ps:rebuild", "later", check=False), "davit ps:start later")
        self.home.davit("config:set", "later", "COLOUR=blue")
        self.home.davit("ps:start", "later")
        self.assert_answers("later", "x")
        self.assertEqual("blue\n", self.home.davit("run", "later", "printenv", "COLOUR").stdout.replace("\r", ""))
        self.home.davit("apps:clone", "plan", "now")
        self.assert_answers("now", "x")


if __name__ == "__main__":
    harness.main()
