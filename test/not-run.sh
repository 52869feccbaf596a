#!/bin/sh
# Says in one line what was left out, as tests have written it into this file (`notRun`).
awk '!said[$0]++ { all = all (all == "" ? "" : "; ") $0 } END { print "Not run: " (all == "" ? "nothing" : all) }' "$1"
