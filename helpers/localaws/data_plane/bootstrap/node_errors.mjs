// What Lambda's Node.js runtime tells of an error: to the caller, and in the log. Its names are those of AWS's own
// clients: aws-lambda-ric 3.3.0 (Errors.js) for runtimes before Node.js 24, and 4.0.2 for those from then on.

export const node24 = Number(process.env.AWS_EXECUTION_ENV?.match(/nodejs(\d+)/)?.[1] ?? 24) >= 24;

const NAMED_ERRORS = ["HandlerNotFound", "MalformedHandlerName", "CallbackHandlerDeprecated"]; // by its class, in 4.0.2

// An error that the runtime itself finds.
export class Fault extends Error {
  constructor(kind, message, properties = {}) {
    super(message);
    Object.defineProperty(this, "name", { value: `Runtime.${kind}`, enumerable: node24 });
    Object.defineProperty(this, "className", { value: kind + (node24 && NAMED_ERRORS.includes(kind) ? "Error" : "") });
    if (!node24) Error.captureStackTrace(this, Fault); // it begins with the name then
    Object.assign(this, properties);
  }
}

const UNREADABLE = {
  errorType: "handled",
  errorMessage:
    "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack",
};

const isError = (value) =>
  value instanceof Error ||
  (!node24 && [value?.name, value?.message, value?.stack].every((each) => each && typeof each === "string"));
const printable = (text) => text?.replaceAll("\x7F", "%7F");

// For the caller.
export function described(error) {
  try {
    if (isError(error))
      return { errorType: printable(error.name), errorMessage: printable(error.message), trace: printable(error.stack)?.split("\n") ?? [] };
    return { errorType: typeof error, errorMessage: node24 ? String(error) : error.toString(), trace: [] };
  } catch {
    return { ...UNREADABLE, ...(node24 && { trace: [] }) };
  }
}

// For the log: any value that was thrown as an Error, and its text with all that it holds.
export const intoError = (value) => (value instanceof Error ? value : new Error(node24 ? String(value) : value));

export function written(error) {
  try {
    return JSON.stringify(error, (_, value) =>
      value instanceof Error
        ? Object.assign({ errorType: value.name, errorMessage: value.message, code: value.code }, value,
            typeof value.stack === "string" && { stack: value.stack.split("\n") })
        : value);
  } catch {
    return JSON.stringify(described(error));
  }
}

// In the log's JSON. An Error is where it stands, or its members beside the message.
export const members = (error) => ({
  errorType: error instanceof Fault ? error.className : (error.constructor?.name ?? "UnknownError"),
  errorMessage: error.message,
  stackTrace: typeof error.stack === "string" ? error.stack.split("\n") : error.stack,
});
export const inJson = (_, value) => (value instanceof Error ? Object.assign(members(value), value) : value);
