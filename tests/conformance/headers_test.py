#!/usr/bin/python3
"""Every header of the SDK compiles alone and twice, by gcc and clang, without a warning.
    headers_test.py SDK_DIR
"""
import pathlib
import shutil
import subprocess
import sys
import unittest

INCLUDE = pathlib.Path(sys.argv.pop(1)).resolve() / "include"
FLAGS = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", f"-I{INCLUDE}"]


def compilers(*names):
    return [name for name in names if shutil.which(name)]


class Headers(unittest.TestCase):
    def compile(self, compiler, language, standard, header):
        text = f'#include "davit/{header}"\n#include "davit/{header}"\nint davit_headers_test;\n'
        result = subprocess.run([compiler, "-x", language, f"-std={standard}", *FLAGS, "-"], input=text,
                                capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, f"{compiler} -std={standard} davit/{header}\n{result.stderr}")

    def test_both_compilers_are_here(self):
        for compiler in ("gcc", "g++", "clang-14", "clang++-14"):
            self.assertTrue(shutil.which(compiler), f"{compiler} is missing: scripts/install-deps installs it")

    def test_c_headers(self):
        headers = sorted(path.name for path in INCLUDE.glob("davit/*.h"))
        self.assertGreaterEqual(len(headers), 11)
        for header in headers:
            for compiler in compilers("gcc", "clang-14"):
                for standard in ("c11", "c17"):
                    self.compile(compiler, "c", standard, header)
            for compiler in compilers("g++", "clang++-14"):
                for standard in ("c++17", "c++20"):
                    self.compile(compiler, "c++", standard, header)

    def test_cpp_headers(self):
        headers = sorted(path.name for path in INCLUDE.glob("davit/*.hpp"))
        self.assertGreaterEqual(len(headers), 15)
        for header in headers:
            self.compile("g++", "c++", "c++17", header)
        for compiler, standard in (("g++", "c++2b"), ("clang++-14", "c++17"), ("clang++-14", "c++20")):
            self.compile(compiler, "c++", standard, "plugin.hpp")  # includes all the others


if __name__ == "__main__":
    unittest.main()
