"""Rules of the house that a machine can check, on the files that git knows (or would know)."""
import os
import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(os.environ.get("DAVIT_SOURCE_DIR", Path(__file__).resolve().parents[2]))
CODE = (".cpp", ".hpp", ".h", ".c")


def tracked():
    listing = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                             capture_output=True, text=True).stdout
    return [ROOT / line for line in listing.splitlines() if (ROOT / line).is_file()]


FILES = tracked()


def code(*folders):
    for file in FILES:
        relative = file.relative_to(ROOT).as_posix()
        if file.suffix in CODE and relative.startswith(tuple(folder + "/" for folder in folders)):
            yield file, relative, file.read_text(errors="replace")


def layers():
    allowed = {}
    for line in (ROOT / "cmake" / "layers.txt").read_text().splitlines():
        if "->" in line and not line.startswith("#"):
            room, uses = line.split("->")
            allowed[room.strip()] = set(uses.split())
    return allowed


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


# Pauses between looks at something that sends no event; each under a deadline.
MAY_PAUSE = {
    "host/plugin/conformance_state.cpp": "threads of a plugin end without a word",
    "plugins/nginx/src/engine.cpp": "nginx does not say when it has started or reloaded",
    "plugins/nginx/src/live_files.cpp": "nginx does not say when it has reloaded",
    "plugins/nginx/src/log_reader.cpp": "rotation of a followed log",
}


class Tidy(unittest.TestCase):
    maxDiff = None

    def test_rooms_include_only_what_layers_allow(self):
        allowed = layers()
        wrong = []
        for _, name, text in code("host"):
            parts = name.split("/")
            if len(parts) < 3 or parts[1] not in allowed:
                continue
            room = parts[1]
            for include in re.findall(r'^#include "([a-z]+)/', text, flags=re.M):
                target = "sdk" if include == "davit" else include
                if target != room and target in {*allowed, "sdk"} and target not in allowed[room]:
                    wrong.append(f"{name} includes {include}/")
        self.assertEqual([], wrong)

    def test_only_the_plugin_room_sees_the_c_headers(self):
        wrong = [name for _, name, text in code("host") if '#include "davit/' in text and not name.startswith("host/plugin/")]
        self.assertEqual([], wrong)

    def test_plugins_include_only_the_sdk_the_common_part_and_their_own(self):
        wrong = []
        for file, name, text in code("plugins"):
            if "/tests/" in name:
                continue
            own = "/".join(name.split("/")[:2])
            for include in re.findall(r'^#include "([^"]+)"', text, flags=re.M):
                if include.startswith("davit/"):
                    continue
                if not any((ROOT / base / include).exists() for base in (own, own + "/src", own + "/native", "plugins/common")) and \
                        not (file.parent / include).exists():
                    wrong.append(f"{name} includes {include}")
        self.assertEqual([], wrong)

    def test_the_sdk_depends_on_nothing(self):
        wrong = [f"{name}: {include}" for _, name, text in code("sdk/include")
                 for include in re.findall(r'^#include "([^"]+)"', text, flags=re.M) if not include.startswith("davit/")]
        self.assertEqual([], wrong)

    def test_the_host_names_no_plugin(self):
        plugins = [entry.name for entry in (ROOT / "plugins").iterdir() if entry.is_dir() and entry.name != "process"]
        wrong = []
        for _, name, text in code("host"):
            for plugin in plugins:
                # As a value: "nginx", or the start of a command or property name.
                if re.search(rf'"{re.escape(plugin)}["/:]', without_comments(text)):
                    wrong.append(f"{name} names {plugin}")
        self.assertEqual([], wrong)

    def test_no_shell_and_no_sleep(self):
        wrong = []
        for _, name, text in code("host", "plugins"):
            if "/tests/" in name:
                continue
            bare = without_comments(text)
            for pattern in (r"(?:std::|[\s(=]::)system\s*\(", r"\bpopen\s*\(", r"this_thread::sleep", r"\busleep\s*\("):
                if re.search(pattern, bare) and not ("sleep" in pattern and name in MAY_PAUSE):
                    wrong.append(f"{name}: {pattern}")
        self.assertEqual([], wrong)

    def test_files_have_a_readable_size(self):
        long = []
        for _, name, text in code("host", "plugins", "sdk/include"):
            limit = 260 if name.endswith((".hpp", ".h")) and not name.startswith("sdk/include") else 480
            lines = text.count("\n")
            if lines > limit:
                long.append(f"{name}: {lines} lines, {limit} allowed")
        self.assertEqual([], long)

    def test_every_file_of_the_host_says_what_it_is(self):
        silent = [name for _, name, text in code("host") if not text.lstrip().startswith(("//", "/*"))]
        self.assertEqual([], silent)

    def test_marks_of_unfinished_work(self):
        marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
        wrong = [name for _, name, text in code("host", "plugins", "sdk", "examples") if marks.search(text)]
        self.assertEqual([], wrong)

    def test_scripts_can_be_run(self):
        wrong = [script for script in ("scripts/quickstart", "scripts/test", "scripts/install-deps", "scripts/bench", ".ci/run")
                 if not os.access(ROOT / script, os.X_OK)]
        self.assertEqual([], wrong)


if __name__ == "__main__":
    unittest.main()
