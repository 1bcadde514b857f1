"""What an app keeps: folders that outlive releases, seen by instances and one-off processes, and never by two releases at once."""
import contextlib
import os
import sqlite3
import unittest

import harness

COUNTING = '''
import fcntl, os, sys
if os.path.isdir("/data"):
    lock = open("/data/lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        open("/data/two-at-once", "w").close()
    open("/data/starts", "a").write("x")
'''


class Storage(harness.HomeTest):
    def place(self, name):
        return self.home.path / "storage" / name

    def test_a_folder_outlives_releases_and_two_never_have_it(self):
        name = "keeper"
        self.home.davit("storage:ensure-directory", "data")
        self.assertTrue(self.place("data").is_dir())
        if os.geteuid() == 0:
            self.assertNotEqual(0, self.place("data").stat().st_uid, "the app's user owns it")
        app = self.app(name)
        app.server("one", COUNTING)
        app.commit()
        done = self.home.davit("storage:mount", name, "data:/data")
        self.assertIn("Mounted", done.stdout)
        app.push()
        self.assert_answers(name, "one")
        app.server("two", COUNTING)
        app.commit()
        pushed = app.push()
        self.assertIn("is not for two releases at once", pushed.stderr)
        self.assert_answers(name, "two")
        self.home.davit("ps:restart", name)
        self.assertEqual("xxx", (self.place("data") / "starts").read_text())
        self.assertFalse((self.place("data") / "two-at-once").exists())
        self.assertEqual("xxx", self.home.davit("run", name, "cat", "/data/starts").stdout.strip())
        self.home.davit("run", name, "sh", "-c", "echo hello > /data/note")
        self.assertEqual("hello\n", (self.place("data") / "note").read_text())

        rows = self.home.json("storage:list", name)
        self.assertEqual([{"host_path": str(self.place("data")), "container_path": "/data", "volume_options": ""}], rows)
        report = self.home.davit("storage:report", name, "--storage-deploy-mounts").stdout.strip()
        self.assertEqual(f"-v {self.place('data')}:/data", report)
        for source in ("data", "other"):
            self.assert_exit(1, self.home.davit("storage:mount", name, f"{source}:/data", check=False), "Mount path already exists.")
        self.assertFalse(self.place("other").exists(), "what is refused leaves nothing")
        self.home.davit("storage:unmount", name, "data:/data")
        self.assert_exit(1, self.home.davit("storage:unmount", name, "data:/data", check=False), "Mount path does not exist.")
        self.home.davit("ps:restart", name)
        self.assertEqual("xxx", (self.place("data") / "starts").read_text(), "it is not there any more")
        self.home.davit("apps:destroy", "--force", name)
        self.assertEqual("hello\n", (self.place("data") / "note").read_text(), "what is kept outlives the app")

    @unittest.skipUnless(os.geteuid() == 0, "only root gives folders away")
    def test_a_folder_is_given_to_the_user_of_an_image(self):
        for owner, expected in (("7000", (7000, 7000)), ("7001:7002", (7001, 7002))):
            self.home.davit("storage:ensure-directory", "--chown", owner, "numbered")
            self.assertEqual(expected, (self.place("numbered").stat().st_uid, self.place("numbered").stat().st_gid))
        for owner in ("7000x", "-1", "7:", "4294967295", "99999999999"):
            self.assert_exit(1, self.home.davit("storage:ensure-directory", "--chown", owner, "numbered", check=False), "UID:GID")

    def test_shared_and_read_only_mounts_drop_no_request(self):
        name = "sharer"
        self.home.davit("storage:ensure-directory", "assets")
        (self.place("assets") / "logo").write_text("a logo")
        app = self.deployed(name)
        self.home.davit("storage:mount", name, "assets:/assets:ro")
        self.home.davit("storage:mount", name, "scratch:/scratch:shared")
        with harness.Load(self.home, name) as load:
            self.home.davit("ps:restart", name)
            self.home.davit("ps:restart", name)
        self.assertEqual([], load.bad[:5])
        self.assertEqual("a logo", self.home.davit("run", name, "cat", "/assets/logo").stdout)
        refused = self.home.davit("run", name, "sh", "-c", "echo x > /assets/logo", check=False)
        self.assertNotEqual(0, refused.returncode)
        self.assertEqual("a logo", (self.place("assets") / "logo").read_text())

    @unittest.skipIf(harness.ON_DOCKER, "the engine stays inside the container by itself")
    def test_a_link_of_the_app_is_no_place_for_a_mount(self):
        app = self.app("linker")
        app.server("one")
        (app.folder / "uploads").symlink_to("elsewhere")
        app.commit()
        self.home.davit("storage:mount", "linker", "uploads:/app/uploads")
        pushed = app.push(check=False)
        self.assertNotEqual(0, pushed.returncode)
        self.assertIn("nothing can be mounted at /app/uploads: /app/uploads is a link", pushed.stderr)
        (app.folder / "uploads").unlink()
        app.commit()
        app.push()
        self.assertEqual("", self.home.davit("run", "linker", "ls", "/app/uploads").stdout)

    def test_what_may_not_be_mounted(self):
        self.app("careful")
        for what, word in ((f"{self.home.path}:/x", "davit"), (f"{self.home.path}/slugs:/x", "davit's own"),
                           (f"{self.home.folder}:/x", "has the davit home inside"), ("/:/x", "absolute path"),
                           ("data:/app", "hide the app"), ("../x:/x", "characters"), ("/srv/../etc:/x", "absolute path"),
                           ("data:/run", "would hide /run/davit"), ("data", "divided by colon"), ("/nonexistent-davit:/x", "does not exist")):
            self.assert_exit(1, self.home.davit("storage:mount", "careful", what, check=False), word)
        self.assert_exit(1, self.home.davit("storage:ensure-directory", "a/b", check=False), "set of characters")
        self.assertEqual([], self.home.json("storage:list", "careful"))
        self.home.davit("storage:mount", "careful", "data:/data")
        with contextlib.closing(sqlite3.connect(self.home.path / "davit.db")) as db, db:  # as a davit of before has let it be
            db.execute("UPDATE mounts SET target = '/run' WHERE target = '/data'")
        self.home.davit("storage:unmount", "careful", "data:/run")
        self.assertEqual([], self.home.json("storage:list", "careful"))
        over_ssh = {"SSH_ORIGINAL_COMMAND": "storage:mount careful /etc:/x"}
        refused = self.home.davit("git:ssh", "ada", check=False, env=over_ssh)
        self.assert_exit(1, refused, "Over ssh, only folders of the home's storage")


if __name__ == "__main__":
    harness.main()
