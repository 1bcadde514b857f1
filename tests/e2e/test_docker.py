"""What only the docker runtime has: stacks, images and their layers, others' hands on its containers, an engine that is down."""
import concurrent.futures
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import unittest

import engine
import engine_proxy
import harness


class DockerTest(harness.HomeTest):
    @classmethod
    def setUpClass(cls):
        if not harness.ON_DOCKER:
            raise unittest.SkipTest("this is about the docker runtime: set DAVIT_E2E_RUNTIME=docker")
        super().setUpClass()
        cls.api = cls.home.engine

    def containers(self, app):
        mine, _ = self.api.of_home(self.home.path)
        return [row for row in mine if row["Labels"].get("davit.owner") == app]

    def live(self, app):
        """The states of the live release's instances; None while an older one drains."""
        rows = self.home.instances(app)
        return [row["state"] for row in rows] if all(row["role"] == "live" for row in rows) else None

    def container(self, app):
        revision = next(row["revision"] for row in self.home.instances(app) if row["role"] == "live")
        return next(row["Id"] for row in self.containers(app)
                    if row["State"] == "running" and row["Labels"]["davit.revision"] == revision)

    def answers_again(self, name, text):
        harness.wait_for(lambda: self.home.get(name) == (200, text + "\n"), f"{name} answers {text}")


class Stacks(DockerTest):
    """A home with a stack of its own, which nobody has built."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        settings = cls.home.path / "plugins.toml"
        text = settings.read_text().replace(f"stack = {json.dumps(engine.STACK)}\n", "")
        settings.write_text(engine.with_setting(text, "docker", "mmdebstrap", engine.cached_mmdebstrap(cls.home.folder)))

    def images(self):
        return {row["Id"] for row in self.api.labelled("images", engine.label_of(self.home.path))}

    def layers(self, app):
        image = self.api.ask("GET", f"/containers/{self.container(app)}/json")["Image"]
        return self.api.ask("GET", f"/images/{image}/json")["RootFS"]["Layers"]

    def test_init_wrote_down_the_socket(self):
        self.assertIn(f'socket = "{self.api.path}"', (self.home.path / "plugins.toml").read_text())

    def test_a_first_push_builds_the_stack_and_says_so(self):
        self.assertEqual([], json.loads(self.home.davit("stack:list", "--format", "json").stdout))
        app = self.app("first")
        app.server("one")
        app.commit()
        shown = app.push().stderr
        self.assertIn("The stack debian-12 is not there yet: it is built once, from Debian packages", shown)
        self.assertRegex(shown, r"I: |packing")
        self.assertIn("The stack debian-12 is there", shown)
        self.assert_answers("first", "one")
        self.assertEqual(["debian-12"], [row["name"] for row in json.loads(self.home.davit("stack:list", "--format", "json").stdout)])

        # The same source again, a restart and a rollback: the same image, and not one more.
        images, layers = self.images(), self.layers("first")
        for command in ("ps:rebuild", "ps:restart", "releases:rollback"):
            self.home.davit(command, "first")
        self.assertEqual(images, self.images())
        self.assertEqual(layers, self.layers("first"))
        app.git("commit", "--allow-empty", "-m", "nothing new")
        app.push()
        self.assertEqual(images, self.images())
        self.assertEqual(layers, self.layers("first"))
        # A changed tree adds one layer on the same stack.
        app.server("two")
        app.commit()
        app.push()
        self.assertEqual(layers[:-1], self.layers("first")[:-1])
        self.assertEqual(1, len(self.images() - images))

    OTHER = "davit-e2e/stack:other"

    def other_stack(self):
        container = self.api.run(engine.STACK, ["touch", "/etc/other-stack"], "other-stack", HostConfig={"NetworkMode": "none"})
        self.api.ask("POST", f"/containers/{container}/wait")
        self.api.ask("POST", "/commit", {}, query={"container": container, "repo": "davit-e2e/stack", "tag": "other"})
        self.api.ask("DELETE", f"/containers/{container}")

        def forget():
            self.home.davit("--force", "apps:destroy", "stacked")
            self.home.davit("--force", "apps:destroy", "stacked-copy")
            self.home.davit("system:collect")
            self.api.ask("DELETE", f"/images/{self.OTHER}", query={"force": "1"})
        self.addCleanup(forget)

    def test_a_release_stays_on_the_one_that_it_was_built_on(self):
        self.other_stack()
        app = self.app("stacked")
        app.server("of", "import pathlib\nON = ' other' if pathlib.Path('/etc/other-stack').exists() else ' first'\n")
        app.write("server.py", (app.folder / "server.py").read_text().replace('"of" +', '"of" + ON +'))
        app.commit()
        app.push()
        self.assert_answers("stacked", "of first")
        # The same tree is the same slug.
        self.home.davit("stack:set", "stacked", self.OTHER)
        self.home.davit("ps:rebuild", "stacked")
        self.assert_answers("stacked", "of other")
        self.home.davit("releases:rollback", "stacked", "v1")
        self.assert_answers("stacked", "of first")
        self.home.davit("config:set", "stacked", "A=b")
        self.assert_answers("stacked", "of first")
        self.home.davit("releases:rollback", "stacked", "v2")
        self.assert_answers("stacked", "of other")
        self.home.davit("apps:clone", "stacked", "stacked-copy")
        self.assert_answers("stacked-copy", "of other")


class Options(DockerTest):
    def test_a_value_with_blanks_is_one_option(self):
        app = self.app("optioned")
        app.server("one")
        app.commit()
        self.home.davit("docker-options:add", "optioned", "deploy", "-e 'GREETING=hello world' --label note=\"it's\"")
        self.home.davit("docker-options:add", "optioned", "deploy,run", "--", "--env", "PATTERN=a 'b' \\d")
        self.home.davit("docker-options:add", "optioned", "deploy", "--", "--pids-limit=200", "-e LAST=1")
        app.push()
        self.home.davit("ps:restart", "optioned")
        facts = self.api.ask("GET", f"/containers/{self.container('optioned')}/json")["Config"]
        self.assertLessEqual({"GREETING=hello world", "PATTERN=a 'b' \\d", "LAST=1"}, set(facts["Env"]))
        self.assertEqual("it's", facts["Labels"]["note"])
        self.assertEqual("a 'b' \\d\n", self.home.davit("run", "optioned", "sh", "-c", 'printf "%s\\n" "$PATTERN"').stdout)
        listed = self.home.davit("docker-options:list", "optioned", "deploy").stdout.splitlines()
        self.assertEqual("--env='GREETING=hello world'", listed[0])
        self.home.davit("docker-options:remove", "optioned", "deploy", '-e "GREETING=hello world"')
        for option in listed[1:]:
            self.home.davit("docker-options:remove", "optioned", "deploy", "--", option)
        self.assertEqual("", self.home.davit("docker-options:list", "optioned", "deploy").stdout)
        self.home.davit("ps:restart", "optioned")
        self.assert_answers("optioned", "one")

    def test_a_detached_run_has_those_of_run(self):
        self.deployed("errand", "one")
        for phase in ("deploy", "run"):
            self.home.davit("docker-options:add", "errand", phase, "--", f"--env=OF_{phase.upper()}=1")
        self.home.davit("run:detached", "errand", "sh", "-c", "env; echo that was all")
        harness.wait_for(lambda: "that was all" in self.home.davit("logs", "errand").stdout, "its end")
        shown = self.home.davit("logs", "errand").stdout
        self.assertIn("OF_RUN=1", shown)
        self.assertNotIn("OF_DEPLOY", shown)

    def test_two_at_once_are_both_kept(self):
        self.home.davit("apps:create", "busy")
        wanted = [f"--env=KEY_{n}=1" for n in range(8)]
        with concurrent.futures.ThreadPoolExecutor(len(wanted)) as pool:
            list(pool.map(lambda option: self.home.davit("docker-options:add", "busy", "deploy", "--", option), wanted))
        self.assert_exit(1, self.home.davit("docker-options:add", "busy", "run,deploy", "--", "--env", "PORT=8099", check=False), "davit docker:set APP port N")
        self.assertEqual(wanted, sorted(self.home.davit("docker-options:list", "busy", "deploy").stdout.split()))


class Commands(DockerTest):
    def start(self, *words):
        process = subprocess.Popen([harness.DAVIT, *words], env=self.home.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def runs(self, app, words):
        """Whether the live instance's container has such a process."""
        return any(words in " ".join(row) for row in self.api.ask("GET", f"/containers/{self.container(app)}/top")["Processes"])

    def test_end_when_nobody_reads_them_any_more(self):
        self.deployed("piped", "one")
        endless = "while :; do echo x; done"
        for words in (("run", "piped"), ("enter", "piped", "web")):
            with self.subTest(words[0]):
                process = self.start(*words, "sh", "-c", endless)
                self.assertEqual(b"x\nx\n", process.stdout.read(4))
                process.stdout.close()
                self.assertEqual(128 + signal.SIGPIPE, process.wait(timeout=60))
        self.assertFalse(self.runs("piped", endless))
        self.assertEqual(1, len(self.containers("piped")), "no task's is left")

    def test_that_a_killed_enter_has_left_end_with_the_next_run(self):
        self.deployed("entered", "one")
        process = self.start("enter", "entered", "web", "sleep", "777")
        harness.wait_for(lambda: self.runs("entered", "sleep 777"), "the command runs", 60)
        process.kill()
        process.wait()
        harness.wait_for(lambda: not any("sleep 777" in words for words in self.home.workers().values()), "its worker goes, too")
        self.home.davit("run", "entered", "true")
        harness.wait_for(lambda: not self.runs("entered", "sleep 777"), "the command is ended")
        self.assert_answers("entered", "one")


class OthersHands(DockerTest):
    """A container that somebody else stops, renames, pauses or removes is made good by the next command, and a deploy loses nothing."""

    def test_each_is_made_good(self):
        self.deployed("handled", "one")
        self.home.davit("checks:set", "handled", "wait-to-retire", "2")
        self.home.davit("ps:scale", "handled", "web=2")
        for what, act in {
                "stopped": lambda id: self.api.ask("POST", f"/containers/{id}/stop", query={"t": "5"}),
                "renamed": lambda id: self.api.ask("POST", f"/containers/{id}/rename", query={"name": "davit-e2e-renamed"}),
                "paused": lambda id: self.api.ask("POST", f"/containers/{id}/pause"),
                "removed": lambda id: self.api.ask("DELETE", f"/containers/{id}", query={"force": "1"})}.items():
            with self.subTest(what):
                act(self.container("handled"))
                self.home.davit("ps:restart", "handled")
                self.answers_again("handled", "one")
                harness.wait_for(lambda: self.live("handled") == ["running"] * 2, "two live instances, and no other", 60)
                names = sorted(name for row in self.containers("handled") for name in row["Names"])
                self.assertEqual(["/handled.web.1", "/handled.web.2"], names)
        self.home.davit("--force", "apps:destroy", "handled")
        self.assertEqual([], self.containers("handled"))

    def test_what_others_make_of_an_instance_is_left_alone(self):
        """A container and an image that inherit davit's labels are no instance, and no garbage."""
        stranger = engine.Stranger(self.api)
        app = self.deployed("copied", "one")
        copy = stranger.copy(self.container("copied"))
        self.addCleanup(stranger.forget_copy, copy)
        before = stranger.copied(copy)
        self.assertEqual("running", before[0][1])
        self.assertEqual(1, len(self.home.instances("copied")))
        self.home.davit("ps:scale", "copied", "web=2")
        for text in ("two", "three"):
            app.server(text)
            app.commit()
            app.push()
        self.assert_answers("copied", "three")
        self.home.davit("system:collect")
        self.home.davit("--force", "apps:destroy", "copied")
        self.home.davit("system:collect")
        self.assertEqual(before, stranger.copied(copy))

    def test_a_port_that_somebody_took_meanwhile(self):
        """Leased ports are ours by agreement only: the message names the port, and the next try takes another."""
        self.deployed("ported", "one")
        taken = []
        try:
            for port in range(self.home.ports.first + 10, self.home.ports.last + 1):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        continue
                listener = socket.socket()
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(("127.0.0.1", port))
                listener.listen()
                taken.append(listener)
            done = self.home.davit("ps:restart", "ported", check=False)
            self.assert_exit(1, done)
            self.assertRegex(done.stdout + done.stderr, r"(?i)port")
            self.assert_answers("ported", "one")
        finally:
            for listener in taken:
                listener.close()
        self.home.davit("ps:restart", "ported")
        self.assert_answers("ported", "one")


class EngineTrouble(DockerTest):
    """An engine that is down, too old, or no engine at all: said in a sentence, and the running release is not touched."""

    def false_engine(self, answer):
        """A socket that gives every request the same answer; None: closes at once."""
        path = self.home.folder / f"false-{len(list(self.home.folder.glob('false-*')))}.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()

        def serve():
            while True:
                try:
                    asker, _ = listener.accept()
                except OSError:
                    return
                with asker:
                    asker.recv(65536)
                    if answer:
                        asker.sendall(answer)
        threading.Thread(target=serve, daemon=True).start()
        self.addCleanup(lambda: (listener.shutdown(socket.SHUT_RDWR), listener.close()))
        return path

    @staticmethod
    def http(body, status="200 OK"):
        return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()

    def test_each_is_told(self):
        app = self.deployed("kept", "one")
        old = json.dumps({"Version": "18.09", "ApiVersion": "1.39", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64"})
        cases = {"down": (self.home.folder / "nobody.sock", r"No Docker engine answers at .*nobody.sock"),
                 "old": (self.false_engine(self.http(old)), r"speaks API 1.39; davit needs 1.41"),
                 "not one": (self.false_engine(b"SSH-2.0-OpenSSH_9.2\r\n"), r"(?i)answer|engine"),
                 "broken": (self.false_engine(self.http('{"message": "out of order"}', "500 Internal Server Error")), r"out of order")}
        for name, (path, words) in cases.items():
            with self.subTest(name), self.home.settings(lambda text: text.replace(self.api.path, str(path))):
                app.commit()
                done = app.push(check=False)
                self.assert_exit(1, done)
                self.assertRegex(done.stderr, words)
                self.assert_answers("kept", "one")
                self.assertEqual(1, self.home.davit("doctor", check=False).returncode)
        app.push()
        self.assert_answers("kept", "one")


class OtherEngines(DockerTest):
    """The engine of the tests behind a proxy that makes another of it."""

    @contextlib.contextmanager
    def engine_that(self, **is_so):
        path = self.home.folder / f"proxy-{len(list(self.home.folder.glob('proxy-*')))}.sock"
        with engine_proxy.EngineProxy(self.api, path, **is_so) as proxy, \
                self.home.settings(lambda text: text.replace(self.api.path, str(path))):
            yield proxy
            self.assertEqual([], proxy.refused)

    def push(self, app, answer):
        app.server(answer)
        app.commit()
        return app.push()

    def test_of_another_api_version(self):
        """Docker 20.10 speaks no more than 1.41, and Docker 29 nothing below 1.44."""
        app = self.deployed("spoken", "one")
        for name, versions in {"20.10": ("1.12", "1.41"), "29": ("1.44", "1.52")}.items():
            with self.subTest(name), self.engine_that(versions=versions) as proxy:
                self.push(app, name)
                self.assert_answers("spoken", name)
                self.assertEqual("hello\n", self.home.davit("run", "spoken", "echo", "hello").stdout)
                self.home.davit("ps:restart", "spoken")
                self.home.davit("releases:rollback", "spoken")
                self.home.davit("system:collect")
                self.assertIn("POST /containers/create", {what.split("?")[0] for what in proxy.asked})

    def test_with_a_full_disk(self):
        """Refused before anything is built, with the figures."""
        app = self.deployed("roomy", "one")
        disk = self.home.folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "davit-e2e-disk", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        (disk / "engine-id").write_text("full")
        with self.engine_that(info={"DockerRootDir": str(disk), "ID": "full"}):
            words = r"The engine's disk \(.*/disk\) has 0 MiB free, and {} needs about {} MiB"
            app.server("two")
            app.commit()
            done = app.push(check=False)
            self.assert_exit(1, done)
            self.assertRegex(done.stderr, words.format("the image of roomy", 256))
            self.home.davit("ps:restart", "roomy")
            self.assert_answers("roomy", "one")
            self.assertRegex(self.home.davit("stack:build", "debian-12", check=False).stderr, words.format("the stack debian-12", 2048))
            app.write("Dockerfile", "FROM scratch\n")
            app.commit()
            self.assertRegex(app.push(check=False).stderr, words.format("a build of roomy", 256))
        with self.engine_that(info={"DockerRootDir": str(disk), "ID": "one elsewhere"}):
            app.git("rm", "Dockerfile")
            self.push(app, "three")
            self.assert_answers("roomy", "three")

    def dockerfile(self, name, *lines):
        """An app of a Dockerfile without a step that runs: the tests' engine has no network for it."""
        app = self.app(name)
        app.write("www/index.html", name)
        app.write("Dockerfile", "\n".join([f"FROM {engine.BUSYBOX}", "COPY www /www", *lines, ""]))
        app.commit()
        return app

    def images(self, app):
        """id -> names"""
        return {row["Id"]: row["RepoTags"] for row in self.api.labelled("images", engine.label_of(self.home.path), f"davit.owner={app}")}

    def has_image(self, id):
        try:
            return bool(self.api.ask("GET", f"/images/{id}/json"))
        except engine.Refused:
            return False

    def test_that_does_not_answer_when_an_image_is_named(self):
        """Davit is killed then: the image is found, and goes."""
        command = 'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\nEXPOSE 8080'
        app = self.dockerfile("named", command)
        with self.engine_that(silent="POST /images/.*/tag") as proxy:
            push = threading.Thread(target=app.push, kwargs={"check": False})
            push.start()
            harness.wait_for(lambda: proxy.held, "the image is to be named", 120)
            for pid in self.home.workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            push.join()
        left = self.images("named")
        self.assertEqual([True], [bool(names) for names in left.values()])
        app.write("www/index.html", "two")
        app.commit()
        app.push()
        self.assertEqual((200, "two"), self.home.get("named", "/index.html"))
        harness.wait_for(lambda: self.home.davit("system:collect") and len(self.images("named")) == 1, "the image of the killed build goes", 60)
        home = engine.label_of(self.home.path).partition("=")[2]
        image = self.api.ask("GET", f"/containers/{self.container('named')}/json")["Image"]
        self.assertEqual({image: [f"davit-{home}/app:{image[7:31]}"]}, self.images("named"))

    def test_that_lists_images_while_apps_are_made(self):
        """What is built for them meanwhile stays."""
        self.deployed("early", "one")
        with self.engine_that(late=r"GET /images/json\?.*kind%3Dapp") as proxy:
            collect = threading.Thread(target=self.home.davit, args=("system:collect",))
            collect.start()
            harness.wait_for(lambda: proxy.held, "images are listed", 120)
            built = self.dockerfile("meanwhile", 'CMD ["httpd", "-f"]')
            built.push(check=False, env={"DAVIT_FAILPOINT": "release/host/release.create:prepared"})
            shown = self.dockerfile("halfway", "COPY missing /x").push(check=False).stderr
            step = re.findall(" ---> ([0-9a-f]{12})", shown)[-1]
            images = self.images("meanwhile")
            self.assertEqual((1, True), (len(images), self.has_image(step)), shown)
            proxy.go.set()
            collect.join()
        self.assertEqual(images, self.images("meanwhile"))
        self.assertTrue(self.has_image(step))
        harness.wait_for(lambda: self.home.davit("system:collect") and not self.has_image(step), "the next one takes the step of a build", 60)

    def test_slow(self):
        """A deploy takes longer, and loses nothing."""
        app = self.deployed("slow", "one")
        with self.engine_that(delay_s=0.4) as proxy, harness.Load(self.home, "slow", 2, rate=50) as load:
            self.push(app, "two")
            self.assert_answers("slow", "two")
            self.home.davit("ps:scale", "slow", "web=2")
            self.assertGreater(len(proxy.asked), 10)
        self.assertEqual([], load.bad)

    def test_silent(self):
        """A deploy that waits for it can be cancelled, and the next one finds everything in order."""
        app = self.deployed("silent", "one")
        with self.engine_that(silent="POST /containers/create") as proxy:
            app.server("two")
            app.commit()
            done = []
            push = threading.Thread(target=lambda: done.append(app.push(check=False)))
            push.start()
            harness.wait_for(lambda: proxy.held, "davit waits for the engine", 120)
            self.home.davit("deploys:cancel", "silent")
            push.join()
            self.assert_exit(1, done[0])
            self.assertEqual("cancelled", self.home.json("deploys:list", "silent")[0]["state"])
            self.assert_answers("silent", "one")
        self.push(app, "three")
        self.assert_answers("silent", "three")


del DockerTest

if __name__ == "__main__":
    harness.main()
