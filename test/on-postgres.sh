#!/bin/sh
# Prints the tests that run on PostgreSQL: `later` those of `npm run test:all`, whose work the database has little part in or that
# take long; else those of `npm test` that fit the patterns.
later=$(dirname "$0")/later-on-postgres.txt
if [ "$1" = later ]; then
  exec cat "$later"
fi
ls "$@" | grep -vxFf "$later"
