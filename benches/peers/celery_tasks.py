"""Celery with Redis as broker and backend: one task that runs a command. As a script: one request a line on stdin."""

import json
import os
import subprocess
import sys
import time

from celery import Celery

SOCKET = os.environ["CELERY_BENCH_SOCKET"]

app = Celery("celery_tasks", broker=f"redis+socket://{SOCKET}", backend=f"redis+socket://{SOCKET}")
app.conf.worker_prefetch_multiplier = 1
app.conf.task_acks_late = True
app.conf.broker_connection_retry_on_startup = True


@app.task(name="run")
def run(argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL).returncode


def main():
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        if request["op"] == "ready":
            for queue in ("of1", "of2"):
                run.apply_async(([sys.executable, "-c", "pass"],), queue=queue).get(timeout=60)
        elif request["op"] == "submit":
            queue = f"of{request['slots']}"
            answer["began"] = time.monotonic_ns()
            for argv in request["all"]:
                run.apply_async((argv,), queue=queue)
            answer["ended"] = time.monotonic_ns()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
