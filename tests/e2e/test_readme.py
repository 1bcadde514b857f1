"""The README as somebody follows it: every line of it that is a command is run as it stands there, in its order, and what comes of it is
looked at where there is something to see. A line that is new in the README runs without a word here; one that cannot be run here is named in
ELSEWHERE, with what does it instead."""
import re
import typing

import harness

README = (harness.SOURCE / "README.md").read_text()

# Sections that are not for a home with an app, and what does them.
OTHER_SECTIONS = {"davit": "scripts/quickstart and scripts/test themselves", "What happens on a push": "a picture", "On a server": "package_test", "Over ssh": "test_ssh"}

# Lines, by how they begin, which need what is not here.
ELSEWHERE = {
    "davit git:from-image": "test_dockerfile: needs the docker runtime and a registry",
    "davit git:sync": "test_import: needs a server with a repository",
    "davit ps:set shop runtime docker": "test_move: needs the docker runtime",
    "davit postgres:forget": "test_services: what can be forgotten has no fixed number",
}

FOLLOW_S = "2"  # what follows something does so until it is stopped

def commands(section):
    """The section's lines that are commands, without their comments; what is in brackets may be left out, and is."""
    for line in re.findall(r"^    ((?:davit|curl) .*)$", section, re.MULTILINE):
        yield re.sub(r"\s*\[[^]]*\]", "", re.sub(r"\s+#.*$", "", line)).strip()


def sections():
    """(title, text) in the README's order."""
    parts = re.split(r"^#{1,3} (.+)$", README, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2]))


class Readme(harness.HomeTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tls_port, cls.expose_port = cls.home.ports.next(), cls.home.ports.next()
        settings = cls.home.path / "plugins.toml"
        head = "[plugins.nginx.settings]\n"
        settings.write_text(settings.read_text().replace(head, f"{head}tls-port = {cls.tls_port}\n", 1))
        cls.folder = cls.home.folder / "reader"
        cls.folder.mkdir()
        cls.home.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                      "-subj", "/CN=shop.example.com", "-keyout", cls.folder / "key.pem", "-out", cls.folder / "cert.pem"])
        (cls.folder / "script.sql").write_text("CREATE TABLE things (n int); INSERT INTO things VALUES (7);\n")
        (cls.folder / "token").write_text("of-the-build-only\n")

    def test_every_command_of_it_works(self):
        ran = []
        for title, text in sections():
            if title in OTHER_SECTIONS:
                continue
            for line in commands(text):
                if any(line.startswith(start) for start in ELSEWHERE):
                    continue
                with self.subTest(section=title, line=line):
                    before, answer, after, code = STEPS.get(line, Step())
                    if before:
                        before(self)
                    said = self.run_line(line, answer, code)
                    if after:
                        after(self, said)
                ran.append(line)
        named = [title for title, _ in sections()]
        self.assertEqual([], [title for title in OTHER_SECTIONS if title not in named], "sections that are no more")
        self.assertEqual([], [line for line in STEPS if line not in ran], "lines that are no more")
        self.assertEqual([], [start for start in ELSEWHERE if f"    {start}" not in README], "lines that are no more")

    def run_line(self, line, answer, code):
        """By a shell, as who reads it types it. The ports are this home's."""
        for theirs, ours in (("shop.localhost:8080", f"shop.localhost:{self.home.port}"), (" 15432", f" {self.expose_port}")):
            line = line.replace(theirs, ours)
        follows = line.endswith(" -t")
        done = self.home.run([*(["timeout", FOLLOW_S] if follows else []), "bash", "-c", line], check=False, input=answer, cwd=self.folder,
                             env={"PATH": f"{harness.DAVIT.parent}:{self.home.env['PATH']}"})
        self.assertEqual(124 if follows else code, done.returncode, f"{line}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def push_shop(self, _):
        """The page says GREETING, and whether /app/uploads is there."""
        app = harness.App(self.home, "shop")
        app.server("@")
        text = (app.folder / "server.py").read_text()
        page = 'os.environ.get("GREETING", "It works") + (" with uploads" if os.path.isdir("/app/uploads") else "")'
        app.write("server.py", text.replace('("@" + "\\n")', f'({page} + "\\n")'))
        app.write("Procfile", "web: exec python3 -u server.py\nworker: exec sleep 1000\n")
        app.commit()
        app.push()
        self.assert_answers("shop", "It works")

    def archive_shop(self):
        self.home.run(["git", "-C", self.home.folder / "work-shop", "archive", "--output", self.folder / "app.tar.gz", "HEAD"])

    def types(self):
        return sorted(row["type"] for row in self.home.instances("shop"))

    def over_tls(self, _):
        done = self.home.run(["curl", "-sS", "--cacert", self.folder / "cert.pem", "--resolve", f"shop.example.com:{self.tls_port}:127.0.0.1",
                              f"https://shop.example.com:{self.tls_port}/"])
        self.assertEqual("It works\n", done.stdout)
        self.assertEqual(301, self.home.get("shop")[0])
        self.home.davit("certs:remove", "shop")

    def things(self):
        return self.home.davit("postgres:connect", "orders", input=b"SELECT 'n=' || n FROM things;\n").stdout.count("n=7")

    def more_things(self):
        self.home.davit("postgres:connect", "orders", input=b"INSERT INTO things VALUES (7);\n")

    def config(self, app="shop"):
        return self.home.davit("config:export", app).stdout


class Step(typing.NamedTuple):
    before: typing.Callable = None  # of the test
    answer: bytes = b""             # what is typed, or comes through the pipe
    after: typing.Callable = None   # of the test and what was said
    code: int = 0


def says(*words):
    return Step(after=lambda test, said: [test.assertIn(word, said) for word in words])


def answers(text, app="shop"):
    return Step(after=lambda test, _: test.assert_answers(app, text))


STEPS = {
    "davit apps:create shop": Step(after=Readme.push_shop),
    "curl http://shop.localhost:8080": says("It works"),
    "davit config:set shop GREETING=hello": answers("hello"),
    "davit ps:scale shop web=2": Step(after=lambda test, _: test.assertEqual(["web", "web"], test.types())),
    "davit logs shop -t": says("listening"),
    "davit run shop bash": Step(answer=b"echo $GREETING $((6 * 7))\n", after=lambda test, said: test.assertIn("hello 42", said)),
    "davit releases:rollback shop": answers("It works"),
    "davit domains:add shop shop.example.com": Step(after=lambda test, _: test.assertEqual(200, test.home.get(
        "shop", headers={"Host": "shop.example.com"})[0])),
    "davit certs:add shop cert.pem key.pem": Step(after=Readme.over_tls),
    "davit help": says("postgres", "releases"),
    "davit git:from-archive shop app.tar.gz": Step(before=Readme.archive_shop, after=lambda test, _: test.assert_answers("shop", "It works")),

    "davit postgres:link orders shop": Step(after=lambda test, _: test.assertIn("DATABASE_URL=", test.home.davit("run", "shop", "env").stdout)),
    "davit postgres:connect orders": Step(answer=b"SELECT 6 * 7;\n", after=lambda test, said: test.assertIn("42", said)),
    "davit postgres:export orders > orders.dump": Step(before=lambda test: test.home.davit(
        "postgres:connect", "orders", input=(test.folder / "script.sql").read_bytes())),
    "davit postgres:import orders < orders.dump": Step(before=Readme.more_things, after=lambda test, _: test.assertEqual(1, test.things())),
    "davit postgres:rename orders sales": Step(after=lambda test, _: [test.assert_answers("shop", "It works"),
                                                                     test.home.davit("postgres:rename", "sales", "orders")]),
    "davit postgres:destroy orders": Step(before=lambda test: test.home.davit("postgres:unlink", "orders", "shop"), answer=b"orders\n",
                                          after=lambda test, _: test.assertEqual([], test.home.json("postgres:list"))),

    "davit checks:disable shop": Step(after=lambda test, _: test.home.davit("checks:enable", "shop")),
    "davit app-json:set shop appjson-path deploy/app.json": Step(after=lambda test, _: test.home.davit("app-json:set", "shop", "appjson-path")),

    "davit ps:restart shop": Step(after=lambda test, _: test.assertIn("uploads" if test.home.json("storage:list", "shop") else "works",
                                                                     test.home.get("shop")[1])),
    "davit apps:rename shop store": Step(after=lambda test, _: [
        test.assert_answers("store", "It works"), test.assertEqual(404, test.home.get("shop")[0]), test.home.davit("apps:rename", "store", "shop")]),
    "davit apps:clone shop trial": answers("It works", "trial"),

    "davit releases:info shop v3": says("Rollback to v1"),
    "davit releases:rollback shop v3 --with-scale --with-domains": Step(after=lambda test, _: test.assertEqual(200, test.home.get("shop")[0])),
    "davit nginx:access-logs shop": says("GET / HTTP/1.1"),
    "davit logs:failed shop": Step(code=1, after=lambda test, said: test.assertIn("No failed deploy of shop is known", said)),
    "davit deploys:cancel shop": Step(code=1, after=lambda test, said: test.assertIn("No deployment of shop is running", said)),
    "davit build-env:set --secret --stdin shop NPM_TOKEN < token": Step(after=lambda test, _: test.assertNotIn("NPM_TOKEN", test.config())),
    "davit build-env:report shop": says("NPM_TOKEN"),
    "davit resource:report shop": says("512"),
}


if __name__ == "__main__":
    harness.main()
