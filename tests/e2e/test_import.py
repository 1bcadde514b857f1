"""Source that nobody pushes: archives from a file, stdin and a URL, and repositories elsewhere."""
import gzip
import http.server
import io
import tarfile
import threading

import harness
from harness import App


def archive(folder, prefix=""):
    """The files of a folder as the bytes of a tar.gz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path in sorted(folder.iterdir()):
            if path.name != ".git":
                tar.add(path, prefix + path.name)
    return out.getvalue()


class Import(harness.HomeTest):
    def source(self, name, answer):
        app = App(self.home, name)
        app.server(answer)
        app.commit()
        return app

    def test_an_archive_from_a_file_from_stdin_and_from_a_url(self):
        self.home.davit("apps:create", "boxed")
        app = self.source("boxed", "from a file")
        file = self.home.folder / "boxed.tar.gz"
        file.write_bytes(archive(app.folder, "boxed-1.0/"))
        self.home.davit("git:from-archive", "--archive-type", "tar.gz", "boxed", file, "Ada", "ada@example.com")
        self.assert_answers("boxed", "from a file")
        repository = ["git", "-c", "safe.directory=*", "-C", self.home.repository("boxed")]
        self.assertEqual("Ada ada@example.com", self.home.run([*repository, "log", "-1", "--format=%an %ae", "main"]).stdout.strip())
        self.home.davit("git:from-archive", "boxed", file)  # the same files: nothing to do
        self.assertEqual(1, len(self.home.json("releases:list", "boxed")))

        app.server("from stdin")
        self.home.davit("git:from-archive", "boxed", "-", input=archive(app.folder))
        self.assert_answers("boxed", "from stdin")

        app.server("from a url")
        with serve(archive(app.folder)) as url:
            self.home.davit("git:from-archive", "boxed", url)
            missing = self.home.davit("git:from-archive", "boxed", url + "-missing", check=False)
        self.assert_answers("boxed", "from a url")
        self.assert_exit(1, missing, "cannot be downloaded", "404")
        self.assertEqual("3", self.home.run([*repository, "rev-list", "--count", "main"]).stdout.strip())

    def test_a_bad_archive_changes_nothing(self):
        self.home.davit("apps:create", "badbox")
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            tar.addfile(tarfile.TarInfo("../evil"))
        done = self.home.davit("git:from-archive", "badbox", "-", input=out.getvalue(), check=False)
        self.assert_exit(1, done, "leads out of it", "Pack it from within")
        done = self.home.davit("git:from-archive", "badbox", "-", input=b"no archive at all" * 100, check=False)
        self.assert_exit(1, done, "neither a tar")
        done = self.home.davit("git:from-archive", "badbox", "-", check=False,
                               input=gzip.compress(b"#mtree\n./index.html type=file mode=0644 contents=/etc/passwd\n"))
        self.assert_exit(1, done, "neither a tar")
        done = self.home.davit("git:from-archive", "nosuch", "-", input=out.getvalue(), check=False)
        self.assert_exit(20, done, "App nosuch does not exist")
        self.assertEqual([], self.home.json("releases:list", "badbox"))
        self.assertEqual([], list((self.home.path / "run" / "work").iterdir()))

    def test_a_repository_elsewhere_is_synced_and_built(self):
        self.home.davit("apps:create", "synced")
        app = self.source("synced", "one")
        app.git("branch", "-m", "main", "release")
        done = self.home.davit("git:sync", "synced", app.folder, "release")
        self.assertIn("deploy it with --build", done.stdout)
        self.assertEqual([], self.home.json("releases:list", "synced"))
        self.assertEqual("release", self.home.json("git:report", "synced")["deploy-branch"])
        self.home.davit("git:sync", "--build-if-changes", "synced", app.folder)
        self.assert_answers("synced", "one")
        self.home.davit("git:sync", "--build-if-changes", "synced", app.folder)
        self.assertEqual(1, len(self.home.json("releases:list", "synced")))
        app.server("two")
        app.commit()
        self.home.davit("git:sync", "--build", "synced", app.folder)
        self.assert_answers("synced", "two")
        head = app.git("rev-parse", "HEAD").stdout.strip()
        self.assertEqual(head, self.home.run(["git", "-c", "safe.directory=*", "-C", self.home.repository("synced"), "rev-parse",
                                              "release"]).stdout.strip())
        done = self.home.davit("git:sync", "synced", app.folder, "nosuch", check=False)
        self.assert_exit(1, done, "has no nosuch")
        done = self.home.davit("git:sync", "synced", "ext::sh -c id", check=False)
        self.assert_exit(1, done, "no address of a git repository")


class serve:
    """Bytes at a URL, for a while; anything else is not found."""

    def __init__(self, content):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/app" else 404)
                self.send_header("Content-Length", str(len(content) if self.path == "/app" else 0))
                self.end_headers()
                if self.path == "/app":
                    self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}/app"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    harness.main()
