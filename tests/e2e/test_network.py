"""Networks that users make: apps of one meet by name, others do not, and a stranger's is never removed."""
import unittest

import harness


class Networks(harness.HomeTest):
    @classmethod
    def setUpClass(cls):
        if not harness.ON_DOCKER:
            raise unittest.SkipTest("networks are the docker runtime's: set DAVIT_E2E_RUNTIME=docker")
        super().setUpClass()

    def reaches(self, app, host):
        code = f"import urllib.request; print(urllib.request.urlopen('http://{host}:5000/', timeout=5).read().decode())"
        return self.home.davit("run", app, "python3", "-c", code, check=False)

    def test_apps_meet_on_a_network_that_they_join(self):
        self.deployed("left", "from the left")
        self.deployed("right", "from the right")
        meeting = f"meet-{self.home.ports.first}"
        self.assertNotEqual(0, self.reaches("left", "right.web.1").returncode, "apps are apart")
        self.home.davit("network:create", meeting)
        self.assert_exit(1, self.home.davit("network:create", meeting, check=False), "Network already exists")
        self.assertIn(meeting, self.home.json("network:list"))
        self.home.davit("network:exists", meeting)
        for app in ("left", "right"):
            self.home.davit("network:set", app, "attach-post-create", meeting)
            self.home.davit("ps:restart", app)
        self.home.davit("network:set", "left", "initial-network", meeting)
        self.assertIn("from the right", self.reaches("left", "right.web.1").stdout)
        self.assertIn("right.web.1", str(self.home.json("network:info", meeting)["containers"]))
        self.assert_exit(1, self.home.davit("network:destroy", "--force", meeting, check=False), "left joins", "davit network:set left initial-network")
        self.home.davit("network:set", "left", "initial-network")
        for app in ("left", "right"):
            self.home.davit("network:set", app, "attach-post-create")
            self.home.davit("ps:restart", app)
        self.home.davit("network:set", "--global", "attach-post-create", f"nowhere,{meeting}")
        self.assert_exit(1, self.home.davit("network:destroy", "--force", meeting, check=False), "joins", "davit network:set --global attach-post-create nowhere")
        self.home.davit("network:set", "--global", "attach-post-create")
        harness.wait_for(lambda: not self.home.json("network:info", meeting)["containers"], "the end of the old containers")
        self.home.davit("network:destroy", meeting)
        self.assert_exit(1, self.home.davit("network:exists", meeting, check=False), "Network does not exist")

    def test_a_network_that_only_healthy_instances_join(self):
        """attach-post-deploy: by the name of all instances of a type, and never an instance that the checks have not passed."""
        self.deployed("asks", "nothing")
        app = self.deployed("answers", "one")
        meeting = f"healthy-{self.home.ports.first}"
        self.home.davit("network:create", meeting)
        self.home.davit("network:set", "asks", "attach-post-create", meeting)
        self.home.davit("network:set", "answers", "attach-post-deploy", meeting)
        self.home.davit("ps:restart", "answers")

        def on_it():
            return {name for name in self.home.json("network:info", meeting)["containers"] if name.startswith("answers.")}
        harness.wait_for(lambda: on_it() == {"answers.web.1"}, "the end of the old container")
        self.assertIn("one", self.reaches("asks", "answers.web").stdout, "tasks join, too")
        self.home.davit("ps:scale", "answers", "web=2")
        self.assertEqual({"answers.web.1", "answers.web.2"}, on_it())
        self.home.davit("run", "answers", "true")
        self.assertEqual({"answers.web.1", "answers.web.2"}, on_it(), "tasks are not for others")
        # While the new ones are starting, the old ones alone are found; one that is never healthy is never found.
        app.write("app.json", '{"healthchecks": {"web": [{"type": "startup", "command": ["false"], "attempts": 1, "wait": 1}]}}')
        before = {row["id"] for row in self.home.instances("answers")}
        app.commit()
        self.assertNotEqual(0, app.push(check=False).returncode)
        self.assertEqual(before, {row["id"] for row in self.home.instances("answers")})
        self.assertIn("one", self.reaches("asks", "answers.web").stdout)
        self.assert_exit(1, self.home.davit("network:destroy", "--force", meeting, check=False), "answers joins", "davit network:set answers attach-post-deploy")

    def test_all_interfaces(self):
        def where(app):
            return {port["IP"] for row in self.home.engine.of_home(self.home.path)[0] if row["Labels"].get("davit.owner") == app
                    for port in row["Ports"] if "PublicPort" in port}
        self.deployed("open", "to all")
        self.assertEqual({"127.0.0.1"}, where("open"))
        self.home.davit("network:set", "open", "bind-all-interfaces", "true")
        self.home.davit("ps:restart", "open")
        harness.wait_for(lambda: where("open") == {"0.0.0.0"}, "the end of the old container")
        self.assert_answers("open", "to all")
        self.assert_exit(1, self.home.davit("network:set", "open", "bind-all-interfaces", "some", check=False), "bind-all-interfaces")
        self.home.davit("plugin:enable", "process")
        self.home.davit("ps:set", "open", "runtime", "process")
        self.assertIn("means nothing on process", self.home.davit("network:set", "open", "bind-all-interfaces", "false").stderr)

    def test_one_that_is_missing_or_a_strangers(self):
        self.deployed("alone", "still here")
        self.home.davit("network:set", "alone", "attach-post-create", "nowhere")
        self.assert_exit(1, self.home.davit("ps:restart", "alone", check=False), "which does not exist")
        self.assert_answers("alone", "still here")
        self.assert_exit(1, self.home.davit("network:destroy", "davit-stranger", check=False), "was not made by network:create")
        self.assert_exit(1, self.home.davit("network:create", "a/b", check=False), "no name of a network")
        # The engine takes the beginning of an id for a name.
        beginning = self.home.engine.ask("GET", "/networks/davit-stranger")["Id"][:12]
        self.assert_exit(1, self.home.davit("network:exists", beginning, check=False), "does not exist")
        self.assert_exit(1, self.home.davit("network:destroy", beginning, check=False), "does not exist")
        for key in ("attach-post-create", "attach-post-deploy"):
            self.home.davit("network:set", "alone", "attach-post-create")
            self.home.davit("network:set", "alone", key, beginning)
            self.assert_exit(1, self.home.davit("ps:restart", "alone", check=False), "which does not exist")
        self.home.davit("network:set", "alone", "attach-post-deploy")
        # A stranger's, unless the operator names it.
        self.home.davit("network:set", "alone", "attach-post-create", "davit-stranger")
        self.assert_exit(1, self.home.davit("ps:restart", "alone", check=False), "was not made by network:create", 'networks = ["davit-stranger"]')
        self.assert_exit(1, self.home.davit("run", "alone", "true", check=False), "was not made by network:create")
        self.assert_exit(1, self.home.davit("network:info", "davit-stranger", check=False), "was not made by network:create")
        settings = "[plugins.docker.settings]\n"
        with self.home.settings(lambda text: text.replace(settings, settings + 'networks = ["davit-stranger"]\n', 1)):
            self.home.davit("ps:restart", "alone")
            harness.wait_for(lambda: "alone.web.1" in self.home.json("network:info", "davit-stranger")["containers"], "the end of the old container")
        self.home.davit("network:set", "alone", "attach-post-create")
        self.home.davit("ps:restart", "alone")
        self.home.davit("network:set", "alone", "initial-network", "host")
        self.assert_exit(1, self.home.davit("ps:restart", "alone", check=False), "a network of the engine's own")
        self.assert_answers("alone", "still here")


if __name__ == "__main__":
    harness.main()
