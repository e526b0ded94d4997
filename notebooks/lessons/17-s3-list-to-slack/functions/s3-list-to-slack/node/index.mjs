import { paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";

// Read once, at init: without the variable the function fails at once.
const { WEBHOOK_URL } = process.env;
if (!WEBHOOK_URL) throw new Error("WEBHOOK_URL is not set");
const TIMEOUT_MS = 2000; // for one message; the function's own limit is for all of its work
const MAX_TEXT = 3000; // characters that a block of a Slack message shows

const client = new S3Client(); // made once for each environment: a warm invocation uses it again

async function post(text) {
  const answer = await fetch(WEBHOOK_URL, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text }),
    redirect: "manual", // Slack never redirects: a redirect is a failure
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body = await answer.text();
  // fetch rejects when no answer comes in time, but not for a 500: so we throw
  if (!answer.ok) throw new Error(`Slack answered ${answer.status}: ${body}`);
  console.log("posted", text);
}

// All keys of the bucket: S3 gives 1,000 at a time, and the paginator asks for the rest.
async function keysOf(bucket) {
  const keys = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket }))
    // the page of an empty bucket has no Contents
    keys.push(...(page.Contents ?? []).map((item) => item.Key));
  return keys;
}

// The lines as few texts, each of at most MAX_TEXT characters, split at line ends.
function textsOf([first, ...others]) {
  const texts = [first];
  for (const line of others) {
    const longer = `${texts.at(-1)}\n${line}`;
    if (longer.length <= MAX_TEXT) texts[texts.length - 1] = longer;
    else texts.push(line);
  }
  return texts;
}

export const handler = async (event) => {
  const bucket = event.Records[0].s3.bucket.name;
  const keys = await keysOf(bucket);
  const title = keys.length ? `Objects in s3://${bucket}: ${keys.length}` : `s3://${bucket} is empty.`;
  const texts = textsOf([title, ...keys]);
  for (const text of texts) await post(text);
  return { objects: keys.length, messages: texts.length };
};
