"""Config values are on no command line: every execve of a push, a run, an enter and a release is looked at, and what then runs."""
import shutil
from pathlib import Path

import harness

SECRET = "hush-7f3a91"


class Secrets(harness.HomeTest):
    def traced(self, name, argv, **options):
        """Runs argv; the text of every program start below it."""
        strace = shutil.which("strace", path="/usr/bin")
        self.assertIsNotNone(strace, "strace is missing: run scripts/install-deps")
        log = self.home.folder / f"{name}.strace"
        self.home.run([strace, "-f", "-qq", "-s", "65536", "-e", "trace=execve", "-e", "signal=none", "-o", log, *argv], **options)
        text = log.read_text(errors="replace")
        self.assertIn("davit-worker", text)
        return text

    def test_no_command_line_has_a_config_value(self):
        app = self.app("hushed")
        app.server("one")
        app.commit()
        app.push()  # starts what outlives a command: strace would wait for it
        starts = self.traced("import", [harness.DAVIT, "config:import", "hushed", "-"], input=f"TOKEN={SECRET}\n".encode())
        app.write("Procfile", "release: test -n \"$TOKEN\"\nweb: exec python3 -u server.py\n")
        app.commit()
        starts += self.traced("push", ["git", "push", str(self.home.repository("hushed")), "HEAD:refs/heads/main"], cwd=app.folder)
        starts += self.traced("run", [harness.DAVIT, "run", "hushed", "printenv", "TOKEN"])
        starts += self.traced("enter", [harness.DAVIT, "enter", "hushed", "web", "true"])
        # What the user types is on that command line, and on no other.
        starts += "\n".join(self.traced("run-env", [harness.DAVIT, "run", "-e", f"MORE={SECRET}", "hushed", "printenv", "MORE"]).splitlines()[1:])
        self.assertNotIn(SECRET, starts)
        self.assertEqual("x\ny", self.home.davit("run", "-e", "MORE=x\ny", "-e", "NONE=", "hushed", "printenv", "MORE").stdout.strip())
        self.assertEqual([], [file.name for file in (self.home.path / "run").glob("env-*")])
        self.assertEqual(SECRET, self.home.davit("run", "hushed", "printenv", "TOKEN").stdout.strip())
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    self.assertNotIn(SECRET.encode(), (entry / "cmdline").read_bytes(), entry)
                except OSError:
                    continue
        logs = "".join(file.read_text(errors="replace") for file in (self.home.path / "logs").rglob("*") if file.is_file())
        self.assertNotIn(SECRET, logs)


if __name__ == "__main__":
    harness.main()
