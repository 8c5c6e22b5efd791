#!/bin/sh
# Runs the commands of docs/format.md as they stand there, for one backup.
#
#   recover.sh BACKUP_ID KEY_FILE DIRECTORY
#
# The database is what PGHOST, PGDATABASE and so on say.  DIRECTORY gets the files
# that the commands make: text, the payload's text, and document, what decode.py
# restores.  Every "... is right" of the page must be said, but for the digest of
# a payload that is a delta.
set -e
root=$(cd "$(dirname "$0")/../.." && pwd)
commands=$(awk '/^```sh$/ {on = 1; next} /^```$/ {on = 0} on' "$root/docs/format.md" |
	grep -v '^backup_id=12 key_file=' | sed "s|test/format/|$root/test/format/|")
cd "$3"
backup_id=$1 key_file=$2
eval "$commands" > said
grep -q '^checksum is right$' said
grep -q '^MAC is right$' said
grep -q '^document is right$' said || test "$(row type)" != full
