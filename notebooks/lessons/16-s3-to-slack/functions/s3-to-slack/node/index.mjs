// Read once, at init: without the variable the function fails at once.
const { WEBHOOK_URL } = process.env;
if (!WEBHOOK_URL) throw new Error("WEBHOOK_URL is not set");
const TIMEOUT_MS = 2000; // below the function's limit, so that the log says what was slow

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

export const handler = async (event) => {
  const posted = [];
  for (const record of event.Records) { // one as a rule, but it is a list
    const bucket = record.s3.bucket.name;
    // a key comes URL-encoded, and "+" is a space
    const key = decodeURIComponent(record.s3.object.key.replaceAll("+", " "));
    await post(`s3://${bucket}/${key}`);
    posted.push(key);
  }
  return { posted };
};
