"""A seeded choice from the crash matrix (tests/e2e/crash/matrix.py): every step, every fault, every operation at least once.
`scripts/crash-matrix` runs every cell. DAVIT_CRASH_SEED repeats a run; DAVIT_CRASH_CELLS says how many cells, of which fewer than some 45
meet every fault and operation only; DAVIT_CRASH_CELL="OPERATION POINT FAULT" runs one cell."""
import os
import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "crash"))
import harness  # noqa: E402
import matrix  # noqa: E402

CELLS = int(os.environ.get("DAVIT_CRASH_CELLS", "60"))


@unittest.skipUnless(os.geteuid() == 0, "a small disk of its own is mounted for each home: only root can do that")
class Crash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = matrix.World()

    @classmethod
    def tearDownClass(cls):
        left = cls.world.close()
        if left:
            raise AssertionError(f"still running after system:stop: {left}")

    def test_chosen_cells(self):
        one = os.environ.get("DAVIT_CRASH_CELL")
        if one:
            matrix.run_cell(self.world, *one.split())
            return
        seed = os.environ.get("DAVIT_CRASH_SEED") or str(random.SystemRandom().randrange(10**6))
        print(f"DAVIT_CRASH_SEED={seed}", file=sys.stderr)
        points = {operation: matrix.points_of(self.world, operation) for operation in matrix.OPERATIONS}
        for cell in matrix.chosen(matrix.cells(points), random.Random(seed), CELLS):
            with self.subTest(" ".join(cell)):
                try:
                    matrix.run_cell(self.world, *cell)
                except BaseException:
                    self.world.renew()
                    raise


if __name__ == "__main__":
    harness.main()
