"""The AWS SDK for JavaScript, version 3, outside of a function."""

import json
import subprocess

from helpers.localaws.data_plane import node_sdk

CODE = """
import { createRequire } from "node:module";
const require = createRequire(process.argv[1]);
const { S3 } = require("@aws-sdk/client-s3");
const s3 = new S3({ forcePathStyle: true });
const Bucket = "tested-javascript";
await s3.createBucket({ Bucket });
await s3.putObject({ Bucket, Key: "a b.txt", Body: "of mine" });
const { Contents } = await s3.listObjectsV2({ Bucket });
const got = await (await s3.getObject({ Bucket, Key: "a b.txt" })).Body.transformToString();
await s3.deleteObject({ Bucket, Key: "a b.txt" });
await s3.deleteBucket({ Bucket });
console.log(JSON.stringify([Contents.map(({ Key }) => Key), got]));
"""


def test_objects_of_a_bucket(needs, needs_sdk, embedded_aws):
    needs_sdk("node")
    command = [needs("node"), "--input-type=module", "--eval", CODE, str(node_sdk.FOLDER / "package.json")]
    variables = {**embedded_aws.variables(), "NO_PROXY": "127.0.0.1", "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [["a b.txt"], "of mine"]
