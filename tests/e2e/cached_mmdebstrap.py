"""mmdebstrap CACHE WORDS...: what it writes to stdout is kept in the folder CACHE, and given again to the same words of later runs.

Tests of stacks run whole once on a machine; see engine.py.
"""
import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

cache, words = Path(sys.argv[1]), sys.argv[2:]
cache.mkdir(parents=True, exist_ok=True)
kept = cache / ("stack-" + hashlib.sha256("\0".join(words).encode()).hexdigest()[:16] + ".tar")
with open(kept.with_suffix(".lock"), "wb") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)  # two that begin at once make it once
    if kept.exists():
        print("I: the same as last time", file=sys.stderr)
    else:
        part = kept.with_suffix(".part")
        with open(part, "wb") as out:
            code = subprocess.run(["/usr/bin/mmdebstrap", *words], stdout=out).returncode
        if code != 0:
            part.unlink()
            sys.exit(code)
        part.rename(kept)
with open(kept, "rb") as file:
    shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
