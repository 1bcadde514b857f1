"""The stand-ins for curl and wget by themselves: a bad server, no davit around them. What a build sees of them is in test_downloads.py."""
import hashlib
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness
from bad_server import BadServer, body_of
from ports import PortBlock

WRAPPERS = harness.BUILD / "libexec" / "davit" / "downloads"
# A buildpack's own flags: they give up long before these downloads are done.
OWN_FLAGS = ["-sS", "-L", "--fail", "--retry", "1", "--retry-delay", "1", "--max-time", "1", "--connect-timeout", "1"]


def short(value):
    """Bodies are compared by what a person can read."""
    return f"{len(value)} bytes, {hashlib.sha256(value).hexdigest()[:12]}" if isinstance(value, bytes) and len(value) > 200 else value


class Wrapper(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="davit-download-"))
        self.cache = self.folder / "cache"
        self.cache.mkdir()
        self.ports = PortBlock()
        self.server = None
        self.start()
        self.env = {"PATH": f"{WRAPPERS}/curl:{WRAPPERS}/wget:/usr/bin:/bin", "HOME": str(self.folder), "DAVIT_DOWNLOADS": str(self.cache),
                    "DAVIT_DOWNLOAD_DELAY_MS": "10", "DAVIT_DOWNLOAD_STALL_S": "1", "CURL_TIMEOUT": "30", "CURL_CONNECT_TIMEOUT": "5"}

    def tearDown(self):
        self.stop()
        self.ports.close()
        shutil.rmtree(self.folder)

    def start(self, **options):
        self.server = BadServer(self.server.port if self.server else self.ports.next(), **options)

    def stop(self):
        if self.server and not self.server.over.is_set():
            self.server.close()

    def run_it(self, *words, **env):
        return subprocess.run([str(word) for word in words], env={**self.env, **env}, cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)

    def curl(self, *words, **env):
        return self.run_it("curl", *words, **env)

    def real(self, *words):
        return self.run_it("/usr/bin/curl", *words)

    def names(self, prefix=""):
        return sorted(path.name for path in self.cache.iterdir() if path.name.startswith(prefix))

    def assertEqual(self, first, second, message=None):
        def shortened(value):
            return type(value)(short(part) for part in value) if isinstance(value, (tuple, list)) else short(value)
        super().assertEqual(shortened(first), shortened(second), message)

    # ---- downloads that survive
    def test_the_right_bytes_whatever_the_fault(self):
        for fault in ("reset", "cut", "stall", "503", "521", "530", "empty", "slow"):
            with self.subTest(fault):
                if fault in ("cut", "slow"):
                    self.assertFalse(body_of("a") == self.real(*OWN_FLAGS, self.server.url(f"{fault}/a")).stdout, "the fault is none")
                    self.server.seen.clear()
                done = self.curl(*OWN_FLAGS, self.server.url(f"{fault}/a"))
                self.assertEqual((0, body_of("a")), (done.returncode, done.stdout), done.stderr)
                self.server.seen.clear()
                done = self.curl(*OWN_FLAGS, "-o", "made/file", "--create-dirs", self.server.url(f"{fault}/b"))
                self.assertEqual((0, b""), (done.returncode, done.stdout), done.stderr)
                self.assertEqual(body_of("b"), (self.folder / "made/file").read_bytes())

    def test_what_stays_broken_fails_as_curl_fails_and_hands_nothing_on(self):
        self.server.faults = 100
        for fault, code in (("cut", 18), ("reset", 56), ("503", 22), ("empty", 52)):
            with self.subTest(fault):
                done = self.curl("-sSf", "-o", "file", self.server.url(f"{fault}/a"), DAVIT_DOWNLOAD_ATTEMPTS="2")
                self.assertEqual((code, b""), (done.returncode, done.stdout), done.stderr)
                self.assertFalse((self.folder / "file").exists())
                self.assertIn(b"trying again, 2 of 2", done.stderr)
        self.stop()
        self.assertEqual(7, self.curl("-sf", self.server.url("good/a"), DAVIT_DOWNLOAD_ATTEMPTS="1").returncode)

    def test_a_503_without_f_is_curls_success_but_not_before_the_retries(self):
        self.server.faults = 100
        done = self.curl("-s", self.server.url("503/a"), DAVIT_DOWNLOAD_ATTEMPTS="3")
        self.assertEqual((0, b"busy\n", b""), (done.returncode, done.stdout, done.stderr))
        self.assertEqual(3, self.server.seen["/503/a"])

    def test_missing_is_missing_at_once(self):
        for flags in (["-s"], ["-sf"], ["-s", "--fail-with-body"], ["-sf", "-w", "%{http_code}"]):
            with self.subTest(flags):
                real = self.real(*flags, self.server.url("missing/a"))
                ours = self.curl(*flags, self.server.url("missing/a"))
                self.assertEqual((real.returncode, real.stdout), (ours.returncode, ours.stdout))
        self.assertEqual(8, self.server.seen["/missing/a"])

    def test_what_is_no_plain_download_is_left_to_curl_word_for_word(self):
        fake = self.folder / "bin"
        fake.mkdir()
        (fake / "curl").write_text("#!/bin/bash\nprintf '%s\\n' \"$@\"\nexit 42\n")
        (fake / "curl").chmod(0o755)
        url = self.server.url("good/a")
        for words in (["-d", "x=y", url], ["-T", "file", url], ["-F", "a=b", url], ["-X", "POST", url], ["-I", url], [url, url],
                      ["-o", "a", url, "--next", url], ["-K", "file"], ["-r", "0-5", url], ["-C", "-", url], ["-H", "Range: bytes=0-5", url],
                      ["-sJO", url], [], ["--version"], ["-D", "h", url], ["ftp://host/x"], ["host/x"], ["http://h/[1-3]"], ["-o", "", url],
                      ["-Z", url], ["-z", "today", url], ["-w", "@f", url], ["--unheard-of", url]):
            with self.subTest(words):
                done = self.curl(*words, PATH=f"{WRAPPERS}/curl:{fake}:/bin")
                self.assertEqual((42, words), (done.returncode, done.stdout.decode().split("\n")[:-1] if words else []))

    def test_names_of_files_are_curls(self):
        for words in (["-sO"], ["-sO", "--output-dir", "."], ["-so", "x y"], ["-s", "-ox"], ["-sSfLox"]):
            with self.subTest(words):
                real, ours = self.folder / "real", self.folder / "ours"
                for folder, curl in ((real, "/usr/bin/curl"), (ours, f"{WRAPPERS}/curl/curl")):
                    folder.mkdir()
                    done = subprocess.run([curl, *words, self.server.url("plain/file.tgz?x=1")], cwd=folder, env=self.env, timeout=60)
                    self.assertEqual(0, done.returncode)
                self.assertEqual([p.name for p in real.iterdir()], [p.name for p in ours.iterdir()])
                for folder in (real, ours):
                    shutil.rmtree(folder)

    # ---- the cache
    def test_with_the_origin_down_what_was_fetched_once_comes_again(self):
        for kind in ("good", "dated", "plain"):
            with self.subTest(kind):
                url = self.server.url(f"{kind}/a")
                first = self.curl("-sSfL", "-w", "%{http_code} %{size_download}\\n", url)
                self.assertEqual(body_of("a") + b"200 200000\n", first.stdout)
                self.stop()
                again = self.curl("-sSfL", "-w", "%{http_code} %{size_download}\\n", url)
                self.assertEqual((0, first.stdout), (again.returncode, again.stdout), again.stderr)
                self.assertIn(b"using the copy of an earlier build", again.stderr)
                self.start()
        self.assertEqual([], self.names("t-"))

    def test_with_the_origin_down_behind_a_cdn_too(self):
        self.server.faults = 0
        url = self.server.url("522/a")
        self.assertEqual(body_of("a"), self.curl("-sSf", url).stdout)
        self.server.faults = 100
        again = self.curl("-sSf", url)
        self.assertEqual((0, body_of("a")), (again.returncode, again.stdout), again.stderr)
        self.assertIn(b"HTTP status 522; using the copy of an earlier build", again.stderr)

    def test_an_origin_that_answers_is_asked(self):
        for kind, asked in (("good", 1), ("dated", 2), ("plain", 2)):
            url = self.server.url(f"{kind}/a")
            for _ in range(2):
                self.assertEqual(body_of("a"), self.curl("-sSf", url).stdout)
            self.assertEqual(asked, self.server.not_modified)
            self.assertEqual(2, self.server.seen[f"/{kind}/a"])
        self.stop()
        self.start(bodies=lambda name: b"new")
        self.assertEqual(b"new", self.curl("-sSf", self.server.url("good/a")).stdout)
        self.stop()
        self.assertEqual(b"new", self.curl("-sSf", self.server.url("good/a")).stdout)

    def test_a_bad_origin_does_not_take_long_when_there_is_a_copy(self):
        url = self.server.url("good/503/a")
        self.curl("-sSf", url)
        self.stop()
        self.start(faults=100)
        for fault in ("503", "stall"):
            key = self.server.url(f"{fault}/x")
            self.server.faults = 0
            self.assertEqual(body_of("x"), self.curl("-s", key).stdout)
            self.server.faults = 100
            self.server.seen.clear()
            done = self.curl("-s", key)
            self.assertEqual((0, body_of("x")), (done.returncode, done.stdout))
            self.assertEqual(2, self.server.seen[f"/{fault}/x"])

    def test_a_missing_file_is_not_served_from_the_cache(self):
        url = self.server.url("plain/a")
        self.curl("-sSf", url)
        entry = self.names("m-")[0]
        text = (self.cache / entry).read_text()
        other = self.server.url("missing/a")
        self.curl("-s", other)
        self.assertEqual([entry], self.names("m-"))
        self.assertIn(url, text)

    def test_what_is_somebodys_own_is_not_kept(self):
        url = self.server.url("good/a")
        for words in (["-H", "Authorization: Bearer x"], ["-H", "PRIVATE-TOKEN: x"], ["-u", "a:b"], ["-b", "a=b"], ["-H", "Cookie: a=b"]):
            self.assertEqual(body_of("a"), self.curl("-sSf", *words, url).stdout)
        self.curl("-sSf", self.server.url("nostore/a"))
        self.curl("-sSf", self.server.url("cookie/a"))
        self.curl("-sSf", url.replace("//", "//user:pass@"))
        self.assertEqual([], self.names())

    def test_headers_that_count_are_part_of_the_key(self):
        url = self.server.url("good/a")
        for words in ([], ["-H", "Accept: text/plain"], ["-L"], ["-A", "me"]):
            self.curl("-sSf", *words, url)
        self.assertEqual((4, 1), (len(self.names("m-")), len(self.names("b-"))))

    def test_a_copy_that_was_changed_is_not_used(self):
        url = self.server.url("plain/a")
        self.curl("-sSf", url)
        (body,) = self.names("b-")
        (self.cache / body).write_bytes(b"x" * len(body_of("a")))
        self.stop()
        done = self.curl("-sSf", url, DAVIT_DOWNLOAD_ATTEMPTS="1")
        self.assertEqual((7, b""), (done.returncode, done.stdout))
        self.start()
        self.assertEqual(body_of("a"), self.curl("-sSf", url).stdout)
        self.stop()
        self.assertEqual(body_of("a"), self.curl("-sSf", url).stdout)

    def test_many_at_once(self):
        url = self.server.url("good/a")
        running = [subprocess.Popen(["curl", "-sSf", url], env=self.env, stdout=subprocess.PIPE) for _ in range(12)]
        self.assertEqual([body_of("a")] * 12, [one.communicate(timeout=60)[0] for one in running])
        self.assertEqual((1, 1, 0), tuple(len(self.names(prefix)) for prefix in ("m-", "b-", "t-")))

    def test_without_a_folder_it_downloads_all_the_same(self):
        for folder in ("", str(self.folder / "nowhere")):
            done = self.curl(*OWN_FLAGS, self.server.url("cut/a"), DAVIT_DOWNLOADS=folder)
            self.assertEqual((0, body_of("a")), (done.returncode, done.stdout))
        done = self.curl("-s", self.server.url("good/a"), DAVIT_DOWNLOADS="", TMPDIR=str(self.folder / "nowhere"))
        self.assertEqual((0, body_of("a")), (done.returncode, done.stdout), "no scratch: curl alone")

    def test_a_reader_that_goes_away(self):
        done = subprocess.run(["bash", "-c", f"set -o pipefail; curl -s {self.server.url('good/a')} | head -c 10 >/dev/null; echo ${{PIPESTATUS[0]}}"],
                              env=self.env, stdout=subprocess.PIPE, timeout=60)
        self.assertIn(done.stdout, (b"23\n", b"0\n"))

    # ---- wget
    @unittest.skipUnless(shutil.which("wget", path="/usr/bin"), "there is no wget here")
    def test_wget(self):
        for fault in ("reset", "cut", "503"):
            done = self.run_it("wget", "-q", "-O", "-", "--tries=1", self.server.url(f"{fault}/a"))
            self.assertEqual((0, body_of("a")), (done.returncode, done.stdout), done.stderr)
        self.run_it("wget", "-nv", "-P", "into", self.server.url("good/file.tgz"))
        self.run_it("wget", "--directory-prefix=into", self.server.url("good/file.tgz"))
        self.assertEqual(["file.tgz", "file.tgz.1"], sorted(p.name for p in (self.folder / "into").iterdir()))
        self.assertEqual(8, self.run_it("wget", "-q", self.server.url("missing/a")).returncode)
        self.stop()
        self.assertEqual(0, self.run_it("wget", "-qO", "again", self.server.url("good/file.tgz")).returncode)
        self.assertEqual(body_of("file.tgz"), (self.folder / "again").read_bytes())
        self.assertEqual(4, self.run_it("wget", "-q", self.server.url("good/other"), DAVIT_DOWNLOAD_ATTEMPTS="1").returncode)


if __name__ == "__main__":
    unittest.main()
