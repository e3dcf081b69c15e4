"""Files that a reboot would take away: python3 volatile.py DIRECTORY. Judges itself on SIGUSR1."""
import mmap
import os
import signal
import sys
import time

directory = sys.argv[1]
os.makedirs(directory, exist_ok=True)
size = 3 * 2**20


def content(seed):
    return bytes((seed + i * 7) & 255 for i in range(4096)) * (size // 4096)


opened = open(os.path.join(directory, "opened"), "wb+", buffering=0)
opened.write(content(1))
opened.seek(5000)
with open(os.path.join(directory, "mapped"), "wb+") as file:
    file.write(content(2))
    file.flush()
    mapped = mmap.mmap(file.fileno(), size)
told = False


def tell(*_):
    global told
    told = True


signal.signal(signal.SIGUSR1, tell)
print("ready", flush=True)
beats = 0
while not told:
    beats += 1
    print("beat", beats, flush=True)
    time.sleep(0.02)

wrong = []
if opened.tell() != 5000:
    wrong.append(f"the offset is {opened.tell()}")
opened.seek(0)
if opened.read() != content(1):
    wrong.append("the open file differs")
if mapped[:] != content(2):
    wrong.append("the mapped file differs")
mapped[100:105] = b"shown"
with open(os.path.join(directory, "mapped"), "rb") as file:
    file.seek(100)
    if file.read(5) != b"shown":
        wrong.append("the mapping is not the file's")
if os.fstat(opened.fileno()).st_ino != os.stat(os.path.join(directory, "opened")).st_ino:
    wrong.append("the open file is not the one at its path")
for what in wrong:
    print("FAIL volatile:", what, flush=True)
if not wrong:
    print("PASS volatile", flush=True)
sys.exit(len(wrong) > 0)
