"""The same, on a home that a normal user owns: nothing needs root at run time."""
import os
import pwd
import subprocess
import unittest

import harness
from harness import App


NAME = f"davit-e2e-{os.getpid()}"  # another run of this test may be going on


def throw_away_user():
    subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME], check=True)
    return pwd.getpwnam(NAME).pw_uid


@unittest.skipIf(os.geteuid() != 0, "SKIPPED aloud: making a throw-away user needs root; the other tests run as a normal user then")
class NormalUser(harness.HomeTest):
    @classmethod
    def setUpClass(cls):
        cls.user = throw_away_user()
        cls.addClassCleanup(subprocess.run, ["userdel", NAME], capture_output=True)
        super().setUpClass()

    def test_push_scale_rollback(self):
        app = self.deployed("mine", "one")
        app.server("two")
        app.commit()
        with harness.Load(self.home, "mine") as load:
            app.push()
            self.home.davit("ps:scale", "mine", "web=2")
            self.home.davit("releases:rollback", "mine")
        self.assertEqual([], load.bad[:3])
        self.assertEqual("one", self.home.get("mine")[1].strip())
        owners = {os.stat(f"/proc/{row['pid']}").st_uid for row in self.home.instances("mine") if row["pid"]}
        self.assertEqual({self.user}, owners)

    def test_examples(self):
        for example in ("static", "python"):
            app = App.__new__(App)
            self.home.davit("apps:create", f"x-{example}")
            app.__init__(self.home, f"x-{example}", example)
            app.commit()
            app.push()
            self.assertEqual(200, self.home.get(f"x-{example}")[0])


class RootOwner(harness.HomeTest):
    @unittest.skipIf(os.geteuid() != 0, "SKIPPED aloud: this home is owned by a normal user")
    def test_instances_do_not_run_as_root(self):
        self.deployed("dropped", "one")
        for row in self.home.instances("dropped"):
            self.assertNotEqual(0, os.stat(f"/proc/{row['pid']}").st_uid)
            with open(f"/proc/{row['pid']}/status") as status:
                facts = dict(line.split(":\t", 1) for line in status if ":\t" in line)
            self.assertEqual(0, int(facts["CapEff"], 16))
            self.assertEqual("1", facts["NoNewPrivs"].strip())

    @unittest.skipIf(os.geteuid() != 0, "SKIPPED aloud: this home is owned by a normal user")
    def test_an_app_cannot_read_the_home(self):
        app = self.app("nosy")
        app.server("unused")
        app.write("server.py", harness.SERVER.replace("@EXTRA@", "").replace(
            "@ANSWER@", f"repr((os.path.exists('{self.home.path}/davit.db'), os.access('/etc/shadow', os.R_OK)))"))
        app.commit()
        app.push()
        self.assertEqual("(False, False)", self.home.get("nosy")[1].strip())


if __name__ == "__main__":
    harness.main()
