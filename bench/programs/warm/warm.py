"""A program that has been running for a while: objects, text and numbers. Says "warm", then waits."""
import array
import collections
import decimal
import hashlib
import json
import logging
import math
import random
import signal
import unittest

random.seed(1)
users = {}
log = []
for number in range(200_000):
    name = "user-" + hashlib.md5(str(number).encode()).hexdigest()[:8]
    users[number] = {"id": number, "name": name, "visits": number % 97, "tags": ["t%d" % (number % 13), "g%d" % (number % 1009)]}
    if number % 5 == 0:
        log.append(json.dumps({"level": "info", "user": name, "path": "/item/%d" % (number * 31 % 4096), "ms": number % 250}))
numbers = array.array("d", (math.sin(i) * 1000 for i in range(1 << 20)))
parsed = [json.loads(line) for line in log]
counts = collections.Counter(word for line in log for word in line.split())
kept = (users, log, numbers, parsed, counts, decimal, logging, unittest)
print("warm", flush=True)
while True:
    signal.pause()
