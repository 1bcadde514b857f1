"""Pushes, clones and commands over the real OpenSSH, with a key of its own."""
import contextlib
import fcntl
import getpass
import os
import pty
import select
import shlex
import shutil
import signal
import struct
import subprocess
import termios
import time

import harness


class Terminal:
    """A program on a pty that is its controlling terminal, as in a terminal's window."""

    def __init__(self, argv, env, rows=33, columns=111):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(str(argv[0]), [str(word) for word in argv], env)

    def expect(self, text, deadline_s=60):
        end = time.monotonic() + deadline_s
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"no {text!r} within {deadline_s} s, but: {self.seen!r}")
            more = b""
            with contextlib.suppress(OSError):  # EIO: the last process has closed it
                more = os.read(self.fd, 4096)
            if not more:
                raise AssertionError(f"no {text!r} until the end: {self.seen!r}")
            self.seen += more.decode(errors="replace")

    def type(self, text):
        os.write(self.fd, text.encode())

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def exit_code(self):
        with contextlib.suppress(OSError):
            while more := os.read(self.fd, 4096):
                self.seen += more.decode(errors="replace")
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return code


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

    def test_a_buildpack_is_fetched_with_the_plugins_own_key(self):
        pack = self.app("pack")
        pack.write("bin/detect", "#!/bin/sh\necho fetched by ssh\n")
        pack.write("bin/compile", "#!/bin/sh\necho compiled\n")
        pack.commit()
        pack.push(refspec="HEAD:refs/heads/side")  # stored, not deployed
        app = self.app("packed")
        app.server("packed by it")
        app.commit()
        self.home.davit("buildpacks:set", "packed", f"ssh://{self.host}:{self.port}/pack#side")
        keys = self.home.path / "plugins" / "buildstep" / ".ssh"
        done = app.push(check=False)
        self.assert_exit(1, done, "could not be fetched", str(keys))
        keys.mkdir(mode=0o700)
        shutil.copy(self.home.folder / "ssh" / "client", keys / "id_ed25519")
        (keys / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {(self.home.folder / 'ssh' / 'host.pub').read_text()}")
        app.push()
        self.assert_answers("packed", "packed by it")

    def command(self, *words, check=True):
        return self.home.run([*self.ssh.split(), self.host, *words], check=check)

    def test_commands(self):
        self.command("apps:create", "sshapp")
        self.assertIn("sshapp", self.command("apps:list").stdout)
        self.command("config:set", "sshapp", "'A=b c'")
        self.assertEqual("b c\n", self.command("config:get", "sshapp", "A").stdout)
        self.assertEqual(20, self.command("config:show", "nosuch", check=False).returncode)

    def terminal(self, over_ssh, *words):
        if over_ssh:
            return Terminal([*self.ssh.split(), "-t", self.host, *map(shlex.quote, words)], self.home.env)
        return Terminal([harness.DAVIT, *words], {**self.home.env, "TERM": "dumb"})

    def test_run_and_enter_have_a_terminal_here_and_through_ssh(self):
        self.deployed("screen", "one")
        for over_ssh in (False, True):
            with self.subTest(over_ssh=over_ssh, what="size, input and exit code"):
                screen = self.terminal(over_ssh, "run", "screen", "bash", "-c",
                                       "tty -s && stty size; read -r line; echo \"got $line\"; exit 7")
                screen.expect("33 111")
                screen.type("hello\n")
                screen.expect("got hello")
                self.assertEqual(7, screen.exit_code())
            with self.subTest(over_ssh=over_ssh, what="a new size, and Ctrl-C"):
                screen = self.terminal(over_ssh, "run", "screen", "bash", "-c",
                                       "trap 'stty size' WINCH; trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done")
                screen.expect("ready")
                screen.resize(44, 99)
                screen.expect("44 99")
                screen.type("\x03")
                screen.expect("caught")
                self.assertEqual(9, screen.exit_code())
            with self.subTest(over_ssh=over_ssh, what="enter"):
                screen = self.terminal(over_ssh, "enter", "screen", "web")
                screen.type("stty size; echo in-$((40 + 2)); exit 5\n")
                screen.expect("33 111")
                screen.expect("in-42")
                self.assertEqual(5, screen.exit_code())
        # A shell with job control: the terminal is the shell's again afterwards, with its settings.
        shell = Terminal(["bash", "--norc", "-i"], {**self.home.env, "TERM": "dumb", "PS1": "$ "})
        shell.type(f"stty -g; {harness.DAVIT} run screen true; stty -g; echo end-$((40 + 2))\n")
        shell.expect("end-42")
        modes = [line for line in shell.seen.splitlines() if line.count(":") > 10]
        self.assertEqual(2, len(modes), shell.seen)
        self.assertEqual(modes[0], modes[1])
        shell.type("exit 3\n")
        self.assertEqual(3, shell.exit_code())
        # script(1): a pty without a size.
        done = self.home.run(["script", "-qec", f"{harness.DAVIT} run screen bash -c 'tty -s && echo has-one; exit 6'", "/dev/null"],
                             check=False)
        self.assert_exit(6, done, "has-one")

    def test_nothing_reaches_a_shell(self):
        for word in ("apps:list; touch {0}", "$(touch {0})", "`touch {0}`", "apps:list | touch {0}", "apps:list && touch {0}"):
            marker = self.home.folder / "marker"
            self.command(word.format(marker), check=False)
            self.assertFalse(marker.exists(), word)


if __name__ == "__main__":
    harness.main()
