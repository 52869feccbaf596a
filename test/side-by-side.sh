#!/bin/sh
# Runs npm scripts side by side: tests wait most of their time for disks, databases and processes that start. What the first one
# says is seen at once, what the others say comes after it.
first=$1
shift
logs=$(mktemp -d)
# Who runs this one may want to name all that was left out.
[ -n "${TEST_NOT_RUN:-}" ] || names_it=1 TEST_NOT_RUN=$logs/not-run
export TEST_NOT_RUN
touch "$TEST_NOT_RUN"
others=
for script in "$@"; do
  npm run --silent "$script" >"$logs/$script" 2>&1 &
  others="$others $!"
done
trap 'kill $others 2>/dev/null; rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM
npm run --silent "$first"
status=$?
for other in $others; do
  wait "$other" || status=1
done
for script in "$@"; do
  printf '\n%s:\n' "$script"
  cat "$logs/$script"
done
if [ -n "${names_it:-}" ]; then
  echo
  sh "$(dirname "$0")/not-run.sh" "$TEST_NOT_RUN"
fi
exit "$status"
