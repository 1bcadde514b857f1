"""Apps that move between runtimes while requests come in."""
import unittest

import harness


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


if __name__ == "__main__":
    harness.main()
