"""Dockerfile apps and prebuilt images: built by the engine, deployed as a transaction, taken back when anything is wrong."""
import contextlib
import hashlib
import http.server
import io
import json
import subprocess
import tarfile
import threading
import unittest
from pathlib import Path

import engine
import harness

WEB = "FROM {base}\nCOPY www /www\nEXPOSE 8080\nCMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n".format(base=engine.BUSYBOX)


class DockerfileTest(harness.HomeTest):
    @classmethod
    def setUpClass(cls):
        if not harness.ON_DOCKER:
            raise unittest.SkipTest("this is about the docker runtime: set DAVIT_E2E_RUNTIME=docker")
        super().setUpClass()
        cls.api = cls.home.engine
        settings = cls.home.path / "plugins.toml"
        text = settings.read_text()
        # The tests' engine has no default bridge.
        settings.write_text(engine.with_setting(text, "dockerfile", "build-network", "host"))

    @classmethod
    def tearDownClass(cls):
        cls.home.davit("system:collect", check=False)  # steps of failed builds are the engine's, and have no label
        super().tearDownClass()

    def forget(self, name):
        with contextlib.suppress(engine.Refused):  # made twice under one name
            self.api.ask("DELETE", f"/images/{name}")

    def site(self, name, text, dockerfile=WEB):
        app = self.app(name)
        self.say(app, text, dockerfile)
        return app

    def say(self, app, text, dockerfile=WEB):
        app.write("www/index.html", text)
        app.write("Dockerfile", dockerfile)
        app.commit()

    def answer(self, name):
        return self.home.get(name, "/index.html")

    def set(self, key, value):
        return self.home.settings(lambda text: engine.with_setting(text, "dockerfile", key, value))

    def image_of(self, app):
        mine, _ = self.api.of_home(self.home.path)
        return next(row["ImageID"] for row in mine if row["Labels"].get("davit.owner") == app and row["State"] == "running")


class Dockerfiles(DockerfileTest):
    def test_a_push_a_change_a_rollback(self):
        app = self.site("site", "one")
        app.write("ignored/secret", "not for the image")
        app.write(".dockerignore", "ignored\n")
        app.commit()
        self.home.davit("config:set", "--no-restart", "site", "SECRET=hidden-from-the-image")
        shown = app.push().stderr
        self.assertIn("Building site with dockerfile", shown)
        self.assertIn(f"FROM {engine.BUSYBOX}", shown)
        self.assertEqual((200, "one"), self.answer("site"))
        first = self.image_of("site")
        facts = json.dumps([self.api.ask("GET", f"/images/{first}/json"), self.api.ask("GET", f"/images/{first}/history")])
        self.assertNotIn("hidden-from-the-image", facts)
        self.assertEqual("hidden-from-the-image", self.home.davit("run", "site", "sh", "-c", "echo $SECRET").stdout.strip())
        self.assertIn("No such file", self.home.davit("run", "site", "ls", "/ignored", check=False).stderr)

        self.say(app, "two")
        app.push()
        self.assertEqual((200, "two"), self.answer("site"))
        self.assertNotEqual(first, self.image_of("site"))
        self.home.davit("releases:rollback", "site")
        self.assertEqual((200, "one"), self.answer("site"))
        self.assertEqual(first, self.image_of("site"))

    def test_arguments_target_path_and_a_procfile(self):
        app = self.app("parts")
        app.write("docker/web.Dockerfile", f"FROM {engine.BUSYBOX} AS base\nARG GREETING=none\nRUN mkdir -p /www && echo $GREETING >/www/index.html\n"
                  "FROM base AS other\nCMD [\"false\"]\n"
                  "FROM base AS wanted\nENTRYPOINT [\"httpd\", \"-f\"]\nCMD [\"-p\", \"5000\", \"-h\", \"/www\"]\nFROM other\n")
        app.write("Procfile", "release: -p 5001 -h /nowhere\n")
        app.write("requirements.txt", "")  # a buildpack would take it, too
        app.commit()
        self.home.davit("builder-dockerfile:set", "parts", "dockerfile-path", "docker/web.Dockerfile")
        self.home.davit("docker-options:add", "parts", "build", "--", "--build-arg", "GREETING=hello", "--target=wanted")
        app.write("Procfile", "worker: -p 5002 -h /www\n")
        app.commit()
        app.push()
        self.assertEqual((200, "hello\n"), self.answer("parts"))
        self.assertEqual({"web": 1, "worker": 0}, {row["process_type"]: row["quantity"] for row in self.home.json("ps:scale", "parts")})
        self.home.davit("ps:scale", "parts", "worker=1")
        harness.wait_for(lambda: {row["type"] for row in self.home.instances("parts")} == {"web", "worker"}, "a worker")
        with self.subTest("a path that is not there"):
            self.home.davit("builder-dockerfile:set", "parts", "dockerfile-path", "docker/none")
            for gone in ("README", "."):  # then a Dockerfile is all that the tree holds, as after git:from-image
                app.git("rm", "-rqf", "--ignore-unmatch", gone)
                app.write("Dockerfile", f"FROM {engine.BUSYBOX}\nCMD true\n")
                app.commit()
                self.assertIn("dockerfile-path is docker/none, and there is no such file", app.push(check=False).stderr)
            app.write("requirements.txt", "")
        # Buildpacks that are chosen win over a Dockerfile.
        self.home.davit("buildpacks:set", "parts", "davit/python")
        app.commit()
        self.assertIn("with buildstep", app.push(check=False).stderr)

    def test_the_example_on_a_stack_of_davits(self):
        app = self.app("example", "dockerfile")
        app.commit()
        self.home.davit("docker-options:add", "example", "build", "--", "--build-arg", f"BASE={engine.STACK}")
        app.push()
        self.assertRegex(self.home.get("example")[1], r"hello from example\.d\d+\.web\.1")

    def test_a_release_command_runs_in_the_image(self):
        app = self.site("migrated", "one")
        app.write("Procfile", "release: cat /www/index.html\n")
        app.commit()
        self.assertIn("Running the release command", app.push().stderr)
        self.assertEqual("one", self.home.davit("enter", "migrated", input=b"cat /www/index.html\n").stdout, "busybox has no bash")
        app.write("Procfile", "release: cat /nothing\n")
        app.commit()
        self.assert_exit(1, app.push(check=False), "The release command exited with 1")
        self.assertEqual((200, "one"), self.answer("migrated"))

    def test_buildkit_where_the_dockerfile_needs_it(self):
        dockerfile = f"FROM {engine.BUSYBOX}\nRUN --mount=type=cache,target=/cache mkdir -p /www && echo by-buildkit >/www/index.html\nCMD httpd -f -p $PORT -h /www\n"
        app = self.site("kit", "unused", dockerfile)
        shown = app.push().stderr
        self.assertIn("BuildKit builds it, because of RUN --mount", shown)
        self.assertRegex(shown, r"2/2\] RUN --mount")
        self.assertEqual((200, "by-buildkit\n"), self.answer("kit"))

    def test_what_fails_is_told_and_the_old_release_answers(self):
        app = self.site("broken", "one")
        app.push()
        cases = {
            "a step": (f"FROM {engine.BUSYBOX}\nRUN echo about to fail && exit 7\n", ["about to fail", "returned a non-zero code: 7"]),
            "a step that speaks of a registry": (f'FROM {engine.BUSYBOX}\nRUN echo "unauthorized: no such host"; exit 3\n', ["The Dockerfile could not be built", "code: 3"]),
            "grammar": ("FROM x\nRUNN y\n", ["unknown instruction: RUNN"]),
            "no FROM": ("RUN true\n", ["the Dockerfile has no FROM line"]),
            "a registry that is not there": ("FROM localhost:1/none:1\n", ["cannot be pulled", "connection refused", "the registry localhost:1 answers"]),
            "no command": ("FROM scratch\nCOPY www /www\n", ["The image has no command"])}
        for name, (dockerfile, words) in cases.items():
            with self.subTest(name):
                self.say(app, "two", dockerfile)
                done = app.push(check=False)
                self.assert_exit(1, done, *words)
                self.assertEqual((200, "one"), self.answer("broken"))
        self.say(app, "three")
        app.push()
        self.assertEqual((200, "three"), self.answer("broken"))

    def test_a_build_that_hangs_or_writes_too_much_is_ended(self):
        app = self.site("limited", "one")
        app.push()
        with self.set("build-timeout", "5s"):
            self.say(app, "two", f"FROM {engine.BUSYBOX}\nRUN echo begun && sleep 4321\n")
            self.assert_exit(1, app.push(check=False), "begun", "The build did not end within 5 s")
        with self.set("build-disk", "20MiB"):
            self.say(app, "two", f"FROM {engine.BUSYBOX}\nRUN dd if=/dev/zero of=/big bs=1M count=60 && sleep 4321\n")
            self.assert_exit(1, app.push(check=False), "and may write 20 MiB")
        self.assertEqual((200, "one"), self.answer("limited"))
        harness.wait_for(lambda: not [row for row in self.api.ask("GET", "/containers/json") if "sleep 4321" in row["Command"]],
                         "the engine has ended the steps")

    def test_a_cancelled_build_ends_in_the_engine(self):
        app = self.site("cancelled", "one", f"FROM {engine.BUSYBOX}\nRUN sleep 1001\n")

        def runs():
            return [row for row in self.api.ask("GET", "/containers/json") if "sleep 1001" in row["Command"]]
        push = threading.Thread(target=app.push, kwargs={"check": False})
        push.start()
        harness.wait_for(runs, "the step runs", 60)
        self.home.davit("deploys:cancel", "cancelled")
        push.join()
        harness.wait_for(lambda: not runs(), "the engine has ended the step")
        self.assertEqual("cancelled", self.home.json("deploys:list", "cancelled")[0]["state"])

    def test_an_app_on_a_runtime_without_images_is_told_what_to_do(self):
        settings = self.home.path / "plugins.toml"
        before = settings.read_text()
        head, tail = before.split("[plugins.process]\n", 1)
        settings.write_text(head + "[plugins.process]\n" + tail.replace("enabled = false", "enabled = true", 1))
        try:
            app = self.site("moved", "one")
            self.home.davit("ps:set", "moved", "runtime", "process")
            done = app.push(check=False)
            self.assert_exit(1, done, "its runtime process runs no images", "davit ps:set moved runtime docker")
            self.home.davit("ps:set", "moved", "runtime", "docker")
            app.push()
            self.assertEqual((200, "one"), self.answer("moved"))
        finally:
            settings.write_text(before)

    def test_collect_takes_images_that_no_release_needs(self):
        app = self.site("collected", "one")
        app.push()
        gone = self.image_of("collected")
        self.home.davit("retention:set", "collected", "releases", "1")
        for text in ("two", "three", "four"):
            self.say(app, text)
            app.push()
        harness.wait_for(lambda: self.image_of("collected") != gone and len(
            [row for row in self.home.instances("collected") if row["role"] != "live"]) == 0, "old instances are gone", 60)

        def images():
            return {row["Id"] for row in self.api.labelled("images", engine.label_of(self.home.path), "davit.owner=collected")}
        self.assertIn(gone, images())
        self.assertIn(gone[7:19], self.home.davit("system:collect", "--dry-run").stdout)
        self.assertIn(gone, images())
        self.home.davit("system:collect")
        self.assertNotIn(gone, images())
        self.assertEqual((200, "four"), self.answer("collected"))


class Images(DockerfileTest):
    def imported(self, name, config, files=None, **query):
        repository, tag = name.rsplit(":", 1)
        self.api.ask("POST", "/images/create", body=engine.busybox_tar(files), content_type="application/x-tar", timeout=600,
                     query={"fromSrc": "-", "repo": repository, "tag": tag, "changes": config, **query})
        self.addCleanup(self.forget, name)
        return name

    def loaded(self, name, architecture):
        """An image of one layer, as another machine has saved it."""
        layer = engine.busybox_tar()
        config = {"architecture": architecture, "os": "linux", "config": {"Cmd": ["httpd"]},
                  "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}
        saved = io.BytesIO()
        with tarfile.open(fileobj=saved, mode="w") as tar:
            for entry, content in (("config.json", json.dumps(config).encode()), ("layer.tar", layer),
                                   ("manifest.json", json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]).encode())):
                head = tarfile.TarInfo(entry)
                head.size = len(content)
                tar.addfile(head, io.BytesIO(content))
        self.api.ask("POST", "/images/load", body=saved.getvalue(), content_type="application/x-tar")
        self.addCleanup(self.forget, name)

    def web(self, version, text):
        return self.imported(f"davit-e2e/site:{version}", 'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\nEXPOSE 8080',
                             {"www/index.html": text.encode()})

    def test_an_image_a_second_and_back(self):
        self.web(1, "first")
        self.web(2, "second")
        self.home.davit("apps:create", "boxed")
        self.home.davit("git:from-image", "boxed", "davit-e2e/site:1")
        self.assertEqual((200, "first"), self.answer("boxed"))
        self.assertEqual("davit-e2e/site:1", self.home.davit("git:report", "boxed", "--git-source-image").stdout.strip())
        before = self.home.json("releases:list", "boxed")
        self.home.davit("git:from-image", "boxed", "davit-e2e/site:1")
        self.assertEqual(before, self.home.json("releases:list", "boxed"), "no changes, no release")
        self.home.davit("git:from-image", "boxed", "davit-e2e/site:2")
        self.assertEqual((200, "second"), self.answer("boxed"))
        # The release has the image, whatever the name means by now.
        self.web(1, "another")
        self.home.davit("releases:rollback", "boxed")
        self.assertEqual((200, "first"), self.answer("boxed"))
        self.assertEqual("davit-e2e/site:1", self.home.davit("git:report", "boxed", "--git-source-image").stdout.strip())
        for bad in ("davit-e2e/site:nothing", "two words", "--pull", "$(id)"):
            with self.subTest(bad):
                self.assertEqual(1, self.home.davit("git:from-image", "boxed", "--", bad, check=False).returncode)
        self.assertEqual((200, "first"), self.answer("boxed"))

    def test_images_that_are_not_as_usual(self):
        self.imported("davit-e2e/entry:1", 'ENTRYPOINT ["/bin/httpd", "-f", "-h", "/www"]\nCMD ["-p", "5000"]', {"www/index.html": b"entry"})
        self.imported("davit-e2e/shy:1", "CMD httpd -f -p $PORT -h /www", {"www/index.html": b"unexposed"})
        self.imported("davit-e2e/ports:1", 'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\nEXPOSE 7070 8080 8080/tcp 53/udp', {"www/index.html": b"several"})
        for name, text in (("entry", "entry"), ("shy", "unexposed")):
            self.home.davit("apps:create", name)
            self.home.davit("git:from-image", name, f"davit-e2e/{name}:1")
            self.assertEqual((200, text), self.answer(name))
        self.imported("davit-e2e/twice:1", 'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\nEXPOSE 8080 8080/tcp 8080/udp', {"www/index.html": b"once"})
        self.home.davit("apps:create", "twice")
        done = self.home.davit("git:from-image", "twice", "davit-e2e/twice:1")
        self.assertNotIn("exposes", done.stdout + done.stderr)
        self.assertEqual((200, "once"), self.answer("twice"))
        self.home.davit("apps:create", "ports")
        self.home.davit("docker:set", "ports", "port", "8080")
        self.home.davit("git:from-image", "ports", "davit-e2e/ports:1")
        self.assertEqual((200, "several"), self.answer("ports"))

    def test_an_image_with_a_stop_signal_and_labels_of_davits(self):
        app = self.app("signalled")
        app.write("go", "trap '' TERM; trap 'exit 0' INT; while :; do sleep 1 & wait $!; done\n")
        app.write("Dockerfile", f"FROM {engine.BUSYBOX}\nSTOPSIGNAL SIGINT\nLABEL davit.port=22\nCOPY go /go\nCMD [\"true\"]\n")
        app.write("Procfile", "worker: sh /go\n")
        app.commit()
        self.home.davit("ps:scale", "signalled", "web=0", "worker=1")
        app.push()
        self.assertEqual([[]], [instance["endpoints"] for instance in self.home.instances("signalled")])
        container = next(row["Id"] for row in self.api.of_home(self.home.path)[0] if row["Labels"].get("davit.owner") == "signalled")
        self.api.ask("POST", f"/containers/{container}/stop", query={"t": "60"})
        self.assertNotEqual(137, self.api.ask("GET", f"/containers/{container}/json")["State"]["ExitCode"])

    def test_an_image_without_a_shell(self):
        app = self.app("bare")
        app.write("Dockerfile", f"FROM {engine.BUSYBOX} AS base\nFROM scratch\nCOPY --from=base /bin/busybox /busybox\nCOPY www /www\n"
                  'ENTRYPOINT ["/busybox"]\nCMD ["httpd", "-f", "-p", "5000", "-h", "/www"]\n')
        app.write("www/index.html", "bare")
        app.write("Procfile", "worker: httpd -f -p 5000 -h /www\nshelled: echo $HOME\n")  # web's port again, in a container of its own
        app.commit()
        app.push()
        self.assertEqual((200, "bare"), self.answer("bare"))
        self.home.davit("ps:scale", "bare", "worker=1")
        harness.wait_for(lambda: [row["state"] for row in self.home.instances("bare") if row["type"] == "worker"] == ["running"], "a worker")
        self.assertEqual("hello\n", self.home.davit("run", "bare", "echo", "hello").stdout)

    def test_an_image_for_another_platform(self):
        self.web(1, "first")
        self.home.davit("apps:create", "foreign")
        self.home.davit("git:from-image", "foreign", "davit-e2e/site:1")
        self.loaded("davit-e2e/arm:1", "arm64")
        done = self.home.davit("git:from-image", "foreign", "davit-e2e/arm:1", check=False)
        self.assert_exit(1, done, "is for linux/arm64")
        self.assertEqual((200, "first"), self.answer("foreign"))


class Registries(DockerfileTest):
    """A registry of our own on loopback, with a password, and one that is broken."""

    USER, PASSWORD = "ada", "let-me-in-7"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.home.folder / "registry"
        cls.folder.mkdir()
        cls.server = f"localhost:{cls.home.ports.next()}"
        cls.registry = None
        if not Path("/usr/bin/docker-registry").exists():
            raise unittest.SkipTest("docker-registry is not installed: run scripts/install-deps")
        hashed = subprocess.run(["perl", "-e", "print crypt($ARGV[0], '$2y$05$abcdefghijklmnopqrstuu')", cls.PASSWORD],
                                check=True, capture_output=True, text=True).stdout
        (cls.folder / "htpasswd").write_text(f"{cls.USER}:{hashed}\n")
        (cls.folder / "config.yml").write_text(
            f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {cls.folder}/data\nhttp:\n  addr: 127.0.0.1:{cls.server.split(':')[1]}\n"
            f"auth:\n  htpasswd:\n    realm: test\n    path: {cls.folder}/htpasswd\n")
        with (cls.folder / "log").open("wb") as log:
            cls.registry = subprocess.Popen(["docker-registry", "serve", cls.folder / "config.yml"], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        harness.wait_for(cls.answers, "the registry answers")

    @classmethod
    def answers(cls):
        import http.client
        connection = http.client.HTTPConnection(cls.server, timeout=5)
        try:
            connection.request("GET", "/v2/")
            return connection.getresponse().status == 401
        except OSError:
            return False
        finally:
            connection.close()

    @classmethod
    def tearDownClass(cls):
        if cls.registry:
            cls.registry.terminate()
            cls.registry.wait()
        super().tearDownClass()

    def pushed(self, name, text):
        """An image that only the registry has; its full name."""
        import base64
        full = f"{self.server}/{name}"
        self.api.ask("POST", "/images/create", body=engine.busybox_tar({"www/index.html": text.encode()}), content_type="application/x-tar",
                     query={"fromSrc": "-", "repo": full, "tag": "1", "changes": 'CMD ["httpd", "-f", "-p", "5000", "-h", "/www"]'})
        auth = base64.urlsafe_b64encode(json.dumps({"username": self.USER, "password": self.PASSWORD, "serveraddress": self.server}).encode())
        import http.client
        import socket
        connection = http.client.HTTPConnection("docker", timeout=120)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self.api.path)
        connection.request("POST", f"/images/{full}/push?tag=1", headers={"X-Registry-Auth": auth.decode()})
        said = connection.getresponse().read().decode()
        connection.close()
        self.assertNotIn("error", said)
        self.api.ask("DELETE", f"/images/{full}:1", query={"force": "1"})
        return f"{full}:1"

    def test_login_pull_and_logout(self):
        image = self.pushed("site", "private")
        self.addCleanup(self.forget, image)
        self.home.davit("apps:create", "private")
        done = self.home.davit("git:from-image", "private", image, check=False)
        self.assert_exit(1, done, "wants a login", f"registry:login --global {self.server} USER")
        done = self.home.davit("registry:login", "private", self.server, self.USER, input=b"wrong\n", check=False)
        self.assert_exit(1, done, "does not take this user and password")
        self.assertEqual([], json.loads(self.home.davit("registry:list", "private", "--format", "json").stdout))
        self.assertEqual(1, self.home.davit("registry:login", "--global", self.server, self.USER, self.PASSWORD, input=b"", check=False).returncode)
        self.home.davit("registry:login", "private", self.server, self.USER, input=f"{self.PASSWORD}\n".encode())
        self.home.davit("builder-dockerfile:set", "--global", "dockerfile-path", "docker/Dockerfile")
        self.addCleanup(self.home.davit, "builder-dockerfile:set", "--global", "dockerfile-path")
        self.home.davit("git:from-image", "private", image)
        self.assertEqual((200, "private"), self.answer("private"))
        for words in (("registry:list", "private"), ("registry:report", "private"), ("report", "private")):
            self.assertNotIn(self.PASSWORD, self.home.davit(*words).stdout)
        for file in self.home.path.rglob("*"):
            if file.is_file() and not file.is_symlink() and file.stat().st_size < 64 << 20 and self.PASSWORD.encode() in file.read_bytes():
                self.assertEqual(0o600, file.stat().st_mode & 0o777, file)
                self.assertTrue(file.name.startswith("davit.db"), file)
        self.assertEqual([{"server": self.server, "user": self.USER, "global": False}],
                         json.loads(self.home.davit("registry:list", "private", "--format", "json").stdout))
        self.home.davit("registry:logout", "private", self.server)
        self.assert_exit(1, self.home.davit("registry:logout", "private", self.server, check=False), f"Not logged in to {self.server}")

    def test_a_name_that_means_another_image_now(self):
        image = self.pushed("moving", "first")
        self.addCleanup(self.forget, image)
        self.home.davit("apps:create", "moving")
        self.home.davit("registry:login", "moving", self.server, self.USER, input=f"{self.PASSWORD}\n".encode())
        self.home.davit("git:from-image", "moving", image)
        self.assertEqual((200, "first"), self.answer("moving"))
        self.pushed("moving", "second")
        self.api.ask("POST", f"/images/{engine.BUSYBOX}/tag", query={"repo": image.removesuffix(":1"), "tag": "1"})  # an old one is here
        done = self.home.davit("git:from-image", "moving", image)
        self.assertIn("davit docker-options:add moving build -- --pull; davit ps:rebuild moving", done.stdout + done.stderr)
        self.home.davit("docker-options:add", "moving", "build", "--", "--pull")
        self.home.davit("ps:rebuild", "moving")
        self.assertEqual((200, "second"), self.answer("moving"))

    def test_bases_and_stacks_that_need_a_login(self):
        image = self.pushed("base", "from the base")
        self.addCleanup(self.forget, image)
        app = self.site("based", "unused", f"FROM {image}\n")
        self.assert_exit(1, app.push(check=False), "wants a login", "registry:login")
        self.assert_exit(1, self.home.davit("stack:set", "based", image, check=False), "wants a login")
        self.home.davit("registry:login", "based", self.server, self.USER, input=f"{self.PASSWORD}\n".encode())
        self.home.davit("stack:set", "based", image)
        self.forget(image)
        app.push()
        self.assertEqual((200, "from the base"), self.answer("based"))
        # BuildKit has no login of its own: what it needs is pulled before.
        by_buildkit = f"FROM {image}\nRUN --mount=type=cache,target=/cache echo {{}}\n"
        self.pushed("base", "another base")
        self.say(app, "unused", by_buildkit.format(1))
        shown = app.push().stderr
        self.assertIn("BuildKit builds it", shown)
        self.assertIn(f"Pulling {image}", shown)
        self.assertEqual((200, "another base"), self.answer("based"))
        self.pushed("base", "a third base")
        self.api.ask("POST", f"/images/{engine.BUSYBOX}/tag", query={"repo": image.removesuffix(":1"), "tag": "1"})  # an old one is here
        self.home.davit("docker-options:add", "based", "build", "--", "--pull")
        self.say(app, "unused", by_buildkit.format(2))
        app.push()
        self.assertEqual((200, "a third base"), self.answer("based"))

    def test_a_registry_that_is_broken(self):
        class Broken(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(500)
                self.end_headers()

            def log_message(self, *args):
                pass
        port = self.home.ports.next()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Broken)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(lambda: (server.shutdown(), server.server_close()))
        self.home.davit("apps:create", "unlucky")
        done = self.home.davit("git:from-image", "unlucky", f"localhost:{port}/x:1", check=False)
        self.assert_exit(1, done, "cannot be pulled", "500")
        done = self.home.davit("registry:login", "--global", f"localhost:{port}", "u", input=b"p", check=False)
        self.assert_exit(1, done, "does not answer as a registry")


del DockerfileTest

if __name__ == "__main__":
    harness.main()
