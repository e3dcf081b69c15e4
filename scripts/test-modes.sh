#!/bin/sh
# Runs the tests, and then the round trips once more in each mode (test/helpers/stage.ts). Fails when one of them has failed.
status=0
npx ava || status=1
for mode in lazy,live; do
	echo "in mode $mode:"
	FRORE_TEST_MODE=$mode npx ava '.build/test/roundtrip/*.test.js' || status=1
done
exit $status
