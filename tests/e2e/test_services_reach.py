"""Services and the docker runtime: what runs in a container reaches a service of the machine, and nobody else can by that. Services
that are containers themselves: test_services_docker.py."""
import unittest

import harness

# What Postgres answers to an SSLRequest: S or N. No driver is needed for it.
ASK = """
import socket, struct, urllib.parse
def asked():
    url = urllib.parse.urlsplit(os.environ.get("DATABASE_URL", ""))
    try:
        with socket.create_connection((url.hostname, url.port), 5) as server:
            server.sendall(struct.pack("!ii", 8, 80877103))
            return server.recv(1).decode()
    except (OSError, TypeError) as error:
        return repr(error)
"""


class Reach(harness.HomeTest):
    @classmethod
    def setUpClass(cls):
        if not harness.ON_DOCKER:
            raise unittest.SkipTest("this is about the docker runtime: set DAVIT_E2E_RUNTIME=docker")
        super().setUpClass()
        cls.home.davit("plugin:enable", "process")

    def test_an_app_in_a_container_reaches_a_service_of_the_machine(self):
        self.home.davit("postgres:create", "db", "--runtime", "process")
        self.home.davit("postgres:create", "other", "--runtime", "process")
        port = self.home.json("postgres:info", "db")["port"]
        app = self.app("asks")
        app.server("@", ASK)
        app.write("server.py", (app.folder / "server.py").read_text().replace('"@"', "asked()"))
        app.commit()
        app.push()
        self.assertNotEqual("S", self.home.get("asks")[1].strip(), "nothing is linked yet")
        self.home.davit("postgres:link", "db", "asks")
        self.assert_answers("asks", "S")
        self.assertIn(f"@127.0.0.1:{port}/", self.home.davit("config:get", "asks", "DATABASE_URL").stdout)
        with self.subTest("what runs once"):
            ask = ASK.replace("import socket", "import os, socket") + "print(asked())"
            self.assertEqual("S", self.home.davit("run", "asks", "python3", "-c", ask).stdout.strip())
        with self.subTest("a restart, a rename, a death of what passes on"):
            self.home.davit("postgres:restart", "db")
            self.assert_answers("asks", "S")
            self.home.davit("postgres:rename", "db", "renamed")
            self.assert_answers("asks", "S")
            for pid, words in self.home.pids().items():
                if "davit-relay" in words:
                    harness.os.kill(pid, harness.signal.SIGKILL)
            harness.wait_for(lambda: self.home.get("asks") == (200, "S\n"), "the relay again")
        with self.subTest("what is not linked is not reached"):
            other = self.home.json("postgres:info", "other")["port"]
            code = f"import socket\ntry:\n    socket.create_connection(('127.0.0.1', {other}), 5)\nexcept OSError as e: print('refused')"
            self.assertEqual("refused", self.home.davit("run", "asks", "python3", "-c", code).stdout.strip())
        with self.subTest("it listens on loopback only, and its socket is closed to others"):
            rows = harness.subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout.splitlines()
            self.assertEqual({f"127.0.0.1:{port}"}, {row.split()[3] for row in rows if row.split()[3].endswith(f":{port}")})
            self.assertEqual(0o700, (self.home.path / "run" / "sockets").stat().st_mode & 0o777)
        with self.subTest("the app moves to the other runtime and back"):
            for runtime in ("process", "docker"):
                self.home.davit("ps:set", "asks", "runtime", runtime)
                self.home.davit("ps:rebuild", "asks")
                self.assert_answers("asks", "S")
        with self.subTest("scale, and what stays when the link goes"):
            self.home.davit("ps:scale", "asks", "web=2")
            self.assert_answers("asks", "S")
            self.home.davit("postgres:unlink", "renamed", "asks")
            self.assertNotEqual("S", self.home.get("asks")[1].strip())
            self.home.davit("postgres:destroy", "renamed", "--force")
            self.assertEqual([], [words for words in self.home.pids().values() if "davit-relay" in words])


if __name__ == "__main__":
    harness.main()
