#!/bin/sh
# Prints bind.json: the HMAC of a sibling bind, made with openssl and printf alone, so that no implementation of the
# protocol vouches for itself. Run: sh spec/vectors/make-bind.sh > spec/vectors/bind.json
set -eu

# Hex digits on the command line to bytes on stdout.
bytes() {
  rest=$1
  while [ -n "$rest" ]; do
    tail=${rest#??}
    printf "\\$(printf '%03o' "0x${rest%"$tail"}")"
    rest=$tail
  done
}

# The bytes of an ASCII text as hex digits.
hex() {
  rest=$1
  while [ -n "$rest" ]; do
    tail=${rest#?}
    printf '%02x' "'${rest%"$tail"}"
    rest=$tail
  done
}

# Hex digits to base64url without padding.
base64url() {
  left=$(bytes "$1" | openssl base64 -A)
  left=${left%%=*}
  while [ -n "$left" ]; do
    tail=${left#?}
    case ${left%"$tail"} in
      +) printf '%s' - ;;
      /) printf '%s' _ ;;
      *) printf '%s' "${left%"$tail"}" ;;
    esac
    left=$tail
  done
}

# vector NAME SECRET-HEX SID-HEX CHANNEL NONCE-HEX CNONCE-HEX SEPARATOR
vector() {
  sid=s_$(base64url "$3")
  nonce=$(base64url "$5")
  cnonce=$(base64url "$6")
  message="$(hex porthouse-bind-v1)0a$(hex "$sid")0a$(hex "$4")0a$(hex "$nonce")0a$(hex "$cnonce")"
  mac=$(bytes "$message" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$2")
  mac=${mac##* }
  printf '    {\n      "name": "%s",\n      "secret": "%s",\n' "$1" "$(base64url "$2")"
  printf '      "sid": "%s",\n      "channel": "%s",\n' "$sid" "$4"
  printf '      "nonce": "%s",\n      "cnonce": "%s",\n' "$nonce" "$cnonce"
  printf '      "message": "%s",\n      "mac": "%s",\n' "$message" "$mac"
  printf '      "macBase64url": "%s"\n    }%s\n' "$(base64url "$mac")" "$7"
}

zero=0000000000000000
ones=ffffffffffffffff
count=000102030405060708090a0b0c0d0e0f
down=fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0
counted="${count}101112131415161718191a1b1c1d1e1f"
alice=$(hex porthouse-alice1)
server=$(hex server-nonce-16b)
client=$(hex client-nonce-16b)

printf '{\n  "algorithm": "HMAC-SHA256",\n  "encoding": "message and mac are hex; the rest is as in the JSON of the wire",\n'
printf '  "vectors": [\n'
vector 'the worked example of opening.md' "$counted" "$alice" command "$server" "$client" ,
vector 'the worked example of sibling.md, another bind of the same session' "$counted" "$alice" command \
  "$(hex another-nonce-16)" "$(hex client-nonce-two)" ,
vector 'the first again, on the debug channel' "$counted" "$alice" debug "$server" "$client" ,
vector 'the first again, with the nonces exchanged' "$counted" "$alice" command "$client" "$server" ,
vector 'the first again, for another session' "$counted" "$count" command "$server" "$client" ,
vector 'the first again, with another secret' "$down$count" "$alice" command "$server" "$client" ,
vector 'nothing but zero bytes' "$zero$zero$zero$zero" "$zero$zero" command "$zero$zero" "$zero$zero" ,
vector 'nothing but ones, which are underscores in base64url' \
  "$ones$ones$ones$ones" "$ones$ones" command "$ones$ones" "$ones$ones" ,
vector 'hyphens in base64url, which plain base64 spells with a plus' \
  fbefbefbefbefbefbefbefbefbefbefbefbefbefbefbefbefbefbefbefbefbef fbefbefbefbefbefbefbefbefbefbefb debug \
  fbefbefbefbefbefbefbefbefbefbefb "$down" ''
printf '  ]\n}\n'
