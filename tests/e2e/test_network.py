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
        self.assert_exit(1, self.home.davit("network:destroy", "--force", meeting, check=False), "joins")
        self.home.davit("network:set", "left", "initial-network")
        for app in ("left", "right"):
            self.home.davit("network:set", app, "attach-post-create")
            self.home.davit("ps:restart", app)
        harness.wait_for(lambda: not self.home.json("network:info", meeting)["containers"], "the end of the old containers")
        self.home.davit("network:destroy", meeting)
        self.assert_exit(1, self.home.davit("network:exists", meeting, check=False), "Network does not exist")

    def test_one_that_is_missing_or_a_strangers(self):
        self.deployed("alone", "still here")
        self.home.davit("network:set", "alone", "attach-post-create", "nowhere")
        self.assert_exit(1, self.home.davit("ps:restart", "alone", check=False), "which does not exist")
        self.assert_answers("alone", "still here")
        self.assert_exit(1, self.home.davit("network:destroy", "davit-stranger", check=False), "was not made by network:create")
        self.assert_exit(1, self.home.davit("network:create", "a/b", check=False), "no name of a network")


if __name__ == "__main__":
    harness.main()
