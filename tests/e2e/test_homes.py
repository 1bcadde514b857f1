"""Several homes on one machine do not cut each other's ports, and what a deleted one leaves is cleared up by the others."""
import os
import shutil
import subprocess
import unittest
from pathlib import Path

import harness

NFT = "/usr/sbin/nft"


def nft(*words, script=None):
    return subprocess.run([NFT, *words], input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def have_nftables():
    return os.geteuid() == 0 and os.access(NFT, os.X_OK) and nft("list", "tables").returncode == 0


class Unit(harness.HomeTest):
    def test_systemd_has_nothing_to_say_against_the_unit(self):
        unit = self.home.folder / "davit.service"
        unit.write_text(self.home.davit("system:unit").stdout)
        self.assertIn(f"DAVIT_HOME={self.home.path}", unit.read_text())
        self.assertRegex(unit.read_text(), r"(?m)^After=.*\bdocker\.service\b", "apps on docker start after the engine and stop before it")
        if shutil.which("systemd-analyze") is None:
            raise unittest.SkipTest("SKIPPED aloud: systemd-analyze is not installed")
        done = self.home.run(["systemd-analyze", "verify", unit], check=False)
        self.assertEqual([], [line for line in (done.stdout + done.stderr).splitlines() if "davit.service" in line])


@unittest.skipUnless(have_nftables(), "SKIPPED aloud: setting up nftables needs root and nft")
class Homes(harness.HomeTest):
    def table(self, name, rule):
        done = nft("-f", "-", script=f"table inet {name} {{ chain output {{ type filter hook output priority filter; {rule}; }}\n}}\n")
        self.assertEqual(0, done.returncode, done.stdout)
        self.addCleanup(nft, "delete", "table", "inet", name)

    def test_a_port_that_a_firewall_closes_is_not_leased(self):
        first = self.home.ports.first + 10
        self.table("e2e_closed", f"tcp dport {first}-{first + 9} reject with tcp reset; tcp dport {first + 10} drop")
        self.deployed("careful", "one")
        used = [int(endpoint.rsplit(":", 1)[1]) for row in self.home.instances("careful") for endpoint in row["endpoints"]]
        self.assertTrue(used)
        self.assertGreater(min(used), first + 10)

    def test_what_a_deleted_home_leaves_is_removed(self):
        # Below a folder that is closed to other users nginx's workers have their folder elsewhere.
        closed = Path(harness.tempfile.mkdtemp(prefix="davit-e2e-"))
        self.addCleanup(shutil.rmtree, closed, True)
        other = harness.Home(folder=closed)
        other.davit("apps:create", "left")
        app = harness.App(other, "left")
        app.server("one")
        app.commit()
        app.push()
        mark = [file for file in Path("/var/lib/davit-nginx").glob("*/home") if file.read_text() == f"{other.path}\n"]
        self.assertEqual(1, len(mark))
        for pid in other.pids():  # deleted without system:stop
            with harness.contextlib.suppress(ProcessLookupError):
                os.kill(pid, harness.signal.SIGKILL)
        harness.wait_for(lambda: not other.pids(), "everything of the other home is dead")
        shutil.rmtree(other.path)
        self.home.davit("doctor", check=False)  # another home's may have been quicker: so its words say nothing
        self.assertFalse(mark[0].parent.exists())
        self.assertNotIn("davit_", "".join(line for line in nft("list", "sets", "inet").stdout.splitlines() if str(other.path) in line))
        other.ports.close()


if __name__ == "__main__":
    harness.main()
