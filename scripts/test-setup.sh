#!/bin/sh
# Installs what the tests use: compilers, the real programs that must survive a round trip, and a
# kernel for the virtual machine. Only what is missing, by the distribution's packages. Tests whose
# program is not there are skipped by name.
set -eu

want=
need() { # COMMAND PACKAGE
	command -v "$1" >/dev/null 2>&1 || want="$want $2"
}

need gcc gcc
need clang clang
need make make
need musl-gcc musl-tools
need setpriv util-linux
need python3 python3
/usr/bin/python3 -c 'import numpy' 2>/dev/null || want="$want python3-numpy"
need tmux tmux
need screen screen
need expect expect
need script bsdutils
need bc bc
need vim vim
need nano nano
need less less
need top procps
need sqlite3 sqlite3
need redis-server redis-server
need javac default-jdk-headless
need nginx nginx-light
need supervisord supervisor
need s6-svscan s6
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || want="$want postgresql"
need irssi irssi
need mutt mutt
need go golang-go
need chromium chromium
need strace strace
need qemu-system-x86_64 qemu-system-x86
need cpio cpio
[ -x /bin/busybox ] || want="$want busybox-static"

if [ -n "$want" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "missing for some tests; to install: sudo apt-get install --no-install-recommends$want" >&2
	else
		# Servers are for the tests alone: with this run level invoke-rc.d starts none.
		export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
		apt-get update -qq || echo "apt-get update failed; trying with the lists there are" >&2
		# One by one: a package that this distribution lacks only skips its own tests.
		for package in $want; do
			apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
				echo "cannot install $package; tests that need it are skipped" >&2
		done
	fi
fi

# Tests in a virtual machine are skipped without it.
sh "$(dirname "$0")/test-kernel.sh" >/dev/null || true
