#!/usr/bin/python3
"""What a plugin author does, by the letter: install the SDK, build the template and the plugin of
docs/writing-a-plugin.md against it, check them. Also: what davit_add_plugin() must refuse.
    package_test.py SOURCE_DIR BUILD_DIR CONFORMANCE_CHECK
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(sys.argv.pop(3)).resolve()
BUILD = pathlib.Path(sys.argv.pop(2)).resolve()
SOURCE = pathlib.Path(sys.argv.pop(1)).resolve()


def run(*argv):
    return subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.root = pathlib.Path(cls.scratch.name)
        cls.prefix = cls.root / "prefix"
        result = run("cmake", "--install", BUILD, "--prefix", cls.prefix, "--component", "sdk")
        assert result.returncode == 0, result.stdout

    def configure(self, folder):
        return run("cmake", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}",
                   "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror")

    def build_and_check(self, folder, name):
        for result in (self.configure(folder), run("cmake", "--build", folder / "build"),
                       run(CHECK, folder / "build" / f"{name}.so")):
            self.assertEqual(result.returncode, 0, result.stdout)
        self.assertNotIn("  warning ", result.stdout)
        self.assertEqual(self.exports(folder / "build" / f"{name}.so"), ["davit_plugin_v1"])

    def exports(self, library):
        symbols = run("nm", "-D", "--defined-only", "--format=posix", library)
        self.assertEqual(symbols.returncode, 0, symbols.stdout)
        return [line.split()[0] for line in symbols.stdout.splitlines()]

    def template(self, name):
        folder = self.root / name
        shutil.copytree(self.prefix / "share/davit/template", folder)
        for path in folder.rglob("*"):
            if path.is_file():
                path.write_text(path.read_text().replace("@NAME@", name))
        return folder

    def test_the_template_builds_and_passes(self):
        self.build_and_check(self.template("my-plugin"), "my-plugin")

    def test_the_plugin_of_the_guide_builds_and_passes(self):
        guide = (SOURCE / "docs/writing-a-plugin.md").read_text()
        files = re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)\n```", guide, flags=re.S)
        self.assertEqual([name for name, _ in files], ["plugin.toml", "src/plugin.cpp", "CMakeLists.txt"])
        folder = self.root / "greeter"
        for name, text in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text + "\n")
        self.build_and_check(folder, "greeter")

    def test_the_examples_build_by_themselves(self):
        for name in ("hello-c", "hello-cpp", "redis", *(["hello-rust"] if shutil.which("rustc") else [])):
            folder = self.root / name
            shutil.copytree(SOURCE / "examples/plugins" / name, folder)
            for result in (self.configure(folder), run("cmake", "--build", folder / "build")):
                self.assertEqual(result.returncode, 0, result.stdout)
                self.assertNotIn("CMake Warning (dev)", result.stdout, name)
            self.assertEqual(self.exports(folder / "build/examples/plugins" / f"{name}.so"), ["davit_plugin_v1"])

    def test_the_note_survives_gc_sections_and_strip(self):
        folder = self.template("stripped")
        lists = folder / "CMakeLists.txt"
        lists.write_text(lists.read_text() + "target_compile_options(stripped PRIVATE -ffunction-sections"
                         " -fdata-sections)\ntarget_link_options(stripped PRIVATE -Wl,--gc-sections -s)\n")
        self.build_and_check(folder, "stripped")

    def test_a_note_without_id_version_or_with_another_id_is_refused(self):
        for name, line, new, words in (("no-id", 'id = "no-id"\n', "", "needs a line `id"),
                                       ("no-version", 'version = "0.1.0"\n', "", "needs a line `version"),
                                       ("bad-version", 'version = "0.1.0"', 'version = "1"', "MAJOR.MINOR.PATCH"),
                                       ("other-id", 'id = "other-id"', 'id = "another"', "must be the same")):
            folder = self.template(name)
            note = folder / "plugin.toml"
            self.assertIn(line, note.read_text())
            note.write_text(note.read_text().replace(line, new, 1))
            result = self.configure(folder)
            self.assertNotEqual(result.returncode, 0, name)
            self.assertIn(words, " ".join(result.stdout.split()), name)


class Exports(unittest.TestCase):
    def test_plugins_of_the_build_export_one_symbol(self):
        plugins = [*BUILD.glob("lib/davit/plugins/*.so"), *BUILD.glob("examples/plugins/*.so"),
                   BUILD / "tests/conformance/fixtures/template.so", *BUILD.glob("tests/conformance/fixtures/hello-*.so")]
        self.assertGreaterEqual(len(plugins), 3)
        for plugin in plugins:
            symbols = run("nm", "-D", "--defined-only", "--format=posix", plugin)
            names = [line.split()[0] for line in symbols.stdout.splitlines()]
            self.assertEqual(names, ["davit_plugin_v1"], f"{plugin}: {symbols.stdout}")

    def test_the_manual_has_the_commands_of_all_plugins(self):
        page = (BUILD / "share/man/man1/davit.1").read_text()
        for name in ("apps:create", "certs:add", "buildpacks:set", "docker\\-options:add", "postgres:create", "nginx:set"):
            self.assertIn(f".B {name}\n", page)


if __name__ == "__main__":
    unittest.main()
