"""mode = "system": davit adds itself to an nginx that is not its own, laid out as Debian's, beside a site of the operator's."""
import http.client
import os
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

import harness


@unittest.skipIf(os.geteuid() != 0, "SKIPPED aloud: an nginx as Debian runs it is started by root")
class WithLua(harness.HomeTest):
    lua = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.etc = cls.home.folder / "etc-nginx"
        shutil.copytree("/etc/nginx", cls.etc, symlinks=False, ignore=shutil.ignore_patterns("sites-*", "modules-enabled", "conf.d"))
        for name in ("conf.d", "sites-enabled", "modules-enabled", "log"):
            (cls.etc / name).mkdir()
        if cls.lua:
            for file in Path("/etc/nginx/modules-enabled").glob("*.conf"):
                shutil.copy(file, cls.etc / "modules-enabled")
        main = (cls.etc / "nginx.conf").read_text()
        for old, new in (("/run/nginx.pid", f"{cls.etc}/nginx.pid"), ("/var/log/nginx", f"{cls.etc}/log"), ("/etc/nginx", str(cls.etc))):
            main = main.replace(old, new)
        for module in (cls.etc / "modules-enabled").glob("*.conf"):
            module.write_text(module.read_text().replace("load_module modules/", "load_module /usr/lib/nginx/modules/"))
        (cls.etc / "nginx.conf").write_text(main)
        cls.own_port = cls.home.ports.next()
        (cls.etc / "sites-enabled" / "default").write_text(
            f'server {{ listen {cls.own_port} default_server; location / {{ return 200 "the operator\'s"; }} }}\n')
        settings = cls.home.path / "plugins.toml"
        settings.write_text(settings.read_text().replace(
            "[plugins.nginx.settings]\n", f'[plugins.nginx.settings]\nmode = "system"\nsystem-config = "{cls.etc}/nginx.conf"\n'
                                          f'system-include = "{cls.etc}/conf.d/davit.conf"\nbind-ipv6 = "off"\n', 1))

    @classmethod
    def tearDownClass(cls):
        cls.stop_nginx(signal.SIGQUIT)
        super().tearDownClass()

    @classmethod
    def pid(cls):
        try:
            pid = int((cls.etc / "nginx.pid").read_text())
            os.kill(pid, 0)
            return pid
        except (OSError, ValueError):
            return None

    @classmethod
    def children(cls):
        return Path(f"/proc/{cls.pid()}/task/{cls.pid()}/children").read_text().split()

    def start_nginx(self):
        done = subprocess.run(["/usr/sbin/nginx", "-c", f"{self.etc}/nginx.conf"], stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual(0, done.returncode, done.stderr)
        harness.wait_for(self.pid, "nginx is up")

    @classmethod
    def stop_nginx(cls, how):
        pid = cls.pid()
        if pid is None:
            return
        workers = [int(child) for child in cls.children()]
        for each in [pid, *(workers if how == signal.SIGKILL else [])]:
            os.kill(each, how)
        harness.wait_for(lambda: not any(Path(f"/proc/{each}/exe").exists() and os.path.exists(f"/proc/{each}/exe")
                                         for each in [pid, *workers]), "nginx is gone")

    def own_site(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.own_port, timeout=10)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def test_the_life_of_an_app(self):
        self.stop_nginx(signal.SIGQUIT)
        (self.etc / "conf.d" / "davit.conf").unlink(missing_ok=True)
        app = self.app("guest")
        app.server("one")
        app.commit()
        done = app.push(check=False)  # nobody runs there yet
        self.assert_exit(1, done, "start nginx if it is not running")
        self.assertFalse((self.etc / "conf.d" / "davit.conf").exists(), "nothing of ours is left in a configuration that we do not run")

        self.start_nginx()
        app.push()
        self.assert_answers("guest", "one")
        self.assertEqual("the operator's", self.own_site())
        report = self.home.davit("nginx:report", "guest").stdout
        self.assertRegex(report, r"Nginx mode: +system\n")
        self.assertRegex(report, r"Nginx switching: +" + ("socket" if self.lua else "reload") + "\n")
        self.assertEqual([], [words for words in self.home.pids().values() if words.startswith("nginx: master") and "etc-nginx" not in words])

        before = self.children()
        app.server("two")
        app.commit()
        with harness.Load(self.home, "guest", threads=2, keep_alive=False) as load:
            app.push()
            self.home.davit("ps:scale", "guest", "web=2")
            self.home.davit("releases:rollback", "guest")
            harness.wait_for(lambda: load.answers.get("two") and load.answers.get("one", 0) > 20, "answers of both releases")
        self.assertEqual([], load.bad[:3])
        self.assertEqual(self.lua, set(self.children()) <= set(before), "with the lua module nothing is reloaded")
        self.assert_answers("guest", "one")

        # An error of the operator's own: what needs a reload is refused with nginx's words, and all goes on.
        broken = self.etc / "conf.d" / "broken.conf"
        broken.write_text("no_such_directive on;\n")
        done = self.home.davit("nginx:set", "guest", "client-max-body-size", "3m", check=False)
        self.assert_exit(1, done, "the system's nginx refuses its configuration", 'unknown directive "no_such_directive"')
        self.assert_answers("guest", "one")
        self.assertEqual("the operator's", self.own_site())
        broken.unlink()
        self.home.davit("nginx:set", "guest", "client-max-body-size", "3m")
        self.assertIn("client_max_body_size 3m", self.home.davit("nginx:show-config", "guest").stdout)

        # What a kill -9 leaves does not keep it from starting, with our routes and with the operator's site.
        self.stop_nginx(signal.SIGKILL)
        self.start_nginx()
        self.assert_answers("guest", "one")
        self.assertEqual("the operator's", self.own_site())
        self.home.davit("system:start")
        self.home.davit("ps:restart", "guest")
        self.assert_answers("guest", "one")

        # A stop takes ours out of it, and a start puts it back.
        include = self.etc / "conf.d" / "davit.conf"
        self.home.davit("system:stop")
        self.assertFalse(include.exists())
        self.assertEqual("the operator's", self.own_site())
        with self.assertRaises(OSError):
            harness.wait_for(lambda: self.home.get("guest") and False, "nobody listens for us any more")
        self.home.davit("system:start")
        harness.wait_for(lambda: self.home.get("guest")[0] == 200, "the app is back")
        self.assertEqual("the operator's", self.own_site())

    def test_what_is_ours_never_keeps_it_from_starting(self):
        if self.pid() is None:
            self.start_nginx()
        include = self.etc / "conf.d" / "davit.conf"
        self.deployed("lost", "one")
        state = Path(include.read_text().split('"')[1]).parent
        # Killed between the include and the check: the next one takes it out, if nginx takes the rest.
        self.stop_nginx(signal.SIGKILL)
        mine = self.etc / "conf.d" / "mine.conf"
        mine.write_text("log_format davit 'the name is taken';\n")
        self.assert_exit(1, self.home.davit("system:start", check=False), "the system's nginx refuses its configuration", "davit")
        self.assertFalse(include.exists())
        self.start_nginx()
        self.assertEqual("the operator's", self.own_site())
        mine.unlink()
        self.home.davit("system:start")
        harness.wait_for(lambda: self.home.get("lost")[0] == 200, "the app is back")
        # An error of the operator's own does not cost us the include.
        self.stop_nginx(signal.SIGKILL)
        mine.write_text("no_such_directive on;\n")
        self.assert_exit(1, self.home.davit("system:start", check=False), "no_such_directive")
        self.assertTrue(include.exists())
        mine.unlink()
        # A home that is gone without a stop.
        aside = state.with_name("aside")
        state.rename(aside)
        self.start_nginx()
        self.assertEqual("the operator's", self.own_site())
        self.stop_nginx(signal.SIGQUIT)
        aside.rename(state)
        # A davit that is gone: its Lua cannot be loaded.
        http_conf = state / "http.conf"
        text = http_conf.read_text()
        http_conf.write_text(text.replace("/?.lua;;", "/gone/?.lua;;"))
        self.start_nginx()
        self.assertEqual("the operator's", self.own_site())
        self.stop_nginx(signal.SIGQUIT)
        http_conf.write_text(text)
        self.start_nginx()
        self.assert_answers("lost", "one")


class WithoutLua(WithLua):
    lua = False

    def test_another_default_site_on_the_port_is_left_alone(self):
        """As Debian comes: its default site is the default server of the port."""
        (self.etc / "sites-enabled" / "same").write_text(
            f'server {{ listen 0.0.0.0:{self.home.port} default_server; location / {{ return 200 "default"; }} }}\n')
        self.addCleanup((self.etc / "sites-enabled" / "same").unlink)
        if self.pid() is None:
            self.start_nginx()
        app = self.deployed("beside", "one")
        self.assertEqual((200, "default"), self.home.get("nobody"))
        app.server("two")
        app.commit()
        app.push()
        self.assert_answers("beside", "two")


if __name__ == "__main__":
    harness.main()
