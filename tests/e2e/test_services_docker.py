"""Services that are containers, and apps that move between containers and processes while they use them. The first run makes a stack with
the drivers of the example apps and an image for each kind of service, which takes minutes; later ones have them in a cache."""
import contextlib
import os
import signal
import subprocess
import unittest

import engine
import harness
import test_services

MINUTES_S = 900


class OnDocker(test_services.Services):
    create_s = MINUTES_S

    @classmethod
    def setUpClass(cls):
        if not harness.ON_DOCKER:
            raise unittest.SkipTest("this is about the docker runtime: set DAVIT_E2E_RUNTIME=docker")
        super().setUpClass()
        cls.api = cls.home.engine
        cls.home.davit("plugin:enable", "process")
        settings = cls.home.path / "plugins.toml"
        settings.write_text(engine.with_setting(settings.read_text(), "docker", "mmdebstrap", engine.cached_mmdebstrap(cls.home.folder)))
        cls.home.davit("stack:build", "drivers", "--packages", "python3-psycopg2,python3-pymysql", timeout=MINUTES_S)
        cls.home.davit("stack:set", "--global", "drivers")

    def power_fails(self):
        containers, _ = self.api.of_home(self.home.path)
        pids = [self.api.ask("GET", f"/containers/{row['Id']}/json")["State"]["Pid"] for row in containers if row["State"] == "running"]
        for pid in [*pids, *self.home.pids()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def survives(self, kind):
        """What the same test does for processes, and then a move of the app there and back."""
        self.notes_survive(kind)
        info = self.home.json(f"{kind}:info", f"{kind}-db")
        self.assertEqual("docker", info["runtime"])
        facts = self.api.ask("GET", f"/containers/{info['container_id']}/json")
        self.assertTrue(facts["State"]["Running"])
        published = [one for ports in facts["NetworkSettings"]["Ports"].values() for one in ports or []]
        self.assertEqual([{"HostIp": "127.0.0.1", "HostPort": str(info["port"])}], published)
        notes = test_services.Notes(self.home, f"{kind}-app")
        kept = notes.all()
        for runtime in ("process", "docker"):
            self.home.davit("ps:set", notes.name, "runtime", runtime)
            self.home.davit("ps:restart", notes.name)
            self.assertEqual({runtime}, {row["runtime"] for row in self.home.instances(notes.name) if row["role"] == "live"})
            self.assertEqual(kept, notes.all())
            self.assertTrue(notes.keep(f"on {runtime}"))
            kept.append(f"on {runtime}")
        before = len(kept)
        self.home.davit(f"{kind}:upgrade", f"{kind}-db", "--force")
        self.assertEqual(before, len(notes.all()))

    def test_notes_survive_in_postgres(self):
        self.survives("postgres")

    def test_notes_survive_in_mysql(self):
        self.survives("mysql")

    def test_what_is_like_the_official_image_serves(self):
        """No registry is reachable here: an image with its layout, entrypoint, volume and PATH, under its name."""
        image = self.home.davit("service-image:build", "postgres", timeout=MINUTES_S).stdout.splitlines()[-1]
        tag = next(tag for row in self.api.labelled("images", "davit.kind=stack") for tag in row["RepoTags"] or [] if tag.endswith(":" + image))
        made = self.api.ask("POST", "/containers/create", {"Image": tag, "Cmd": ["true"]})
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin"
        self.api.ask("POST", "/commit", {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["postgres"], "Env": [path, "PG_MAJOR=15"],
                                         "Volumes": {"/var/lib/postgresql/data": {}}, "ExposedPorts": {"5432/tcp": {}}},
                     query={"container": made["Id"], "repo": "postgres", "tag": "15"})
        self.api.ask("DELETE", f"/containers/{made['Id']}")
        try:
            self.home.davit("postgres:create", "like-official", "-I", "15", timeout=MINUTES_S)
            self.assertEqual("postgres:15", self.home.json("postgres:info", "like-official")["version"])
            self.home.davit("postgres:connect", "like-official", input=b"CREATE TABLE t (n int); INSERT INTO t VALUES (7);")
            dump = subprocess.run([str(harness.DAVIT), "postgres:export", "like-official"], env=self.home.env, stdout=subprocess.PIPE, check=True).stdout
            self.home.davit("postgres:import", "like-official", input=dump)
            self.assertIn("7", self.home.davit("postgres:connect", "like-official", input=b"SELECT n FROM t;").stdout)
            self.home.davit("postgres:destroy", "like-official", "--force")
        finally:
            self.home.engine.ask("DELETE", "/images/postgres:15", query={"force": "1"})


if __name__ == "__main__":
    harness.main()
