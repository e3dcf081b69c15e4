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
need make make
need musl-gcc musl-tools
need setpriv util-linux
need python3 python3
need tmux tmux
need bc bc
need vim vim
need nano nano
need less less
need top procps
need sqlite3 sqlite3
need redis-server redis-server
need javac default-jdk-headless
need irssi irssi
need mutt mutt
need go golang-go
need strace strace
need qemu-system-x86_64 qemu-system-x86
need cpio cpio
[ -x /bin/busybox ] || want="$want busybox-static"

if [ -n "$want" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "missing for some tests; to install: sudo apt-get install --no-install-recommends$want" >&2
	else
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -qq || echo "apt-get update failed; trying with the lists there are" >&2
		# One by one: a package that this distribution lacks only skips its own tests.
		for package in $want; do
			apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
				echo "cannot install $package; tests that need it are skipped" >&2
		done
	fi
fi

# A kernel of Debian 12 for the virtual machine: unpacked, never installed.
cache=${FRORE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/frore-test}
if ! ls "$cache"/vmlinuz-6.1* >/dev/null 2>&1; then
	mkdir -p "$cache"
	(
		cd "$cache"
		name=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
			sed -n 's/.*Depends: \(linux-image-6\.1[^ ]*\)$/\1/p' | head -1)
		if [ -n "$name" ] && apt-get download -qq "$name"; then
			dpkg-deb --fsys-tarfile "$name"_*.deb | tar -x --wildcards --strip-components=2 './boot/vmlinuz*'
			rm -f "$name"_*.deb
		else
			echo "no Debian 6.1 kernel can be had here; tests in a virtual machine are skipped" >&2
		fi
	)
fi
