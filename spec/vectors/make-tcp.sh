#!/bin/sh
# Prints tcp.json: what stands on the wire of a pipe over TCP, made with printf and od alone, so that no implementation
# of the protocol vouches for itself. Run: sh spec/vectors/make-tcp.sh > spec/vectors/tcp.json
set -eu

ticket=YS10aWNrZXQtZm9yLW9uZS1waXBlLW9mLWFsaWNlLi4

hex() { od -An -v -tx1 | tr -d ' \n'; }

comma=
# name, framing, kind, payload and wire as printf has them
vector() {
  printf '%s\n    { "name": "%s", "framing": "%s", "kind": "%s", "payload": "%s", "wire": "%s" }' "$comma" "$1" "$2" "$3" \
    "$(printf "$4" | hex)" "$(printf "$5" | hex)"
  comma=,
}

long=$(printf '%0300d' 0)

printf '{\n  "encoding": "payload, wire and preamble are hex",\n'
printf '  "preamble": { "ticket": "%s", "framing": "line", "wire": "%s" },\n' "$ticket" "$(printf 'PH1 %s line\n' "$ticket" | hex)"
printf '  "vectors": ['
vector 'a line' line text 'ahoy' 'ahoy\n'
vector 'an empty line' line text '' '\n'
vector 'a line that ends with CR' line text 'ahoy\r' 'ahoy\r\n'
vector 'a text' frame text 'ahoy' '\001\000\000\004ahoy'
vector 'an empty binary message' frame binary '' '\002\000\000\000'
vector 'bytes that no text has' frame binary '\000\377\n' '\002\000\000\003\000\377\n'
vector 'a JSON text' frame json '{}' '\003\000\000\002{}'
vector 'a length of two bytes' frame text "$long" "\\001\\000\\001\\054$long"
printf '\n  ]\n}\n'
