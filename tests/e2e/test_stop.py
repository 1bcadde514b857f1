"""system:stop ends what goes on detached, and what that had started; the next system:start finishes it or takes it back."""
import subprocess
import threading

import harness

# Like git, but its `gc` does not end by itself.
ENDLESS_GC = """#!/bin/sh
for word; do
  if [ "$word" = gc ]; then while :; do sleep 1; done; fi
done
exec /usr/bin/git "$@"
"""


class Stop(harness.HomeTest):
    def states(self, name):
        return [row["state"] for row in self.home.json("deploys:list", name)]

    def newest(self, name):
        row = self.home.json("deploys:list", name)[0]
        return row["state"], row["phase"]

    def in_the_middle(self, name, phase):
        harness.wait_for(lambda: self.newest(name)[1] == phase, f"{name} is in its {phase}")

    def test_in_the_middle_of_everything(self):
        # One drains a request that takes longer than anybody waits for, ...
        draining = self.deployed("draining", "old")
        self.home.davit("checks:set", "draining", "wait-to-retire", "300")
        request = threading.Thread(target=self.ask, args=("draining", "/slow=300"))
        request.start()
        draining.server("new")
        draining.commit()
        draining.push()
        self.in_the_middle("draining", "drain")
        # ... one clears up with a git that does not end, ...
        folder = self.home.folder / "bin"
        folder.mkdir()
        (folder / "git").write_text(ENDLESS_GC)
        (folder / "git").chmod(0o755)
        self.deployed("tidying", "same")
        harness.wait_for(lambda: self.newest("tidying")[0] == "done", "the first deployment is over")
        self.home.davit("ps:restart", "tidying", env={"PATH": f"{folder}:{self.home.env['PATH']}"})
        harness.wait_for(lambda: [words for words in self.home.pids().values() if " gc " in words], "gc runs")
        # ... and one is before its switch.
        building = self.deployed("building", "old")
        building.write("Procfile", "release: sleep 300\nweb: exec python3 -u server.py\n")
        building.commit()
        push = subprocess.Popen(["git", "push", str(self.home.repository("building")), "HEAD:refs/heads/main"], cwd=building.folder,
                                env=self.home.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.in_the_middle("building", "release")

        stopped = self.home.davit("system:stop")
        self.assertEqual({}, {pid: words for pid, words in self.home.pids().items() if pid != push.pid and "git push" not in words
                              and "git-receive-pack" not in words and "receive-pack" not in words and "git:hook" not in words})
        self.assertIn("Cancelling deployment", stopped.stdout)
        self.assertIn("is cut", stopped.stderr)
        shown, _ = push.communicate(timeout=60)
        self.assertNotEqual(0, push.returncode, shown)
        request.join(60)
        self.assertFalse(request.is_alive())

        self.home.davit("system:start")
        for name, answer in (("draining", "new"), ("tidying", "same"), ("building", "old")):
            harness.wait_for(lambda: self.answer(name) == (200, answer), f"{name} answers {answer}")
            self.assertEqual(1, len({row["revision"] for row in self.home.instances(name)}), name)
        self.assertEqual(["done", "done"], self.states("draining"))
        self.assertEqual(["done", "done"], self.states("tidying"))
        self.assertEqual(["cancelled", "done"], self.states("building"))
        self.assertEqual([], list((self.home.path / "run" / "work").glob("*")))

    def ask(self, name, path):
        try:
            return self.home.get(name, path, timeout=120)
        except (OSError, harness.http.client.HTTPException):
            return None

    def answer(self, name):
        got = self.ask(name, "/")
        return got and (got[0], got[1].strip())


if __name__ == "__main__":
    harness.main()
