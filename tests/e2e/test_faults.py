"""Others' code and the machine fail in a deploy: the reason is told, the old release answers, and the next push works."""
import contextlib
import errno
import os
import shutil
import subprocess
import threading
import unittest
from pathlib import Path

import harness

AS_ROOT = os.geteuid() == 0
MARK = f"98765.{os.getpid()}"  # of this run alone


def processes_with(word):
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and word.encode() in (entry / "cmdline").read_bytes():
                found.append((entry / "cmdline").read_bytes())
        except OSError:
            continue
    return found


def last_lines(done):
    """What davit said at the end of a push, without git's own words about the refusal."""
    said = [line[8:].strip() for line in done.stderr.splitlines() if line.startswith("remote: ")]
    return "\n".join([line for line in said if line][-3:])


class BuildFaults(harness.HomeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home.davit("apps:create", "victim")
        cls.victim = harness.App(cls.home, "victim")
        cls.victim.server("good")
        cls.victim.commit()
        cls.victim.push()
        cls.packs = cls.home.folder / "packs"

    def pack(self, name, **scripts):
        """A buildpack folder; scripts that are not given do what is right."""
        folder = self.packs / name / "bin"
        shutil.rmtree(folder.parent, ignore_errors=True)
        folder.mkdir(parents=True)
        for script, text in {"detect": "echo Test", "compile": "echo compiled", "release": "echo ---", **scripts}.items():
            (folder / script).write_text(f"#!/bin/bash\n{text}\n")
            (folder / script).chmod(0o755)
        return str(folder.parent)

    def push_with(self, pack):
        self.home.davit("buildpacks:set", "victim", pack)
        self.victim.commit()
        return self.victim.push(check=False)

    def refused(self, done, *words):
        self.assert_exit(1, done, "pre-receive hook declined")
        for word in words:
            self.assertIn(word, last_lines(done))
        self.assert_answers("victim", "good")
        self.assertEqual([], list((self.home.path / "run" / "work").glob("*")))

    def test_a_buildpack_that_fails_in_each_script(self):
        cases = {"detect": ("echo nothing for me; exit 7", "App not compatible with buildpack"),
                 "compile": ("echo out of luck; exit 8", "failed in bin/compile with exit code 8"),
                 "release": ("echo no release; exit 9", "failed in bin/release with exit code 9")}
        for script, (text, words) in cases.items():
            with self.subTest(script):
                self.refused(self.push_with(self.pack(f"fails-{script}", **{script: text})), words)

    def test_a_buildpack_that_hangs_in_each_script_is_ended_with_all_it_started(self):
        hang = f"echo begun; setsid sleep {MARK} & sleep {MARK} & wait"
        with self.home.settings(lambda text: text.replace("[plugins.buildstep.settings]", "[plugins.buildstep.settings]\nbuild-timeout = \"2s\"")
                                if "[plugins.buildstep.settings]" in text else
                                text + "\n[plugins.buildstep.settings]\nbuild-timeout = \"2s\"\n"):
            for script in ("detect", "compile", "release"):
                with self.subTest(script):
                    stubborn = "trap '' TERM\n" if script == "compile" else ""
                    done = self.push_with(self.pack(f"hangs-{script}", **{script: stubborn + hang}))
                    self.refused(done, "The build took longer than 2 s and was stopped", "build-timeout")
                    self.assertEqual([], processes_with(MARK))
        self.home.davit("buildpacks:clear", "victim")
        self.victim.commit()
        self.victim.push()

    def test_a_kill_in_a_build_leaves_nothing_of_it(self):
        """Of the worker: its guard repairs. Of the guard: the next command does. Of the helper that
        started the build: it has failed. The build's processes go with any of them; containers at the next look at them."""
        self.home.davit("buildpacks:set", "victim", self.pack("killed", compile=f"echo begun; trap '' TERM; sleep {MARK} & sleep {MARK}"))
        for victim in ("davit-worker", "davit") if harness.ON_DOCKER else ("davit-worker", "davit", "davit-sandbox"):
            with self.subTest(victim):
                self.victim.commit()
                push = subprocess.Popen(["git", "push", str(self.home.repository("victim")), "HEAD:refs/heads/main"], cwd=self.victim.folder,
                                        env=self.home.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                harness.wait_for(lambda: len(processes_with(MARK)) >= 2, "the build runs")
                # The newest: the worker of the deployment before may still be draining.
                worker = max(pid for pid, words in self.home.workers().items() if "davit-worker deploy" in words)
                helper = next((pid for pid, words in self.home.pids().items() if "davit-sandbox task " in words), None)
                os.kill({"davit-worker": worker, "davit": harness.parent_of(worker), "davit-sandbox": helper}[victim], 9)
                output = push.communicate(timeout=60)[0].decode()
                self.assertEqual(1, push.returncode, output)
                self.assert_answers("victim", "good")
                if harness.ON_DOCKER:
                    self.home.davit("ps:restart", "victim")
                harness.wait_for(lambda: not processes_with(MARK), "the build's processes are gone")
                self.home.davit("ps:restart", "victim")
                self.assertEqual([], [row for row in self.home.json("deploys:list", "victim") if row["state"] not in ("done", "undone", "draining")])
                harness.wait_for(lambda: not list((self.home.path / "run" / "work").glob("*")), "no scratch: that of the restart goes when it has drained")
        self.home.davit("buildpacks:clear", "victim")

    def test_nginx_refuses_the_new_configuration(self):
        app = self.deployed("refused", "one")
        extra = self.home.path / "plugins" / "nginx" / "site.d" / "refused"
        extra.mkdir(parents=True)
        (extra / "mine.conf").write_text("no_such_directive on;\n")
        app.server("two")
        app.commit()
        done = app.push(check=False)
        self.assert_exit(1, done, "pre-receive hook declined")
        self.assertIn('nginx refuses the configuration: unknown directive "no_such_directive"', last_lines(done))
        self.assertEqual("undone", self.home.json("deploys:list", "refused")[0]["state"])
        self.assert_answers("refused", "one")
        self.assert_answers("victim", "good")
        # What is on disk is the last good configuration: an nginx that starts anew takes it.
        masters = [pid for pid, words in self.home.pids().items() if "nginx: master" in words]
        os.kill(masters[0], 9)
        harness.wait_for(lambda: [pid for pid, words in self.home.pids().items() if "nginx: master" in words and pid not in masters],
                         "a new nginx")
        self.home.davit("system:start")
        self.assert_answers("refused", "one")
        (extra / "mine.conf").write_text("add_header X-Mine yes;\n")
        app.push()
        self.assert_answers("refused", "two")
        self.assertIn("site.d", self.home.davit("nginx:show-config", "refused").stdout)


@unittest.skipUnless(AS_ROOT, "SKIPPED aloud: mounting a small disk needs root")
class FullDisk(harness.HomeTest):
    """The whole home is on a disk of 300 MiB."""

    @staticmethod
    def prepare(path):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m,mode=755", "davit-e2e-disk", str(path)], check=True)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(shutil.rmtree, cls.home.folder, True)
        cls.addClassCleanup(subprocess.run, ["umount", str(cls.home.path)], check=True)

    def free(self):
        return shutil.disk_usage(self.home.path).free

    def fill(self, left):
        """Ballast, so that `left` bytes are free."""
        ballast = self.home.path / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self.free() - left)
        return ballast

    @contextlib.contextmanager
    def not_a_byte_free(self):
        """Another program takes what there is, and what others give back (git's gc, a log that is rotated) at once, too."""
        hog = self.home.path / "ballast"
        is_full, is_over = threading.Event(), threading.Event()

        def take():
            with hog.open("wb", buffering=0) as file:
                while not is_over.is_set():
                    try:
                        file.write(bytes(1 << 20))
                    except OSError as error:
                        if error.errno != errno.ENOSPC:
                            raise
                        is_full.set()
                        is_over.wait(0.001)

        thread = threading.Thread(target=take)
        thread.start()
        try:
            self.assertTrue(is_full.wait(60))
            yield
        finally:
            is_over.set()
            thread.join()
            hog.unlink()

    def test_a_build_that_fills_the_disk(self):
        app = self.deployed("filler", "one")
        before = self.free()
        pack = self.home.folder / "fills" / "bin"
        pack.mkdir(parents=True)
        for script, text in {"detect": "echo Fills", "compile": "exec head -c 400000000 /dev/zero >\"$1/big\"", "release": "echo ---"}.items():
            (pack / script).write_text(f"#!/bin/bash\n{text}\n")
            (pack / script).chmod(0o755)
        self.home.davit("buildpacks:set", "filler", str(pack.parent))
        app.server("two")
        app.commit()
        done = app.push(check=False)
        self.assert_exit(1, done, "No space left on device", "pre-receive hook declined")
        self.assertIn("The disk of the davit home is full", last_lines(done))
        self.assert_answers("filler", "one")
        self.assertEqual("undone", self.home.json("deploys:list", "filler")[0]["state"])
        self.assertGreater(self.free(), before - (8 << 20), "what the build wrote is gone")
        self.home.davit("buildpacks:clear", "filler")
        app.push()
        self.assert_answers("filler", "two")

    def test_a_disk_without_room(self):
        app = self.deployed("tight", "one")
        app.server("two")
        app.commit()
        ballast = self.fill(100 << 20)
        done = app.push(check=False)
        self.assert_exit(1, done, "pre-receive hook declined")
        self.assertRegex(last_lines(done), r"The disk of \S+ has \d+ MiB free, and a build of \S+ needs about \d+ MiB")
        self.assert_answers("tight", "one")
        ballast.unlink()
        with self.not_a_byte_free():
            for words in (["apps:create", "nowhere"], ["config:set", "tight", "A=" + "x" * 100_000], ["ps:restart", "tight"]):
                with self.subTest(words[0]):
                    done = self.home.davit(*words, check=False)
                    self.assert_exit(1, done)
                    self.assertRegex(done.stdout + done.stderr, r"(?i)no space left.*\n.*(free some space|make room)")
            self.assert_answers("tight", "one")
            self.assertNotIn("nowhere", self.home.davit("apps:list").stdout)
        app.push()
        self.assert_answers("tight", "two")


@unittest.skipUnless(AS_ROOT, "SKIPPED aloud: a read-only mount needs root")
class ReadOnly(harness.HomeTest):
    """The disk of the home became read-only, as a kernel does with a disk that fails."""

    def test_each_command_says_what_to_do(self):
        app = self.deployed("ro", "one")
        self.home.davit("config:set", "ro", "A=b")
        harness.wait_for(lambda: {"done"} == {row["state"] for row in self.home.json("deploys:list", "ro")}, "the drain, which writes")
        key = self.home.folder / "key"
        self.home.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
        app.server("two")
        app.commit()
        home = str(self.home.path)
        subprocess.run(["mount", "--bind", home, home], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", home], check=True)
            self.assertIn("ro", self.home.davit("apps:list").stdout)
            self.assertEqual("b\n", self.home.davit("config:get", "ro", "A").stdout)
            self.assertRegex(self.home.davit("ps:report", "ro").stdout, r"Status web 1: +running")
            self.home.davit("logs", "ro", "--num", "1")
            self.assertIn("private", self.home.davit("nginx:report", "ro").stdout)
            for words in (["apps:create", "other"], ["config:set", "ro", "A=c"], ["config:unset", "ro", "A"],
                          ["domains:add", "ro", "x.example.com"], ["ps:scale", "ro", "web=2"], ["ps:restart", "ro"], ["ps:stop", "ro"],
                          ["nginx:set", "ro", "hsts", "false"], ["checks:set", "ro", "wait-to-retire", "5"], ["--force", "apps:destroy", "ro"],
                          ["buildpacks:set", "ro", "davit/python"], ["releases:rollback", "ro"], ["system:start"], ["apps:lock", "ro"],
                          ["plugin:disable", "nginx"], ["ssh-keys:add", "me", f"{key}.pub"]):
                with self.subTest(words[0]):
                    done = self.home.davit(*words, check=False)
                    self.assert_exit(1, done)
                    self.assertRegex(done.stderr, r"(?i)read-only|cannot be written")
            done = app.push(check=False)
            self.assertNotEqual(0, done.returncode)
            self.assertIn("unable to create temporary object directory", done.stderr)  # git itself, before it asks us
            self.assert_answers("ro", "one")
        finally:
            subprocess.run(["umount", home], check=True)
        self.home.davit("config:set", "ro", "A=c")
        app.push()
        self.assert_answers("ro", "two")


if __name__ == "__main__":
    harness.main()
