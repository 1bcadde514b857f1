"""Runs once for each release, before it goes live. FAIL_RELEASE=1 makes it fail: the old release stays."""
import os
import sys

print("migrating", flush=True)
if os.environ.get("FAIL_RELEASE") == "1":
    sys.exit("the migration failed")
print("migrated", flush=True)
