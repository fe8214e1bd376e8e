#!/bin/sh
# A node of DynamoDB's kind: dynalite (npm install dynalite) with the table of `dynamodb.toml`. There is one.
# dynamodb-node.sh PROGRAM ADDRESS DATA, the last two as splitbrain run --start fills them in.
program=$1 address=$2 data=$3
mkdir -p "$data"
"$program" --host "${address%:*}" --port "${address#*:}" --path "$data" --createTableMs 0 &
table='{"TableName": "splitbrain", "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}'
signature='AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=a'
until case $(curl -sS -m 2 "http://$address/" -d "$table" -H 'content-type: application/x-amz-json-1.0' \
    -H 'x-amz-target: DynamoDB_20120810.CreateTable' -H 'x-amz-date: 20260101T000000Z' \
    -H "authorization: $signature" 2> /dev/null) in *TableDescription* | *ResourceInUse*) ;; *) false ;; esac do
    kill -0 $! || exit
    sleep 0.2
done
wait
