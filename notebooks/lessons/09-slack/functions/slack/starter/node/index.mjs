const { WEBHOOK_URL } = process.env;

export const handler = async (event) => {
  const error = new Error(
    "Post the event's text to WEBHOOK_URL, and return it as { posted: text }.",
  );
  error.name = "NotImplementedError";
  throw error;
};
