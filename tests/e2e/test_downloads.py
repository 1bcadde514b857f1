"""Builds whose downloads fail: what a buildpack's own curl makes of a bad server, and what davit's makes of it; and a server that is gone."""
import hashlib

import harness
from bad_server import BadServer, body_of

OWN = "--fail --silent --show-error --retry 1 --retry-delay 1 --max-time 1 --connect-timeout 1 -L"  # as buildpacks have it
# All at once, into a pipe and into a file; the sums are what is judged.
COMPILE = f'''#!/bin/bash
get() {{
  curl {OWN} "$BASE/$1/piped-$N" | sha256sum | sed "s/-/$1 piped/"
  curl {OWN} -o "/tmp/$1" "$BASE/$1/file-$N" && sha256sum <"/tmp/$1" | sed "s/-/$1 file/"
}}
BASE=$(<"$3/BASE"); N=$(<"$3/N")
for fault in $(<"$3/FAULTS"); do get "$fault" & done
wait
'''
STRICT = f'''#!/bin/bash
set -eo pipefail
curl {OWN} "$(<"$3/BASE")/$(<"$3/WHAT")" | sha256sum
'''
TWO = '''#!/bin/bash
for name in first second; do curl -sSf "$(<"$3/BASE")/plain/$name" | sha256sum; done
'''
# Honours CURL_TIMEOUT, and calls the image's own curl: davit's cannot help it.
HONOURS = '''#!/bin/bash
echo "timeout ${CURL_TIMEOUT:-1}"
/usr/bin/curl -sSf --max-time "${CURL_TIMEOUT:-1}" "$(<"$3/BASE")/slow/honours" -o /dev/null
'''
FAULTS = ("reset", "cut", "stall", "503", "empty", "slow")


def quick(text):
    """The limits, short enough for a test."""
    ours = 'download-retry-delay = "10ms"\ndownload-stall-time = "1s"\n'
    for section, lines in (("buildstep", ours), ("docker", 'build-network = "host"\n')):
        text = text.replace(f"[plugins.{section}.settings]\n", f"[plugins.{section}.settings]\n{lines}")
    return text


def sum_of(name):
    return hashlib.sha256(body_of(name)).hexdigest()


class Downloads(harness.HomeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        settings = cls.home.path / "plugins.toml"
        settings.write_text(quick(settings.read_text()))
        cls.server = BadServer(cls.home.ports.next())

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        super().tearDownClass()

    def an_app(self, name, compile_script, **variables):
        pack = self.home.folder / f"pack-{name}"
        (pack / "bin").mkdir(parents=True)
        for script, text in (("detect", "#!/bin/bash\necho test\n"), ("compile", compile_script)):
            (pack / "bin" / script).write_text(text)
            (pack / "bin" / script).chmod(0o755)
        app = self.app(name)
        self.home.davit("buildpacks:set", name, pack)
        self.home.davit("build-env:set", name, f"BASE={self.server.url('').rstrip('/')}", *(f"{k}={v}" for k, v in variables.items()))
        self.home.davit("ps:scale", name, "web=0")
        app.write("Procfile", "web: sleep 1000\n")
        app.commit()
        return app

    def rebuild(self, app):
        return self.home.davit("ps:rebuild", app, check=False)

    def test_the_right_bytes_arrive_whatever_the_server_does(self):
        app = self.an_app("faults", COMPILE, N="1", FAULTS=" ".join(FAULTS))
        shown = app.push().stderr
        for fault in FAULTS:
            for kind in ("piped", "file"):
                self.assertIn(f"{sum_of(f'{kind}-1')}  {fault} {kind}", shown)

    def test_without_davits_curl_the_same_build_fails(self):
        app = self.an_app("without", STRICT, WHAT="slow/without")
        self.home.davit("downloads:set", "without", "wrapper", "false")
        done = app.push(check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("exit code 28", done.stderr)
        self.home.davit("downloads:set", "without", "wrapper")
        self.assertIn(sum_of("without"), app.push().stderr)

    def test_curl_timeout_reaches_a_buildpack_that_honours_it(self):
        app = self.an_app("honours", HONOURS, CURL_TIMEOUT="1")
        self.assertNotEqual(0, app.push(check=False).returncode)
        self.home.davit("build-env:unset", "honours", "CURL_TIMEOUT")
        self.assertIn("timeout 600", app.push().stderr)

    def test_with_the_server_gone_the_second_build_succeeds_and_only_for_its_own_app(self):
        app = self.an_app("again", STRICT, WHAT="plain/again")
        other = self.an_app("other", STRICT, WHAT="plain/again")
        self.assertIn(sum_of("again"), app.push().stderr)
        (kept,) = self.home.json("downloads:list", "again")
        self.assertEqual((self.server.url("plain/again"), sum_of("again"), len(body_of("again"))), (kept["url"], kept["sha256"], kept["bytes"]))
        self.server.close()
        try:
            done = self.rebuild("again")
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            self.assertIn("using the copy of an earlier build", done.stdout + done.stderr)
            self.assertIn(sum_of("again"), done.stdout + done.stderr)
            self.assertNotEqual(0, other.push(check=False).returncode, "another app's copy")
            self.home.davit("buildpacks:purge-cache", "again")
            self.assertEqual(0, self.rebuild("again").returncode, "it is not in the build cache")
            self.assertEqual("1", self.home.davit("downloads:report", "again", "--downloads-count").stdout.strip())
            self.home.davit("downloads:purge", "again")
            self.assertEqual([], self.home.json("downloads:list", "again"))
            self.assertNotEqual(0, self.rebuild("again").returncode)
        finally:
            type(self).server = BadServer(self.server.port)

    def test_they_are_forgotten_one_by_one_or_all(self):
        def kept(app):
            return sorted(row["url"] for row in self.home.json("downloads:list", app))
        for name in ("purged", "beside"):
            self.an_app(name, TWO).push()
        first, second = self.server.url("plain/first"), self.server.url("plain/second")
        self.assertEqual(([first, second], [first, second]), (kept("purged"), kept("beside")))
        self.assertIn("Removed 0 downloads", self.home.davit("downloads:purge", "purged", self.server.url("plain/unknown")).stdout)
        self.assertIn("Removed 1 download\n", self.home.davit("downloads:purge", "purged", first).stdout)
        self.assertEqual(([second], [first, second]), (kept("purged"), kept("beside")))
        self.home.davit("apps:clone", "--skip-deploy", "beside", "clone")
        self.assertEqual([], kept("clone"), "a clone's cache is its own")
        self.home.davit("downloads:purge", "clone")
        self.assertEqual(([second], [first, second]), (kept("purged"), kept("beside")))
        self.assert_exit(1, self.home.davit("downloads:purge", "--all", "purged", check=False), "Please specify an app")
        self.assertEqual([second], kept("purged"))
        self.home.davit("downloads:purge", "--all")
        self.assertEqual(([], []), (kept("purged"), kept("beside")))


if __name__ == "__main__":
    harness.main()
