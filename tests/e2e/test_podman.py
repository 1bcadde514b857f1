"""Podman in the place of Docker, by its compatible socket: what an app goes through, from the first push to its end. Its service is started
here, with everything of its own (engine.apart())."""
import io
import json
import os
import pty
import subprocess
import sys
import tarfile

import engine
import harness

WEB = "FROM {base}\nCOPY www /www\nRUN test -s /www/index.html\nEXPOSE 8080\nCMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n".format(base=engine.BUSYBOX)


class Podman(harness.HomeTest):
    @classmethod
    def setUpClass(cls):
        cls.podman = engine.Podman()
        try:
            cls.podman.start()
            engine.make_stack(cls.podman, harness.DAVIT)
            cls.podman.api.import_image(engine.BUSYBOX, engine.busybox_tar())
            cls.home = harness.Home(docker=cls.podman.api, runtime="docker")
        except BaseException:
            cls.podman.remove()
            raise

    @classmethod
    def tearDownClass(cls):
        try:
            super().tearDownClass()
        finally:
            cls.podman.remove()

    def of_home(self):
        return self.podman.api.of_home(self.home.path)

    def destroy(self, name):
        self.home.davit("--force", "apps:destroy", name)
        containers, networks = self.of_home()
        self.assertEqual([], [row for row in containers + networks if row["Labels"].get("davit.owner") == name])

    def test_an_app_of_a_buildpack(self):
        app = self.app("shop")
        limits = [f"--ulimit={name}={most}:{most}" for name, most in self.podman.limits().items()]
        self.home.davit("docker-options:add", "shop", "build", "--", *limits)
        self.home.davit("checks:set", "shop", "wait-to-retire", "2")
        app.server("one")
        app.commit()
        app.push()
        self.assert_answers("shop", "one")
        with harness.Load(self.home, "shop", threads=2, keep_alive=False, rate=100) as load:
            app.server("two")
            app.commit()
            app.push()
            self.assert_answers("shop", "two")
            self.home.davit("ps:scale", "shop", "web=2")
            self.home.davit("releases:rollback", "shop")
            self.assert_answers("shop", "one")
            self.home.davit("ps:restart", "shop")
        self.assertEqual([], load.bad[:5], f"{len(load.bad)} of {load.good + len(load.bad)} requests failed")
        self.assertIn("listening", self.home.davit("logs", "shop").stdout)

        with self.subTest("run and enter"):
            for words in (("run", "shop"), ("enter", "shop", "web.1")):
                done = self.home.davit(*words, "sh", "-c", "cat; ls; echo aside >&2; exit 7", check=False, input=b"by stdin\n")
                self.assertEqual((7, ["by stdin", "Procfile", "server.py"], "aside\n"), (done.returncode, done.stdout.split("\n")[:3], done.stderr))
                self.assertIn("a terminal", self.on_a_terminal(*words, "sh", "-c", "test -t 0 && test -t 1 && echo a terminal"))

        with self.subTest("the engine's service is started again"):
            self.podman.stop()
            self.podman.start()
            self.assert_answers("shop", "one")
            self.home.davit("system:stop")
            self.home.davit("system:start")
            harness.wait_for(lambda: self.home.get("shop") == (200, "one\n"), "the app answers again")
        self.destroy("shop")

    def on_a_terminal(self, *words):
        """What a command writes to a terminal, once it has ended well."""
        ours, its = pty.openpty()
        process = subprocess.Popen([harness.DAVIT, *words], env=self.home.env, stdin=its, stdout=its, stderr=its, start_new_session=True)
        os.close(its)
        said = b""
        try:
            while part := os.read(ours, 4096):
                said += part
        except OSError:  # the other end is closed
            pass
        finally:
            os.close(ours)
        self.assertEqual(0, process.wait(harness.DEADLINE_S), said)
        return said.decode(errors="replace")

    def test_an_app_of_a_dockerfile(self):
        app = self.app("site")
        for text in ("one", "two"):
            app.write("www/index.html", text)
            app.write("Dockerfile", WEB)
            app.commit()
            app.push()
            self.assertEqual((200, text), self.home.get("site", "/index.html"))
        self.home.davit("releases:rollback", "site")
        self.assertEqual((200, "one"), self.home.get("site", "/index.html"))
        for words in (("run", "site"), ("enter", "site", "web")):
            self.assertEqual("one", self.home.davit(*words, "cat", "/www/index.html").stdout)
        app.write("Dockerfile", WEB + "RUN echo about to fail && exit 7\n")
        app.commit()
        failed = app.push(check=False)
        self.assert_exit(1, failed, "about to fail")
        self.assertEqual((200, "one"), self.home.get("site", "/index.html"))
        self.destroy("site")
        self.home.davit("system:collect")
        left = [row["RepoTags"] for row in self.podman.api.labelled("images", engine.label_of(self.home.path))]
        self.assertEqual([], [tags for tags in left if "site" in json.dumps(tags)])

    def test_an_image_that_is_there(self):
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as tar:
            text = f"FROM {engine.BUSYBOX}\nRUN echo prebuilt >/www/index.html\nEXPOSE 8080\nCMD httpd -f -p 8080 -h /www\n".encode()
            file = tarfile.TarInfo("Dockerfile")
            file.size = len(text)
            tar.addfile(file, io.BytesIO(text))
        said = self.podman.api.ask("POST", "/build", context.getvalue(), "application/x-tar", {"t": "davit-e2e/prebuilt:1"})
        self.assertIn("Successfully tagged", json.dumps(said))
        self.app("pulled")
        self.home.davit("git:from-image", "pulled", "davit-e2e/prebuilt:1")
        self.assertEqual((200, "prebuilt\n"), self.home.get("pulled", "/index.html"))
        self.destroy("pulled")
        self.podman.api.ask("GET", "/images/davit-e2e/prebuilt:1/json")  # not davit's


if __name__ == "__main__":
    if why_not := engine.missing("podman"):
        print(f"SKIPPED aloud: {why_not}", file=sys.stderr)
        sys.exit(77)
    engine.apart()
    harness.main()
