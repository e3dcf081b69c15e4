#!/bin/bash
# A database with a client inside the tree, in the middle of a transaction: transaction.sh POSTGRES PSQL DATA
# It goes on when the file DATA/go appears.
"$1" -D "$3" -k "$3" -c listen_addresses= >"$3/log" 2>&1 &
server=$!
until "$2" -qAt -h "$3" -c 'select 1' postgres >/dev/null 2>&1; do sleep 0.05; done
"$2" -qAt -h "$3" -c 'create table t (n int)' postgres
coproc client { "$2" -qAt -h "$3" -v ON_ERROR_STOP=1 postgres 2>&1; }
say() { echo "$1" >&"${client[1]}"; }
say 'begin; insert into t select generate_series(1, 1000); select count(*) from t;'
read -r count <&"${client[0]}"
echo "inside $count, outside $("$2" -qAt -h "$3" -c 'select count(*) from t' postgres)"
echo ready
until [ -e "$3/go" ]; do sleep 0.05; done
say 'insert into t select generate_series(1, 24); commit; select count(*), txid_status(txid_current()) from t;'
read -r count <&"${client[0]}"
echo "committed $count, outside $("$2" -qAt -h "$3" -c 'select count(*) from t' postgres)"
eval "exec ${client[1]}>&-"
kill -INT $server
wait $server
echo "server ended with $?"
