"""Pushes, clones and commands over the real OpenSSH, with a key of its own."""
import getpass
import os
import shutil
import signal
import subprocess

import harness


class Ssh(harness.HomeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
        if sshd is None:
            raise AssertionError("sshd is missing: run scripts/install-deps")
        folder = cls.home.folder / "ssh"
        folder.mkdir(mode=0o700)
        for name in ("host", "client"):
            cls.home.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name])
        cls.keys = cls.home.path / ".ssh" / "authorized_keys"
        cls.home.davit("ssh-keys:add", "laptop", folder / "client.pub")
        cls.port = cls.home.ports.next()
        (folder / "sshd_config").write_text(
            f"Port {cls.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile {folder}/pid\n"
            f"AuthorizedKeysFile {cls.keys}\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n")
        os.makedirs("/run/sshd", exist_ok=True) if os.geteuid() == 0 else None
        cls.sshd = subprocess.Popen([sshd, "-D", "-e", "-f", folder / "sshd_config"], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=(folder / "log").open("wb"))
        cls.ssh = f"ssh -i {folder}/client -p {cls.port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        cls.host = f"{getpass.getuser()}@127.0.0.1"
        harness.wait_for(lambda: cls.home.run([*cls.ssh.split(), cls.host, "version"], check=False).returncode == 0, "sshd answers")

    @classmethod
    def tearDownClass(cls):
        cls.sshd.send_signal(signal.SIGTERM)
        cls.sshd.wait(10)
        super().tearDownClass()

    def test_push_creates_the_app_and_a_clone_has_it(self):
        app = harness.App(self.home, "viassh")
        app.server("over ssh")
        app.commit()
        app.push(remote=f"ssh://{self.host}:{self.port}/viassh", env={"GIT_SSH_COMMAND": self.ssh})
        self.assertEqual((200, "over ssh"), (lambda a: (a[0], a[1].strip()))(self.home.get("viassh")))
        self.assertEqual("ssh:laptop", self.home.json("deploys:list", "viassh")[0]["actor"])
        self.home.run(["git", "clone", "-q", f"ssh://{self.host}:{self.port}/viassh", "copy"], env={"GIT_SSH_COMMAND": self.ssh})
        self.assertTrue((self.home.folder / "copy" / "Procfile").exists())

    def test_a_connection_that_drops_stops_nothing(self):
        app = harness.App(self.home, "dropped")
        app.server("arrived")
        app.write("Procfile", "release: echo working; sleep 3\nweb: exec python3 -u server.py\n")
        app.commit()
        push = subprocess.Popen(["git", "push", f"ssh://{self.host}:{self.port}/dropped", "HEAD:refs/heads/main"], cwd=app.folder,
                                env={**self.home.env, "GIT_SSH_COMMAND": self.ssh}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        harness.wait_for(lambda: "working" in self.home.davit("deploys:output", "dropped", check=False).stdout, "the release command runs")
        os.killpg(push.pid, signal.SIGKILL)
        push.wait(30)
        harness.wait_for(lambda: self.home.json("deploys:list", "dropped")[0]["state"] == "done", "the deployment goes on", 60)
        self.assertEqual("arrived", self.home.get("dropped")[1].strip())
        self.home.run(["git", "clone", "-q", f"ssh://{self.host}:{self.port}/dropped", "again"], env={"GIT_SSH_COMMAND": self.ssh})
        self.assertTrue((self.home.folder / "again" / "Procfile").exists(), "the branch agrees with the release")

    def command(self, *words, check=True):
        return self.home.run([*self.ssh.split(), self.host, *words], check=check)

    def test_commands(self):
        self.command("apps:create", "sshapp")
        self.assertIn("sshapp", self.command("apps:list").stdout)
        self.command("config:set", "sshapp", "'A=b c'")
        self.assertEqual("b c\n", self.command("config:get", "sshapp", "A").stdout)
        self.assertEqual(20, self.command("config:show", "nosuch", check=False).returncode)

    def test_nothing_reaches_a_shell(self):
        for word in ("apps:list; touch {0}", "$(touch {0})", "`touch {0}`", "apps:list | touch {0}", "apps:list && touch {0}"):
            marker = self.home.folder / "marker"
            self.command(word.format(marker), check=False)
            self.assertFalse(marker.exists(), word)


if __name__ == "__main__":
    harness.main()
