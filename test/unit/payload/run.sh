#!/bin/sh
# Builds every test_*.c here and runs it, with the address and undefined
# behaviour sanitizers; prints TAP, and fails where one of them does.
cd "$(dirname "$0")" || exit 1
src=../../../src
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
failed=0
for test in test_*.c; do
	name=${test%.c}
	${CC:-gcc} -std=gnu11 -Wall -Wextra -Werror -O1 -g -fsanitize=address,undefined \
		-fno-sanitize-recover=undefined -DFRONTEND -I$src -I. -o "$out/$name" \
		"$test" store.c $src/common/error.c $src/common/memory.c $src/payload/*.c \
		$src/keyring/wrap.c -lz -lzstd -lcrypto || exit 1
	echo "# $name"
	ASAN_OPTIONS=detect_leaks=1 "$out/$name" || failed=1
done
exit $failed
