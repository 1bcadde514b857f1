"""Under constant load, nothing that an operator does to an app drops a request."""
import harness


class ZeroDowntime(harness.HomeTest):
    def run_under_load(self, keep_alive):
        name = f"load{int(keep_alive)}"
        app = self.deployed(name, "v0")
        self.home.davit("checks:set", name, "wait-to-retire", "10")
        with harness.Load(self.home, name, keep_alive=keep_alive) as load:
            for number in range(1, 4):
                app.server(f"v{number}")
                app.commit()
                app.push()
            self.home.davit("ps:scale", name, "web=4")
            self.home.davit("ps:scale", name, "web=2")
            self.home.davit("ps:restart", name)
            app.write("Procfile", "web: exit 3\n")
            app.commit()
            self.assertNotEqual(0, app.push(check=False).returncode)
            self.home.davit("releases:rollback", name)
            harness.wait_for(lambda: load.answers.get("v2", 0) > 0, "answers of the release that was rolled back to")
        self.assertEqual([], load.bad[:5], f"{len(load.bad)} of {load.good + len(load.bad)} requests failed")
        for number in range(4):
            self.assertGreater(load.answers.get(f"v{number}", 0), 0)

    def test_with_keep_alive(self):
        self.run_under_load(True)

    def test_without_keep_alive(self):
        self.run_under_load(False)

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
