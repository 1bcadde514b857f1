"""Under constant load, nothing that an operator does to an app drops a request."""
import sys
import time

import harness

PER_SECOND, REDEPLOYS, DRAIN_LIMIT_S = 300, 10, 10
CONNECTIONS = 32  # so many that PER_SECOND is reached where an answer takes 100 ms, as it may while an instance starts on a busy machine
CATCH_UP_S = 300


class ZeroDowntime(harness.HomeTest):
    def redeploy(self, app, number):
        """A websocket of the old instance is kept; when the next two redeploys have come, it may be cut."""
        kept = harness.Upgraded(self.home, app.name)
        instance = kept.echo()
        app.server(f"v{number}")
        app.commit()
        app.push()
        self.assertEqual(f"v{number}", self.home.get(app.name)[1].strip())
        self.assertEqual(instance, kept.echo())
        return kept

    def run_under_load(self, keep_alive):
        name = f"load{int(keep_alive)}"
        app = self.deployed(name, "v0")
        self.home.davit("checks:set", name, "wait-to-retire", str(DRAIN_LIMIT_S))
        with harness.Load(self.home, name, CONNECTIONS, keep_alive, PER_SECOND) as load:
            kept = [self.redeploy(app, number) for number in range(1, REDEPLOYS)]
            begin = time.monotonic()
            kept.append(self.redeploy(app, REDEPLOYS))
            kept[-1].wait_for_end()
            self.assertGreaterEqual(time.monotonic() - begin, DRAIN_LIMIT_S, "a websocket has until the drain limit")
            for one in kept:
                one.close()
            due = load.due()
            print(f"{name}: {load.per_second():.0f} requests a second through {REDEPLOYS} redeploys", file=sys.stderr)
            harness.wait_for(lambda: load.sent() >= due, f"all of the {due} requests that were due are sent", CATCH_UP_S)
            self.home.davit("ps:scale", name, "web=4")
            self.home.davit("ps:scale", name, "web=2")
            self.home.davit("ps:restart", name)
            app.write("Procfile", "web: exit 3\n")
            app.commit()
            self.assertNotEqual(0, app.push(check=False).returncode)
            before = load.answers[f"v{REDEPLOYS - 1}"]
            self.home.davit("releases:rollback", name)
            harness.wait_for(lambda: load.answers.get(f"v{REDEPLOYS - 1}", 0) > before, "answers of the release that was rolled back to")
        self.assertEqual([], load.bad[:5], f"{len(load.bad)} of {load.good + len(load.bad)} requests failed")
        for number in range(REDEPLOYS + 1):
            self.assertGreater(load.answers.get(f"v{number}", 0), 0)

    def test_with_keep_alive(self):
        self.run_under_load(True)

    def test_without_keep_alive(self):
        self.run_under_load(False)

    def test_a_scale_after_changed_settings_leaves_alone_what_runs(self):
        app = self.deployed("settled", "here", "time.sleep(1.5)")  # for so long a replaced instance would not answer

        def first():
            return next(one["pid"] for one in self.home.instances(app.name) if one["number"] == 1)
        before = first()
        with harness.Load(self.home, app.name) as load:
            self.home.davit("resource:limit", "--pids", "200", app.name)
            self.home.davit("ps:scale", app.name, "web=2")
            self.home.davit("ps:set", app.name, "stop-timeout-seconds", "7")
            self.home.davit("ps:scale", app.name, "web=1")
        self.assertEqual([], load.bad[:5], f"{len(load.bad)} of {load.sent()} requests failed")
        self.assertEqual(before, first())

    def test_a_request_in_flight_is_finished_by_the_old_instance(self):
        import threading
        app = self.deployed("slow", "old")
        answer = []
        thread = threading.Thread(target=lambda: answer.append(self.home.get("slow", "/slow=4", timeout=30)))
        thread.start()
        app.server("new")
        app.commit()
        app.push()
        self.assertEqual("new", self.home.get("slow")[1].strip())
        thread.join()
        self.assertEqual((200, "old"), (answer[0][0], answer[0][1].strip()))


if __name__ == "__main__":
    harness.main()
