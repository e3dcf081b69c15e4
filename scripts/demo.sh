#!/bin/sh
# `npm run demo`: from a fresh checkout to a program that is frozen, ended, and resumed by running a file.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/demo/prerequisites.sh

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
plain() { printf '\n%s\n' "$*"; }
[ -t 1 ] && [ -z "${NO_COLOR-}" ] || step() { plain "$@"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

check_prerequisites

step '1. Install what package-lock.json names, and build'
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
	echo '$ npm ci'
	npm ci --no-audit --no-fund || fail 'npm ci failed: is there a way to the package registry?'
fi
echo '$ npm run build'
npm run --silent build || fail 'the build failed, see above'

work=$(mktemp -d) || exit 1
counter=
cleanup() {
	[ -n "$counter" ] && kill "$counter" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

${CC:-gcc} -O1 -o "$work/counter" scripts/demo/counter.c || fail 'the counter does not compile'
frore() { node dist/frore.js "$@"; }

step '2. Start a counter. It knows nothing of frore.'
echo '$ counter &'
{ "$work/counter" </dev/null 2>&1 & echo $! >"$work/pid"; wait; } | tee "$work/before" | sed -u 's/^/  /' &
while [ ! -s "$work/before" ]; do sleep 0.1; done
counter=$(cat "$work/pid")
sleep 1

step '3. Freeze it into one file, and end it'
echo "\$ frore freeze $counter --halt -o counter.frore"
frore freeze "$counter" --halt -o "$work/counter.frore" --quiet >/dev/null || fail 'it could not be frozen; `node dist/frore.js doctor` tells what this machine allows'
wait
kill -0 "$counter" 2>/dev/null && fail 'the counter still runs'
counter=
echo "  The counter is gone. The file:"
ls -lh "$work/counter.frore" | awk '{print "  " $1, $5, "counter.frore"}'

step '4. Look inside'
echo '$ frore inspect counter.frore'
(cd "$work" && NO_COLOR=1 node "$OLDPWD/dist/frore.js" inspect counter.frore) | sed -u 's/^/  /'

step '5. Run the file: the counter goes on where it was'
echo '$ ./counter.frore'
{ "$work/counter.frore"; echo $? >"$work/code"; } </dev/null 2>&1 | tee "$work/after" | sed -u 's/^/  /'
code=$(cat "$work/code")
echo "  (exit code $code, as the counter's own)"

[ "$code" = 7 ] || fail "the exit code should have been 7"
[ "$(cat "$work/before" "$work/after" | tr '\n' ' ')" = '1 2 3 4 5 6 7 8 9 10 11 12 ' ] || fail 'a number is missing or came twice'
step 'It counted from 1 to 12 without a gap. Now: npm test'
