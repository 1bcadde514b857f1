"""Works through a queue that only exists in its head, and says so, until it is told to stop."""
import signal
import threading

stop = threading.Event()
signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
done = 0
print("worker started", flush=True)
while not stop.wait(timeout=2):
    done += 1
    print(f"job {done} done", flush=True)
print("worker stopped", flush=True)
