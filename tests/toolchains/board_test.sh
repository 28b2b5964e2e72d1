#!/usr/bin/env bash
# ./dev board against an OpenSSH server on loopback, which stands for a board of this computer's
# kind. board_test.sh PJ: the tool to send.
set -euo pipefail
pj=$1
cd "$(dirname "$0")/../.."
sshd=$(command -v sshd || ls /usr/sbin/sshd 2>/dev/null || true)
for program in "$sshd" ssh ssh-keygen; do
  command -v "$program" >/dev/null || { echo "skipped: no OpenSSH server and client"; exit 0; }
done

folder=$(mktemp -d)
server=""
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

ssh-keygen -q -t ed25519 -N '' -f "$folder/host"
ssh-keygen -q -t ed25519 -N '' -f "$folder/user"
cp "$folder/user.pub" "$folder/authorized"
[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
for port in $(shuf -i 20000-60000 -n 5); do
  "$sshd" -D -f /dev/null -h "$folder/host" -p "$port" -o ListenAddress=127.0.0.1 \
    -o "AuthorizedKeysFile=$folder/authorized" -o StrictModes=no -o UsePAM=no -o PidFile=none \
    -o PermitRootLogin=yes -E "$folder/log" &
  server=$!
  for _ in $(seq 50); do
    ! ssh-keyscan -p "$port" 127.0.0.1 >"$folder/known" 2>/dev/null || [ ! -s "$folder/known" ] ||
      break 2
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
done
[ -s "$folder/known" ] || { cat "$folder/log"; echo "the server did not start"; exit 1; }

mkdir "$folder/bin"
printf '#!/bin/sh\nexec %s -F /dev/null -i %s -o UserKnownHostsFile=%s -o BatchMode=yes "$@"\n' \
  "$(command -v ssh)" "$folder/user" "$folder/known" >"$folder/bin/ssh"
chmod +x "$folder/bin/ssh"
export PATH=$folder/bin:$PATH
board() { toolchains/board --port "$port" --tool "$pj" "$(id -un)@127.0.0.1" -- "$@"; }

# A model of ours, under a name that a shell would take apart.
model="$folder/fashion model.tflite"
cp models/fashion/fashion.tflite "$model"
board bench "$model" --runs 3 --threads 1 --json >"$folder/json"
python3 - "$folder/json" <<'TEXT'
import json, sys
result = json.load(open(sys.argv[1]))
assert result["runs"] == 3 and result["min_ms"] > 0, result
TEXT

# What fails on the board fails here, with its message.
status=0
board bench no_such_model.tflite 2>"$folder/err" || status=$?
[ "$status" -ne 0 ] && grep -q no_such_model "$folder/err"

# Nothing is left behind.
if ls -d /tmp/tmp.*/pj-* 2>/dev/null | grep -F "$(sha256sum "$pj" | cut -c1-16)"; then
  echo "the board keeps files"
  exit 1
fi
echo "board: passed"
