"""Runs a command on a terminal of its own, prints what it prints, and types "hello" when it says "type".

The first line is "pty pid N". SIGUSR1 is handed on to the command. Ends as the command ends.
"""
import os
import pty
import signal
import sys
import termios

pid, master = pty.fork()
if pid == 0:
    attributes = termios.tcgetattr(0)
    attributes[1] &= ~termios.OPOST
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(0, termios.TCSANOW, attributes)
    os.execvp(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGUSR1, lambda *_: os.kill(pid, signal.SIGUSR1))
os.write(1, b"pty pid %d\n" % pid)
while True:
    try:
        got = os.read(master, 65536)
    except OSError:
        break
    if not got:
        break
    os.write(1, got)
    if b"type\n" in got:
        os.write(master, b"hello\n")
status = os.waitpid(pid, 0)[1]
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
