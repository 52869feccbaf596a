#!/bin/sh
# The tests on both databases, side by side: each half waits most of its time for disks and for processes that start. What
# the second one says comes after the first.
log=$(mktemp)
npm run --silent test:postgres >"$log" 2>&1 &
other=$!
trap 'kill "$other" 2>/dev/null; rm -f "$log"' EXIT
trap 'exit 130' INT TERM
npm run --silent test:sqlite
status=$?
wait "$other" || status=1
printf '\nOn PostgreSQL:\n'
cat "$log"
exit "$status"
