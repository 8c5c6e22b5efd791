# How fast data keys are re-wrapped after a rotation; the small documents are most of them.

value 'SELECT FROM bk_key_rotate()'
started=$(milliseconds)
rekeyed=$(value 'SELECT bk_rekey(10000000)')
about 're-wrapping' "$rekeyed data keys, $((rekeyed * 1000 / ($(milliseconds) - started))) a second (bk_rekey)"
