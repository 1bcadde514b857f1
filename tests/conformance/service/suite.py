#!/usr/bin/python3
"""What every kind of data service must do, whoever wrote its plugin: real servers, in a davit home of its own.
    suite.py KIND [unittest's options]
A new kind needs an entry in KINDS: how to write a row and to count rows, in the words of its client, and a plugin. `build`: the plugin's
folder, which is built here against an installed SDK, as a third party does.
DAVIT_E2E_RUNTIME=docker: servers are containers, of an image that davit makes of the kind's Debian packages.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

SOURCE = Path(os.environ.get("DAVIT_SOURCE_DIR", Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(SOURCE / "tests" / "e2e"))
import engine  # noqa: E402
import harness  # noqa: E402
from harness import wait_for  # noqa: E402


class Kind:
    def __init__(self, server, write, count, make="", wrong="nonsense", build=None, numbers=lambda text: [w for w in text.split() if w.isdigit()]):
        self.server, self.write, self.count, self.make, self.wrong, self.build, self.numbers = \
            server, write, count, make, wrong, build, numbers


KINDS = {
    "postgres": Kind("postgres", lambda i: f"INSERT INTO t VALUES ({i});\n", "\\t on\n\\a\nSELECT count(*) FROM t;\n",
                     "CREATE TABLE t (n int);\n", "SELECT nonsense;\n"),
    "mysql": Kind("mariadbd", lambda i: f"INSERT INTO t VALUES ({i});\n", "SELECT count(*) FROM t;\n",
                  "CREATE TABLE t (n int) ENGINE=InnoDB;\n", "SELECT nonsense;\n", numbers=lambda text: text.split()[-1:]),
    "redis": Kind("redis-server", lambda i: f"SET key{i} value{i}\n", "DBSIZE\n", wrong="", build="examples/plugins/redis"),
}
NAME = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1] in KINDS else os.environ.get("DAVIT_KIND", "postgres")
KIND = KINDS[NAME]
ROWS = 50
LIMIT_S = 900 if harness.ON_DOCKER else harness.DEADLINE_S  # the first container waits for its image


class Conformance(harness.HomeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if harness.ON_DOCKER:
            settings = cls.home.path / "plugins.toml"
            settings.write_text(engine.with_setting(settings.read_text(), "docker", "mmdebstrap", engine.cached_mmdebstrap(cls.home.folder)))
        if KIND.build:
            cls.home.install(NAME, cls.built())

    @classmethod
    def built(cls):
        """The plugin, by what its author would do."""
        prefix, folder = cls.home.folder / "sdk", cls.home.folder / "plugin"
        shutil.copytree(SOURCE / KIND.build, folder)
        for words in (["--install", harness.BUILD, "--prefix", prefix, "--component", "sdk"],
                      ["-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}"],
                      ["--build", folder / "build"]):
            cls.home.run(["cmake", *words])
        return folder / "build" / "examples" / "plugins" / f"{NAME}.so"

    def service(self, verb, *words, **options):
        return self.home.davit(f"{NAME}:{verb}", *words, **{"timeout": LIMIT_S, **options})

    def run_script(self, name, script, check=True):
        return self.service("connect", name, input=script.encode(), check=check)

    def fill(self, name, rows=range(ROWS)):
        self.run_script(name, KIND.make + "".join(KIND.write(i) for i in rows))

    def rows(self, name):
        return int(KIND.numbers(self.run_script(name, KIND.count).stdout)[-1])

    def info(self, name):
        return self.home.json(f"{NAME}:info", name)

    def export(self, name):
        file = self.home.folder / "dump"
        with open(file, "wb") as out:
            subprocess.run([str(harness.DAVIT), f"{NAME}:export", name], env=self.home.env, stdout=out, check=True, timeout=harness.DEADLINE_S)
        return file.read_bytes()

    def test_1_it_serves_and_says_what_it_is(self):
        self.service("create", "one")
        info = self.info("one")
        self.assertEqual(("one", NAME, "running", []), (info["name"], info["kind"], info["state"], info["linked_apps"]))
        self.assertEqual((harness.RUNTIME, harness.ON_DOCKER), (info["runtime"], info["container_id"] != ""))
        self.assertEqual(KIND.server, Path(f"/proc/{info['pid']}/cmdline").read_bytes().split(b"\0")[0].split(b"/")[-1].split(b" ")[0].decode())
        self.assertTrue(any(Path(info["data_dir"]).iterdir()), "the data are where info says")
        self.fill("one")
        self.assertEqual(ROWS, self.rows("one"))
        if KIND.wrong:  # redis-cli goes on, and ends well
            self.assertNotEqual(0, self.run_script("one", KIND.wrong, check=False).returncode, "a script that fails says so")
        password = info["dsn"].split("@")[0].split(":")[-1]
        self.assertEqual(32, len(password))
        for pid, words in self.home.pids().items():
            self.assertNotIn(password, words, "a password on a command line")
        for file in (self.home.path / "logs").rglob("*"):
            if file.is_file():
                self.assertNotIn(password, file.read_text(errors="replace"), file)

    def test_2_one_can_look_inside(self):
        self.assertEqual("inside\n", self.service("enter", "one", "echo", "inside").stdout)
        self.assertEqual(3, self.service("enter", "one", "bash", "-c", "exit 3", check=False).returncode)
        lines = self.service("logs", "one").stdout.splitlines()
        self.assertEqual(lines[-2:], self.service("logs", "one", "-n", "2").stdout.splitlines())
        self.assert_exit(1, self.service("logs", "one", "-n", "two", check=False), "is no number of lines")
        follower = subprocess.Popen([str(harness.DAVIT), f"{NAME}:logs", "one", "-t", "-n", "1"], env=self.home.env, stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(lines[-1:], follower.stdout.readline().splitlines())
            self.assertIsNone(follower.poll(), "it waits for more")
        finally:
            follower.terminate()
            follower.communicate(timeout=LIMIT_S)

    def test_2_it_comes_back_from_a_stop_and_from_kill_9(self):
        for verb in ("stop", "start", "pause", "start", "restart"):
            self.service(verb, "one")
        self.assertEqual(ROWS, self.rows("one"))
        before = self.info("one")
        self.run_script("one", KIND.write(ROWS))
        os.kill(before["pid"], signal.SIGKILL)
        wait_for(lambda: self.info("one")["pid"] not in (0, before["pid"]), "another server")
        self.assertEqual(ROWS + 1, self.rows("one"), "what was acknowledged is there")
        self.assertEqual(before["dsn"], self.info("one")["dsn"])

    def test_3_a_dump_comes_whole_or_not_at_all(self):
        dump = self.export("one")
        self.service("create", "two")
        self.fill("two", range(3))
        for bad in (dump[:len(dump) - len(dump) // 3], b"neither a dump nor anything else " * 40):
            done = self.service("import", "two", input=bad, check=False)
            self.assertNotEqual(0, done.returncode, done.stdout + done.stderr)
            self.assertEqual(3, self.rows("two"), "the old data stay")
        self.assert_exit(1, self.service("import", "two", input=b"", check=False), "No data provided on stdin")
        self.service("import", "two", input=dump)
        self.assertEqual(ROWS + 1, self.rows("two"))
        self.service("restore", "two", "g1")
        self.assertEqual(3, self.rows("two"))

    def test_4_a_clone_and_an_upgrade_have_the_same_data(self):
        self.assert_exit(1, self.service("clone", "one", "two", check=False), "service two already exists")
        self.service("clone", "one", "three")
        self.assertEqual(ROWS + 1, self.rows("three"))
        dsn = self.info("three")["dsn"]
        self.service("upgrade", "three", "--force")
        self.assertEqual(ROWS + 1, self.rows("three"))
        self.assertEqual(dsn, self.info("three")["dsn"])
        self.assertEqual(["create", "upgrade"], [g["made_by"] for g in self.info("three")["generations"]])
        self.assert_exit(1, self.service("forget", "three", "g2", "--force", check=False), "g2 is what service three has now")
        self.service("forget", "three", "g1", "--force")
        self.assertEqual(["upgrade"], [g["made_by"] for g in self.info("three")["generations"]])
        self.assertEqual(ROWS + 1, self.rows("three"))

    def test_5_backups_are_kept_and_are_good(self):
        self.service("set", "one", "backup-keep", "1")
        first = Path(self.service("backup", "one").stdout.rstrip("\n"))
        self.assertTrue(first.is_file())
        self.assertIn("exactly what was in the service", self.service("backup-verify", "one").stdout)
        self.assertIn("exactly what was in the service", self.service("backup-verify", "one", str(first.parent)).stdout)
        wait_for(lambda: Path(self.service("backup", "one").stdout.rstrip("\n")) != first, "a backup of another second")
        self.assertFalse(first.exists(), "one is kept")
        self.assertEqual(1, len(list(first.parent.glob("*.dump"))))
        self.assertEqual(1, len(self.info("one")["generations"]), "what was thrown away is gone")

    def test_6_it_is_exposed_only_on_purpose(self):
        inner, outer = self.info("one")["port"], self.home.ports.next()
        addresses = [line.split()[3] for line in subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout.splitlines()]
        self.assertIn(f"127.0.0.1:{inner}", addresses)
        self.assertNotIn(f"0.0.0.0:{inner}", addresses)
        self.assert_exit(1, self.service("expose", "one", str(inner + 1), check=False), "is one of those that apps and services are given")
        self.assert_exit(1, self.service("expose", "one", str(self.home.port), check=False), f"Port {self.home.port} is where apps answer")
        with socket.create_server(("127.0.0.1", outer)):
            done = self.service("expose", "one", str(outer), check=False)
            self.assert_exit(1, done, f"Port {outer} is taken by", f"(pid {os.getpid()})", "Choose another")
        self.assertEqual(0, self.info("one")["exposed_port"])
        self.service("expose", "one", str(outer))
        self.assertEqual(outer, self.info("one")["exposed_port"])
        socket.create_connection(("127.0.0.1", outer), 10).close()
        self.service("unexpose", "one")
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", outer), 10).close()

    def test_7_the_trash_gives_back(self):
        self.service("destroy", "one", "--force")
        self.assert_exit(1, self.service("exists", "one", check=False), "service one does not exist")
        self.service("create", "one")
        self.assertIn("one", self.service("list").stdout.split())
        self.assert_exit(1, self.service("restore", "one", check=False), "service one already exists")
        self.assert_exit(1, self.service("restore", "one", "--as", "Not Good", check=False), "Please specify a valid name for the service")
        self.assert_exit(1, self.service("restore", "one", "gx", check=False), "is no generation")
        self.service("restore", "one", "--as", "first")
        self.assertEqual(ROWS + 1, self.rows("first"))


if __name__ == "__main__":
    harness.main()
