"""A training manager as people write their own: one asyncio process, a task for each job, rows in SQLite, output by lines.

Each change of state is a commit; each ##PROGRESS## line is one too. Measured without the HTTP server such managers have
in front, which is to its advantage. One request a line on stdin, one answer a line on stdout.
"""

import asyncio
import json
import os
import sqlite3
import sys
import time
import uuid


class Manager:
    def __init__(self, folder):
        self.db = sqlite3.connect(os.path.join(folder, "tasks.db"))
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS tasks (id TEXT PRIMARY KEY, argv TEXT, status TEXT, progress REAL, message TEXT,"
            " error TEXT, created REAL, started REAL, finished REAL)"
        )
        self.db.commit()
        self.slots = {1: asyncio.Semaphore(1), 2: asyncio.Semaphore(2)}
        self.tasks = set()

    def submit(self, slots, argv):
        job = str(uuid.uuid4())
        self.db.execute(
            "INSERT INTO tasks (id, argv, status, created) VALUES (?, ?, 'queued', ?)", (job, json.dumps(argv), time.time())
        )
        self.db.commit()
        task = asyncio.create_task(self.work(self.slots[slots], job, argv))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def update(self, job, **columns):
        names = ", ".join(f"{name} = ?" for name in columns)
        self.db.execute(f"UPDATE tasks SET {names} WHERE id = ?", (*columns.values(), job))
        self.db.commit()

    async def work(self, semaphore, job, argv):
        async with semaphore:
            self.update(job, status="running", started=time.time())
            process = await asyncio.create_subprocess_exec(
                *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, stdin=asyncio.subprocess.DEVNULL
            )
            async for line in process.stdout:
                text = line.decode(errors="replace").rstrip("\n")
                if text.startswith("##PROGRESS##"):
                    said = json.loads(text[len("##PROGRESS##") :].removesuffix("##"))
                    self.update(job, progress=said.get("progress"), message=said.get("message"))
            code = await process.wait()
            status = "completed" if code == 0 else "failed"
            self.update(job, status=status, finished=time.time())


async def main():
    manager = Manager(sys.argv[1])
    reader = asyncio.StreamReader(limit=1 << 26)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        request = json.loads(line)
        answer = {}
        if request["op"] == "submit":
            answer["began"] = time.monotonic_ns()
            for argv in request["all"]:
                manager.submit(request["slots"], argv)
            answer["ended"] = time.monotonic_ns()
        print(json.dumps(answer), flush=True)


asyncio.run(main())
