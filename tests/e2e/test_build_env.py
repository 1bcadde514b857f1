"""What only builds see: variables of build-env, limits of downloads, names that are kept out; and secrets that no output shows."""
import harness


COMPILE = r'''#!/bin/bash
env_dir=$3
for name in $(ls "$env_dir"); do echo "has $name=$(<"$env_dir/$name")"; done
env | grep ^CURL_ | sort
printf '%s' "$(<"$env_dir/NPM_TOKEN")" | head -c 5; sleep 0.2; printf '%s\n' "$(tail -c +6 "$env_dir/NPM_TOKEN")"
cat "$env_dir/NPM_TOKEN" >&2; echo >&2
cp "$env_dir/ODD" "$1/odd"
'''


class BuildEnv(harness.HomeTest):
    def buildpack(self, name, compile_script):
        pack = self.home.folder / name
        (pack / "bin").mkdir(parents=True)
        for script, text in (("detect", "#!/bin/bash\necho test\n"), ("compile", compile_script)):
            (pack / "bin" / script).write_text(text)
            (pack / "bin" / script).chmod(0o755)
        return pack

    def test_the_build_alone_has_them_and_its_output_shows_no_secret(self):
        app = self.app("shop")
        self.home.davit("buildpacks:set", "shop", self.buildpack("pack", COMPILE))
        odd = "a b\n\t'\"$x\\n  é "
        self.home.davit("build-env:set", "shop", "ONLY_BUILD=for the build", f"ODD={odd}", "BOTH=build")
        self.home.davit("build-env:set", "--global", "BOTH=global", "OF_ALL=all apps")
        self.home.davit("build-env:set", "--secret", "--stdin", "shop", "NPM_TOKEN", input=b"t0ken-of-npm-registry\n")
        self.home.davit("config:set", "--no-restart", "shop", "DATABASE_URL=mysql://shop:pa55-of-db@db/shop", "SECRET_KEY=k3y-of-sessions",
                        "PATH=/usr/bin:/bin", "GIT_DIR=/nowhere", "LD_PRELOAD=/nowhere.so", "BOTH=config")
        app.server("one", 'print("ONLY_BUILD" in os.environ, os.environ.get("NPM_TOKEN"), os.environ["BOTH"], flush=True)')
        app.write("Procfile", "release: env | sort | grep -E 'ONLY|NPM|BOTH|CURL'\nweb: exec python3 -u server.py\n")
        app.commit()
        done = app.push(check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        shown = done.stderr
        for line in ("has ONLY_BUILD=for the build", "has OF_ALL=all apps", "has BOTH=build", "has NPM_TOKEN=***", "has SECRET_KEY=***",
                     "has DATABASE_URL=mysql://shop:***@db/shop", "has CURL_TIMEOUT=600", "CURL_CONNECT_TIMEOUT=30", "CURL_TIMEOUT=600"):
            self.assertIn(line, shown)
        for name in ("has PATH", "has GIT_DIR", "has LD_PRELOAD"):
            self.assertNotIn(name, shown)
        log = self.home.davit("deploys:output", "shop").stdout
        for text in (shown, log):
            for secret in ("t0ken-of-npm-registry", "pa55-of-db", "k3y-of-sessions"):
                self.assertNotIn(secret, text)
        # neither the release command nor what runs nor `run`
        after = shown[shown.index("Procfile"):]
        self.assertNotIn("ONLY_BUILD", after)
        self.assertNotIn("CURL_TIMEOUT", after)
        self.assertIn("BOTH=config", after)
        harness.wait_for(lambda: "False None config" in self.home.davit("logs", "shop", "-n", "50").stdout, "what the instance has")
        inside = self.home.davit("run", "shop", "/usr/bin/env").stdout
        self.assertNotIn("ONLY_BUILD", inside)
        self.assertNotIn("OF_ALL", inside)
        self.assertEqual(odd.encode(), self.home.run([harness.DAVIT, "run", "shop", "/bin/cat", "odd"]).stdout.encode())

    def test_unset_counts_from_the_next_build(self):
        app = self.app("other")
        self.home.davit("buildpacks:set", "other", self.buildpack("lister", '#!/bin/bash\nls "$3"\necho "timeout $CURL_TIMEOUT"\n'))
        self.home.davit("build-env:set", "other", "ONE=1", "TWO=2", "CURL_TIMEOUT=77")
        app.server("one")
        app.commit()
        shown = app.push().stderr
        self.assertIn("timeout 77", shown)
        self.assertRegex(shown, r"\bONE\b")
        self.home.davit("build-env:unset", "other", "ONE", "CURL_TIMEOUT")
        done = self.home.davit("ps:rebuild", "other")
        shown = done.stdout + done.stderr
        self.assertRegex(shown, r"\bTWO\b")
        self.assertNotRegex(shown, r"\bONE\b")
        self.assertIn("timeout 600", shown)


if __name__ == "__main__":
    harness.main()
