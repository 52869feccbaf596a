#!/bin/sh
# Prints the tests that run on PostgreSQL: `later` those of `npm run test:all`, whose work the database has little part in or that
# take long, where `npm run test:nodes` does not run all of them there; else those of `npm test` that fit the patterns.
later=$(dirname "$0")/later-on-postgres.txt
if [ "$1" = later ]; then
  sed -n 's/^\(\.\/[^:]*\).*/\1/p' "$(dirname "$0")/one-node.txt" | sort -u | grep -xFf "$later"
  exit
fi
ls "$@" | grep -vxFf "$later"
