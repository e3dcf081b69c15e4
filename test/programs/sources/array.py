"""A large array that is still right on SIGUSR1: python3 array.py GIB."""
import os
import signal
import sys
import time

import numpy

words = int(float(sys.argv[1]) * 2**30) // 8
step = 2**16
odd = numpy.uint64(0x9E3779B97F4A7C15)


base = (numpy.arange(step, dtype=numpy.uint64) * odd) >> numpy.uint64(56)


def expected(at):
    return base[:min(step, words - at)] + numpy.uint64(at // step)


array = numpy.empty(words, dtype=numpy.uint64)
for at in range(0, words, step):
    array[at:at + step] = expected(at)
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
    time.sleep(0.05)
for at in range(0, words, step):
    if not numpy.array_equal(array[at:at + step], expected(at)):
        print("FAIL array: differs from word", at, flush=True)
        os._exit(1)
# The threads of its BLAS, too.
small = array[:250000].astype(numpy.float64).reshape(500, 500)
if not numpy.allclose((small @ small)[0, 0], sum(small[0] * small[:, 0])):
    print("FAIL array: a product is wrong", flush=True)
    os._exit(1)
print("PASS array", flush=True)
