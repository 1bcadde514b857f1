"""Bad input gets an answer that says what to do, and loses nothing."""
import os

import harness


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
            "crlf": (lambda: self.base.write("Procfile", "this is no line\n"), "Procfile"),
        }
        for name, (make, word) in cases.items():
            with self.subTest(name):
                self.branch(name)
                make()
                self.base.commit()
                self.refused(self.base.push(check=False), word)
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

    def test_plugins_toml_with_an_unknown_key(self):
        file = self.home.path / "plugins.toml"
        text = file.read_text()
        try:
            file.write_text(text.replace("[host]", "[host]\nruntme = 'process'", 1))
            done = self.home.davit("ps:restart", "bad", check=False)
            self.assert_exit(1, done, "plugins.toml:", "runtime")
        finally:
            file.write_text(text)
        self.still_good()

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


if __name__ == "__main__":
    harness.main()
