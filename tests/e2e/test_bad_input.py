"""Bad input gets an answer that says what to do, and loses nothing."""
import contextlib
import json
import os
import re
import shutil
import sqlite3
from pathlib import Path

import harness

# plugins.toml broken: what is wrong -> (the change, words of the answer). The exact line and advice of more ways: unit tests.
BROKEN_TOML = {
    "no TOML": (lambda t: t + "\n[plugins.nginx\n", "plugins.toml:"),
    "unknown key": (lambda t: t.replace("[host]", "[host]\nruntme = 'process'", 1), "runtime"),
    "unknown section": (lambda t: t + "\n[hosts]\n", 'Did you mean "host"'),
    "wrong type": (lambda t: t.replace("[plugins.buildstep]", "[plugins.buildstep]\norder = 'first'", 1), "order is a string"),
    "out of range": (lambda t: t.replace("[host]", "[host]\nplugin_timeout_seconds = -1", 1), "plugin_timeout_seconds is -1"),
    "twice": (lambda t: t + "\n[host]\n", "plugins.toml:"),
    "no such plugin": (lambda t: t + "\n[plugins.ngnix]\n", 'Did you mean "nginx"'),
    "unmet version": (lambda t: re.sub(r'(\[plugins\.nginx\]\n(?:.*\n)*?)version = "[^"]*"', r'\1version = "^9.0"', t, count=1), '"^9.0" is wanted'),
    "unknown setting": (lambda t: t.replace("[plugins.buildstep.settings]", "[plugins.buildstep.settings]\nbuild-timout = '5m'", 1), 'Did you mean "build-timeout"'),
    "bad value": (lambda t: t.replace("[plugins.nginx.settings]", "[plugins.nginx.settings]\nworkers = 'many'", 1), "workers"),
    "not UTF-8": (lambda t: t.replace("[host]", "# caf\udce9\n[host]", 1), "UTF-8"),
}


class BadInput(harness.HomeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home.davit("apps:create", "bad")
        cls.base = harness.App(cls.home, "bad")
        cls.base.server("good")
        cls.base.commit()
        cls.base.push()

    def still_good(self):
        self.assertEqual((200, "good"), (lambda a: (a[0], a[1].strip()))(self.home.get("bad")))

    def refused(self, done, *words):
        self.assert_exit(done.returncode or -1, done, *words)
        self.still_good()

    def test_app_names(self):
        for name in ("a..b", "a/b", "Capital", "two words", "x" * 64, "-x", "x-", ""):
            with self.subTest(name):
                done = self.home.davit("apps:create", "--", name, check=False)
                self.assertEqual(1, done.returncode)
                self.assertRegex(done.stderr, r"(?i)name|lower-case")

    def test_config_values(self):
        self.home.davit("config:set", "--no-restart", "bad", "BIG=" + "x" * 100_000, "LINES=a\nb")
        self.assertEqual("a\nb\n", self.home.davit("config:get", "bad", "LINES").stdout)
        done = self.home.davit("config:set", "bad", "1X=2", check=False)
        self.assertEqual(1, done.returncode)
        done = self.home.davit("config:set", "bad", check=False)
        self.assertIn("At least one env pair must be given", done.stderr)

    def test_config_values_of_any_bytes_reach_the_app_or_are_refused(self):
        app = self.app("bytes")
        app.server("unused")
        app.write("server.py", harness.SERVER.replace("@EXTRA@", "import hashlib").replace(
            "@ANSWER@", "' '.join(hashlib.sha256(os.environb.get(k, b'')).hexdigest() for k in (b'BIG', b'ODD'))"))
        app.commit()
        big, odd = b"x" * (96 << 10), b"caf\xe9 \xff\xfe\n"
        self.home.run([harness.DAVIT, "config:set", "--no-restart", "bytes", b"ODD=" + odd])
        self.home.davit("config:import", "--no-restart", "bytes", input=b"BIG='" + big + b"'\n")
        if harness.ON_DOCKER:  # its API is JSON
            self.assert_exit(1, app.push(check=False), "ODD", "UTF-8")
            odd = "café\n".encode()
            self.home.run([harness.DAVIT, "config:set", "--no-restart", "bytes", b"ODD=" + odd])
        app.push()
        import hashlib
        self.assert_answers("bytes", " ".join(hashlib.sha256(value).hexdigest() for value in (big, odd)))
        # 1 MiB is kept, but the kernel takes no such variable: said when it is set, and the release that runs goes on.
        done = self.home.davit("config:import", "bytes", input=b"BIG='" + b"x" * (1 << 20) + b"'\n", check=False)
        self.assert_exit(1, done, "BIG")
        done = self.home.davit("config:import", "bytes", input=b"ZERO='a\0b'\n", check=False)
        self.assert_exit(1, done, "ZERO", "NUL")
        self.assert_answers("bytes", " ".join(hashlib.sha256(value).hexdigest() for value in (big, odd)))

    def test_push_of_a_tag_is_stored(self):
        self.base.git("tag", "-f", "v1")
        self.assert_exit(0, self.base.push(refspec="refs/tags/v1", flags=["-f"]), "stored, not deployed")

    def test_push_to_another_branch_is_stored(self):
        self.assert_exit(0, self.base.push(refspec="HEAD:refs/heads/other"), "stored, not deployed")

    def test_deletion_is_refused(self):
        self.refused(self.base.push(refspec=":refs/heads/main", check=False), "cannot be deleted")

    def test_two_deploy_branches_are_refused(self):
        self.base.commit("for two branches")
        done = self.base.git("push", str(self.home.repository("bad")), "HEAD:refs/heads/main", "HEAD:refs/heads/master", check=False)
        self.refused(done, "both would be deployed")

    def branch(self, name):
        self.base.git("checkout", "-q", "-B", name, "main")

    def test_trees(self):
        cases = {
            "link": (lambda: os.symlink("../../outside", self.base.folder / "link"), "outside the tree"),
            "absolute": (lambda: os.symlink("/etc/passwd", self.base.folder / "absolute"), "outside the tree"),
            "large": (lambda: self.base.write("large", os.urandom(1 << 20) * 101), "max-blob-bytes"),
            "bad-line": (lambda: self.base.write("Procfile", "web: exec python3 server.py\nthis is no line\n"), "Procfile"),
        }
        for name, (make, word) in cases.items():
            with self.subTest(name):
                self.branch(name)
                make()
                self.base.commit()
                self.refused(self.base.push(check=False), word)
                self.base.git("checkout", "-q", "-f", "main")

    def test_a_giant_push_is_refused_while_it_arrives(self):
        self.home.davit("git:set", "bad", "max-push-bytes", "200000")
        self.addCleanup(self.home.davit, "git:set", "bad", "max-push-bytes")
        self.branch("giant")
        self.base.write("giant", os.urandom(1 << 20))
        self.base.commit()
        self.refused(self.base.push(check=False), "pack exceeds maximum allowed size")
        self.base.git("checkout", "-q", "-f", "main")

    def test_a_result_that_is_lost_is_a_failure(self):
        done = self.home.run(["sh", "-c", f"{harness.DAVIT} apps:list >/dev/full"], check=False)
        self.assert_exit(1, done, "No space left on device")
        # Nothing of ours takes the place of a descriptor that the caller has closed.
        self.home.run(["sh", "-c", f"{harness.DAVIT} config:set --no-restart bad A=b <&- >&- 2>&-"])
        self.assertEqual("b\n", self.home.davit("config:get", "bad", "A").stdout)

    def test_a_command_of_a_plugin_that_is_not_in_order_says_why(self):
        with self.home.settings(lambda text: text.replace("[plugins.nginx.settings]", "[plugins.nginx.settings]\nprot = 1")):
            self.assert_exit(1, self.home.davit("nginx:validate-config", check=False), 'unknown key "prot"')
        self.home.davit("plugin:disable", "mysql")
        self.assert_exit(1, self.home.davit("mysql:list", check=False), "the plugin mysql, which is disabled")
        self.home.davit("plugin:enable", "mysql")
        with self.home.settings(lambda text: text.replace("[host]", '[host]\nproxy = "nope"')):
            self.assert_exit(1, self.home.davit("doctor", check=False), 'proxy = "nope"')

    def test_an_app_that_is_deployed_without_its_proxy_is_told_of(self):
        self.assert_exit(0, self.home.davit("plugin:disable", "nginx"), "nginx routes the requests of", "davit plugin:enable nginx")
        self.assert_exit(0, self.home.davit("ps:restart", "bad"), "No proxy is enabled")
        self.home.davit("plugin:enable", "nginx")
        self.home.davit("ps:restart", "bad")
        self.still_good()

    def test_a_broken_plugin_keeps_nobody_from_looking(self):
        with self.home.settings(lambda text: text.replace("[plugins.buildstep.settings]", "[plugins.buildstep.settings]\nnope = 1")):
            self.assert_exit(1, self.home.davit("ps:restart", "bad", check=False), 'unknown key "nope"')
            self.assertIn("listening", self.home.davit("logs", "bad").stdout)
            self.assertRegex(self.home.davit("ps:report", "bad").stdout, r"Status web 1: +running")
            self.home.davit("run:list", "bad")
            self.assertIn("private", self.home.davit("nginx:report", "bad").stdout)

    def test_a_property_that_a_plugin_cannot_take_is_not_stored(self):
        self.home.davit("nginx:set", "bad", "client-max-body-size", "2m")
        for scope in ("bad", "--global"):
            done = self.home.davit("nginx:set", scope, "client-max-body-size", "banana", check=False)
            self.assert_exit(1, done, "client-max-body-size must be a size")
            # Good to look at, and only nginx knows better.
            done = self.home.davit("nginx:set", scope, "access-log-format", "nope", check=False)
            self.assert_exit(1, done, 'unknown log format "nope"')
        done = self.home.davit("nginx:set", "--global", "bind-address-ipv4", "192.0.2.1", check=False)
        self.assert_exit(1, done, "Cannot assign requested address")
        report = self.home.json("nginx:report", "bad")
        self.assertEqual("2m", report["nginx-client-max-body-size"])
        for key in ("global-client-max-body-size", "access-log-format", "global-access-log-format", "global-bind-address-ipv4"):
            self.assertEqual("", report["nginx-" + key], key)
        self.home.davit("nginx:set", "bad", "client-max-body-size")
        for verb in ("error-logs", "reload", "validate-config"):
            self.assert_exit(20, self.home.davit("nginx:" + verb, "nope", check=False), "App nope does not exist")

    def test_a_log_path_is_no_folder_of_the_log_directory(self):
        keys = ("access-log-path", "error-log-path")
        for scope in ("bad", "--global"):
            for key in keys:
                done = self.home.davit("nginx:set", scope, key, "unit", check=False)
                self.assert_exit(1, done, f"{key} must be off, or the name of a file of the proxy's log directory that ends in .log")
                self.addCleanup(self.home.davit, "nginx:set", scope, key)
        with contextlib.closing(sqlite3.connect(self.home.path / "davit.db")) as store, store:  # an older davit took it
            for key in keys:
                store.execute("INSERT INTO properties SELECT id, 'nginx', ?, 'unit' FROM apps WHERE name IN ('', 'bad')", (key,))
        said = [f"nginx:set {scope} {key} unit does not count any more" for scope in ("bad", "--global") for key in keys]
        self.assert_exit(0, self.home.davit("ps:restart", "bad"), *said)
        self.assert_exit(0, self.home.davit("doctor", check=False), *said)
        self.home.davit("system:stop")
        self.home.davit("system:start")
        harness.wait_for(lambda: self.home.get("bad")[0] == 200, "the app answers again")

    def test_a_procfile_with_windows_line_ends_works(self):
        app = self.app("crlf")
        app.server("windows")
        app.write("Procfile", "# my app\r\nweb: exec python3 -u server.py\r\n\r\n")
        app.commit()
        app.push()
        self.assert_answers("crlf", "windows")

    def test_a_procfile_without_web_runs_its_workers_and_says_so(self):
        app = self.app("noweb")
        app.write("Procfile", "worker: while true; do echo working; sleep 1; done\n")
        app.commit()
        done = app.push()
        self.assertIn("Process types (Procfile): worker", done.stderr)
        self.assertIn("no web process", done.stderr)
        self.assertIn("davit ps:scale noweb worker=1", done.stderr)
        self.assertIn(self.home.get("noweb")[0], (404, 503))

    def test_a_push_that_loses_its_web_is_refused(self):
        self.branch("typo")
        self.base.write("Procfile", "wbe: exec python3 -u server.py\n")
        self.base.commit()
        self.refused(self.base.push(check=False), "it has wbe", "davit ps:scale bad web=0")
        self.base.git("checkout", "-q", "-f", "main")

    def test_empty_tree(self):
        self.base.git("checkout", "-q", "--orphan", "empty")
        self.base.git("rm", "-rfq", ".")
        self.base.commit()
        self.refused(self.base.push(flags=["-f"], check=False), "no files")
        self.base.git("checkout", "-q", "-f", "main")

    def test_a_domain_of_another_app(self):
        self.home.davit("apps:create", "rival")
        self.home.davit("domains:add", "bad", "shop.example.com")
        done = self.home.davit("domains:add", "rival", "shop.example.com", check=False)
        self.assert_exit(1, done, "bad")

    def test_domains_of_a_locked_app(self):
        self.home.davit("domains:add", "bad", "www.example.com")
        self.home.davit("apps:lock", "bad")
        for words in (["domains:remove", "bad", "www.example.com"], ["domains:disable", "bad"]):
            self.refused(self.home.davit(*words, check=False), "bad is locked")
        self.assertIn("www.example.com", self.home.davit("domains:report", "bad", "--domains-app-vhosts").stdout)
        self.home.davit("apps:unlock", "bad")
        self.home.davit("domains:remove", "bad", "www.example.com")
        self.still_good()

    def test_plugins_toml_broken_in_many_ways(self):
        for name, (change, words) in BROKEN_TOML.items():
            with self.subTest(name), self.home.settings(change):
                done = self.home.davit("ps:restart", "bad", check=False)
                self.assert_exit(1, done, "plugins.toml:", words)
                self.assert_exit(0, self.home.davit("config:show", "bad"))  # what needs no plugin works
                self.still_good()
        self.home.davit("ps:restart", "bad")

    def test_unknown_app_and_command(self):
        self.assertEqual(20, self.home.davit("config:show", "nosuch", check=False).returncode)
        done = self.home.davit("no:such", check=False)
        self.assert_exit(1, done, "`no:such` is not a davit command")

    def test_a_home_of_somebody_else(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to become another user")
        other = harness.Home.__new__(harness.Home)
        other.__dict__.update(self.home.__dict__)
        other.user = 12345
        done = other.davit("config:set", "bad", "A=b", check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertRegex(done.stderr, r"(?i)owner|belongs|not yours")


class BadPluginFiles(harness.HomeTest):
    """An installation of its own, so that hostile files lie where the good ones are."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prefix = cls.home.folder / "prefix"
        for part in ("bin", "lib", "libexec", "share"):
            if (harness.BUILD / part).is_dir():
                shutil.copytree(harness.BUILD / part, cls.prefix / part, symlinks=False)
        cls.plugins = cls.prefix / "lib" / "davit" / "plugins"
        cls.good = (cls.plugins / "buildstep.so").read_bytes()

    def davit(self, *words, check=False):
        return self.home.run([self.prefix / "bin" / "davit", *words], check=check)

    def put(self, name, content):
        file = self.plugins / f"{name}.so"
        file.write_bytes(content)
        file.chmod(0o755)
        self.addCleanup(file.unlink)
        return file

    def test_hostile_files_are_named_and_hurt_nobody_else(self):
        major = self.good.replace(b'abi = "1.', b'abi = "9.', 1)
        self.assertNotEqual(major, self.good)
        cases = {"text": (b"#!/bin/sh\necho hello\n", "not an ELF file"),
                 "truncated": (self.good[:len(self.good) // 2], "truncated"),
                 "major": (major.replace(b'id = "buildstep"', b'id = "buildstet"', 1), "was built for ABI 9."),
                 "unmarked": (Path(shutil.which("true", path="/usr/bin")).read_bytes(), "note")}
        for name, (content, words) in cases.items():
            with self.subTest(name):
                self.put(name, content)
                listed = {row["path"]: row for row in json.loads(self.davit("plugin:list", "--format", "json", check=True).stdout)}
                row = listed[str(self.plugins / f"{name}.so")]
                self.assertIn(words, row["problem"])
                self.assert_exit(0, self.davit("apps:list"))
                # Nobody asked for it, so nothing is broken; wanted, it stops what needs plugins and is named.
                with self.home.settings(lambda text: text + f"\n[plugins.{row['id']}]\n"):
                    done = self.davit("system:start")
                    self.assert_exit(1, done, words)
                    self.assertIn(f"{name}.so", done.stderr)
                    self.assert_exit(0, self.davit("apps:list"))
        self.assert_exit(0, self.davit("system:start"))

    def test_one_plugin_in_two_files(self):
        other = self.put("buildstep-copy", self.good)
        done = self.davit("system:start")
        self.assert_exit(1, done, "is in two files", "buildstep-copy.so")
        with self.home.settings(lambda text: text.replace("[plugins.buildstep]", f"[plugins.buildstep]\npath = \"{other}\"", 1)):
            self.assert_exit(0, self.davit("system:start"))


if __name__ == "__main__":
    harness.main()
