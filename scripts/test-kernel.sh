#!/bin/sh
# A kernel of Debian 12 for the virtual machine of the tests: unpacked into a cache, never installed.
# Prints its path. The cache: $FRORE_TEST_CACHE, or frore-test below $XDG_CACHE_HOME or ~/.cache.
set -eu

cache=${FRORE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/frore-test}
found() {
	ls "$cache"/vmlinuz-6.1* 2>/dev/null | head -1
}

if [ -z "$(found)" ]; then
	mkdir -p "$cache"
	work=$(mktemp -d "$cache/download-XXXXXX")
	trap 'rm -rf "$work"' EXIT
	name=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
		sed -n 's/.*Depends: \(linux-image-6\.1[^ ]*\)$/\1/p' | head -1)
	if [ -n "$name" ] && (cd "$work" && apt-get download -qq "$name") >&2; then
		dpkg-deb --fsys-tarfile "$work/$name"_*.deb |
			tar -x -C "$work" --wildcards --strip-components=2 './boot/vmlinuz*'
		mv "$work"/vmlinuz-6.1* "$cache"
	fi
fi
if [ -z "$(found)" ]; then
	echo "no Debian 6.1 kernel can be had here; tests in a virtual machine are skipped" >&2
	exit 1
fi
found
