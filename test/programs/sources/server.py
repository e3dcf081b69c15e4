"""asyncio server with worker threads: python3 server.py PORT. One line, one answer."""
import asyncio
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

total = 0
beats = [0, 0, 0]
lock = threading.Lock()
pool = ThreadPoolExecutor(2)


def beat(i):
    while True:
        time.sleep(0.02)
        with lock:
            beats[i] += 1


def square(n):
    with lock:
        return n * n


async def serve(reader, writer):
    global total
    loop = asyncio.get_running_loop()
    while line := (await reader.readline()).decode().split():
        if line[0] == "add":
            total += int(line[1])
            answer = total
        elif line[0] == "square":
            answer = await loop.run_in_executor(pool, square, int(line[1]))
        elif line[0] == "beats":
            answer = min(beats)
        elif line[0] == "wait":
            await asyncio.sleep(float(line[1]))
            answer = "waited"
        elif line[0] == "tids":
            answer = sorted(t.native_id for t in threading.enumerate())
        else:
            answer = os.getpid()
        writer.write(f"{answer}\n".encode())
        await writer.drain()
    writer.close()


async def main():
    for i in range(len(beats)):
        threading.Thread(target=beat, args=(i,), daemon=True).start()
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    print("ready", flush=True)
    await done.wait()
    server.close()
    print(f"total {total}", flush=True)
    os._exit(4)


asyncio.run(main())
