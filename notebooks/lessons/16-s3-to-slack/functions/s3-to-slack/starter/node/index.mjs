// Read once, at init: without the variable the function fails at once, not at its first message.
const { WEBHOOK_URL } = process.env;
if (!WEBHOOK_URL) throw new Error("WEBHOOK_URL is not set");
const TIMEOUT_MS = 2000; // below the function's own limit, so that the log says what was slow

async function post(text) {
  const answer = await fetch(WEBHOOK_URL, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text }),
    redirect: "manual", // Slack never redirects: if this one does, that is no success
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body = await answer.text();
  // fetch rejects when nobody answers in time, and takes a 500 for an answer: throw, to fail as well
  if (!answer.ok) throw new Error(`Slack answered ${answer.status}: ${body}`);
  console.log("posted", text);
}

export const handler = async (event) => {
  const error = new Error("Post the address s3://<bucket>/<key> of every record, decoded, and return the keys as { posted: keys }.");
  error.name = "NotImplementedError";
  throw error;
};
