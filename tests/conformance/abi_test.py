#!/usr/bin/python3
"""The ABI stands as recorded in sdk/abi/: abidiff against the baseline, and proof that the check can fail.

Modified copies of the headers are compiled: a field appended to an OPEN struct passes; one inserted, removed or
retyped, a changed function signature, and any change of a FROZEN struct is refused.
    abi_test.py SDK_DIR
"""
import importlib.machinery
import importlib.util
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SDK = pathlib.Path(sys.argv.pop(1)).resolve()
sys.dont_write_bytecode = True


def load_record():
    loader = importlib.machinery.SourceFileLoader("record", str(SDK / "abi" / "record"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("record", loader))
    loader.exec_module(module)
    return module


record = load_record()


class Abi(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.include = self.scratch / "include"
        shutil.copytree(SDK / "include", self.include)

    def change(self, header, old, new):
        path = self.include / "davit" / header
        text = path.read_text()
        self.assertEqual(text.count(old), 1, f"{header}: {old!r} is there {text.count(old)} times")
        path.write_text(text.replace(old, new))

    def grown(self):
        """OPEN structs that have all their recorded fields as recorded, and more behind them."""
        now = dict(record.structs(self.include))
        recorded = {}
        for line in (SDK / "abi" / "declarations.txt").read_text().splitlines():
            field, declaration = line.split(" ", 1)
            name, field = field.split(".")
            recorded.setdefault(name, []).append((field, declaration))
        frozen = (SDK / "abi" / "frozen.txt").read_text().split()
        return [name for name, fields in recorded.items() if name not in frozen
                and len(now.get(name, {})) > len(fields) and list(now[name].items())[:len(fields)] == fields]

    def difference(self):
        """abidiff's words about the headers in self.include; empty: compatible. A struct that has only grown at its
        end is left out, by name: abidiff's own `inserted at end` also hides other changes of the struct."""
        library = self.scratch / "libprobe.so"
        record.build_probe(self.include, library, self.scratch)
        suppressions = self.scratch / "grown.ini"
        suppressions.write_text("".join(
            f"[suppress_type]\n  type_kind = struct\n  name = {name}\n" for name in self.grown()))
        result = subprocess.run(
            ["abidiff", "--suppressions", suppressions, "--no-show-locs", "--harmless",
             SDK / "abi" / "davit-abi.xml", library], capture_output=True, text=True)
        self.assertEqual(result.returncode & 3, 0, result.stdout + result.stderr)  # 1: abidiff failed, 2: usage
        return result.stdout if result.returncode else ""

    def test_headers_are_compatible_with_the_baseline(self):
        self.assertEqual(self.difference(), "", "the ABI changed; sdk/abi/README.md says what to do")

    def test_layout_and_probe_name_every_struct_and_field(self):
        layout = (SDK / "abi" / "layout.inc").read_text()
        probe = (SDK / "abi" / "probe.c").read_text()
        structs = record.structs(SDK / "include")
        self.assertGreater(len(structs), 60)
        for name, fields in structs:
            self.assertIn(f"DAVIT_SIZE({name},", layout, "run sdk/abi/record")
            self.assertIn(f"probe_{name}(", probe, "run sdk/abi/record")
            for field in fields:
                self.assertIn(f"DAVIT_FIELD({name}, {field},", layout, "run sdk/abi/record")

    def test_every_struct_is_open_or_listed_as_frozen(self):
        frozen = (SDK / "abi" / "frozen.txt").read_text().split()
        for name, fields in record.structs(SDK / "include"):
            self.assertNotEqual(name in frozen, next(iter(fields)) == "struct_size", name)

    def test_an_appended_field_is_compatible(self):
        self.change("types.h", "uint64_t file_bytes; /* largest file that may be written */",
                    "uint64_t file_bytes; uint64_t appended;")
        self.assertEqual(self.difference(), "")

    def test_an_appended_function_is_compatible(self):
        self.change("call.h", "int32_t (*cancelled)(const davit_call* call);",
                    "int32_t (*cancelled)(const davit_call* call); int32_t (*appended)(const davit_call* call);")
        self.assertEqual(self.difference(), "")

    def test_an_inserted_field_is_refused(self):
        self.change("types.h", "uint64_t memory_bytes;", "uint64_t inserted; uint64_t memory_bytes;")
        self.assertIn("inserted", self.difference())

    def test_an_inserted_function_is_refused(self):
        self.change("call.h", "int32_t (*cancelled)(const davit_call* call);",
                    "int32_t (*inserted)(const davit_call* call); int32_t (*cancelled)(const davit_call* call);")
        self.assertIn("inserted", self.difference())

    def test_a_removed_field_is_refused(self):
        self.change("types.h", "  uint32_t open_files;\n", "")
        self.assertIn("open_files", self.difference())

    def test_swapped_fields_are_refused(self):
        self.change("types.h", "  uint64_t memory_bytes;\n  uint64_t memory_reserve_bytes;\n",
                    "  uint64_t memory_reserve_bytes;\n  uint64_t memory_bytes;\n")
        self.assertNotEqual(self.difference(), "")

    def test_a_retyped_field_is_refused(self):
        self.change("types.h", "uint64_t memory_bytes;", "int64_t memory_bytes;")
        self.assertIn("memory_bytes", self.difference())

    def test_a_changed_signature_is_refused(self):
        self.change("call.h", "int32_t (*cancelled)(const davit_call* call);",
                    "int32_t (*cancelled)(const davit_call* call, int32_t more);")
        self.assertNotEqual(self.difference(), "")

    def test_an_append_beside_a_changed_signature_is_refused(self):
        self.change("call.h", "int32_t (*cancelled)(const davit_call* call);",
                    "int32_t (*cancelled)(const davit_call* call, int32_t more); int32_t (*appended)(void);")
        self.assertNotEqual(self.difference(), "")

    def test_an_append_to_a_frozen_struct_is_refused(self):
        self.change("abi.h", "uint64_t value; /* what was leased, e.g. a TCP port */",
                    "uint64_t value; uint64_t appended;")
        self.assertIn("davit_lease", self.difference())


if __name__ == "__main__":
    unittest.main()
