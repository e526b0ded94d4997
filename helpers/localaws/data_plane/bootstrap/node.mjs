// A Lambda runtime for Node.js: loads the handler that _HANDLER names and serves invocations from the Runtime API.
// Protocol: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. Names of errors and shape of log lines
// are those of AWS's own Node.js runtime.

import { existsSync, writeSync } from "node:fs";
import http from "node:http";
import module from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const telemetry = Number(process.env._LAMBDA_TELEMETRY_LOG_FD);
const json = process.env.AWS_LAMBDA_LOG_FORMAT === "JSON";
const callbacks = Number(process.env.AWS_EXECUTION_ENV.match(/nodejs(\d+)/)[1]) < 24; // Lambda's Node.js 24 has none
delete process.env._LAMBDA_TELEMETRY_LOG_FD;
let requestId;

class Fault extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

function request(method, where, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const data = body === undefined ? undefined : Buffer.from(body);
    const sent = http.request(
      { host, port, agent, method, path: `/2018-06-01/runtime/${where}`,
        headers: { ...headers, ...(data && { "Content-Type": "application/json", "Content-Length": data.length }) } },
      (answer) => {
        const parts = [];
        answer.on("data", (part) => parts.push(part));
        answer.on("end", () => resolve({ code: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }));
        answer.on("error", reject);
      },
    );
    sent.setNoDelay(true);
    sent.on("error", reject);
    sent.end(data);
  });
}

// One frame is one log event, however many lines it has: type, length, microseconds since 1970, text.
function log(text) {
  const message = Buffer.from(text);
  const head = Buffer.alloc(16);
  head.writeUInt32BE(0xa55a0003, 0);
  head.writeUInt32BE(message.length, 4);
  head.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);
  const frame = Buffer.concat([head, message]);
  for (let written = 0; written < frame.length; ) written += writeSync(telemetry, frame, written);
}

function logAt(level, ...values) {
  const timestamp = new Date().toISOString();
  if (json) log(JSON.stringify({ timestamp, level, requestId, message: values.length === 1 ? values[0] : format(...values) }));
  else log(`${timestamp}\t${requestId}\t${level}\t${format(...values)}`);
}

for (const [name, level] of Object.entries({ log: "INFO", info: "INFO", debug: "DEBUG", trace: "TRACE", warn: "WARN", error: "ERROR" }))
  console[name] = (...values) => logAt(level, ...values);

function describe(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") };
}

function logError(title, error) {
  const { trace, ...rest } = describe(error);
  const code = error?.code === undefined ? {} : { code: error.code };
  logAt("ERROR", json ? { ...rest, ...code, stackTrace: trace } : `${title} \t${JSON.stringify({ ...rest, ...code, stack: trace })}`);
}

// Like AWS's runtime, let `import` look where require does: after the function's own node_modules in NODE_PATH, that is
// in layers and in the runtime's own modules, where AWS SDK v3 is. Node.js by itself follows NODE_PATH in require only,
// and has these hooks since version 22.15.
const folders = (process.env.NODE_PATH ?? "").split(path.delimiter).filter(Boolean);
module.registerHooks?.({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND" || /^[./]|^\w+:/.test(specifier)) throw error;
      for (const folder of folders) {
        try {
          return next(specifier, { ...context, parentURL: pathToFileURL(path.join(folder, "..", "import.mjs")).href });
        } catch (elsewhere) {
          if (elsewhere.code !== "ERR_MODULE_NOT_FOUND") throw elsewhere;
        }
      }
      throw error; // names the file that the import stands in
    }
  },
});

async function load(handler) {
  const [folder, name] = [path.dirname(handler), path.basename(handler)];
  const [module, ...exported] = name.split(".");
  if (exported.length === 0) throw new Fault("Runtime.MalformedHandlerName", "Bad handler");
  const stem = path.resolve(process.env.LAMBDA_TASK_ROOT, folder, module);
  const file = [".js", ".mjs", ".cjs"].map((ending) => stem + ending).find((candidate) => existsSync(candidate));
  if (file === undefined)
    throw new Fault("Runtime.ImportModuleError", `Error: Cannot find module '${module}'`);
  let namespace;
  try {
    namespace = await import(pathToFileURL(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Fault("Runtime.UserCodeSyntaxError", error.toString());
    if (error.code === "MODULE_NOT_FOUND" || error.code === "ERR_MODULE_NOT_FOUND")
      throw new Fault("Runtime.ImportModuleError", error.toString());
    throw error;
  }
  const find = (root) => exported.reduce((value, key) => value?.[key], root);
  const found = find(namespace) ?? find(namespace.default);
  if (found === undefined) throw new Fault("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof found !== "function") throw new Fault("Runtime.HandlerNotFound", `${handler} is not a function`);
  if (!callbacks && found.length > 2)
    throw new Fault("Runtime.CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. " +
      "You need to modify this function to use a supported handler signature to use Node.js 24 or later. " +
      "For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.");
  return found;
}

function context(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const clientContext = headers["lambda-runtime-client-context"];
  return {
    ...(callbacks && { callbackWaitsForEmptyEventLoop: true }),
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: requestId,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: clientContext && JSON.parse(clientContext),
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

// What to do when nothing is left to wait for: a result that never came is null, and a callback's result is due.
let whenIdle;
process.on("beforeExit", () => {
  if (whenIdle) setImmediate(whenIdle);
  whenIdle = undefined;
});

// A handler returns (a promise of) its result; before Node.js 24 it calls back with it, or returns a promise.
function call(handler, event, ctx) {
  return new Promise((resolve, reject) => {
    whenIdle = resolve;
    const callback = (error, result) => {
      if (error) reject(error);
      else if (ctx.callbackWaitsForEmptyEventLoop) whenIdle = () => resolve(result);
      else resolve(result);
    };
    const returned = callbacks ? handler(event, ctx, callback) : handler(event, ctx);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
    else if (!callbacks) resolve(returned);
  });
}

function stringify(result) {
  try {
    return JSON.stringify(result === undefined ? null : result);
  } catch (error) {
    throw new Fault("Runtime.MarshalError", `Unable to stringify response body: ${error.message}`);
  }
}

function die(title, error) {
  logError(title, error);
  process.exit(error instanceof Fault ? 1 : 129);
}

process.on("uncaughtException", (error) => die("Uncaught Exception", error));
process.on("unhandledRejection", (reason) => {
  const fault = new Fault("Runtime.UnhandledPromiseRejection", String(reason));
  fault.stack = reason?.stack ?? fault.stack;
  die("Unhandled Promise Rejection", fault);
});

let handler;
try {
  handler = await load(process.env._HANDLER);
} catch (error) {
  logError("Uncaught Exception", error);
  const { errorType } = describe(error);
  await request("POST", "init/error", JSON.stringify(describe(error)), { "Lambda-Runtime-Function-Error-Type": errorType });
  process.exit(1);
}

for (;;) {
  const next = await request("GET", "invocation/next");
  requestId = next.headers["lambda-runtime-aws-request-id"];
  process.env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"] ?? "";
  try {
    const result = stringify(await call(handler, JSON.parse(next.body), context(next.headers)));
    const answer = await request("POST", `invocation/${requestId}/response`, result);
    if (answer.code === 413) logAt("ERROR", "Response payload size exceeded maximum allowed payload size.");
  } catch (error) {
    logError("Invoke Error", error);
    await request("POST", `invocation/${requestId}/error`, JSON.stringify(describe(error)),
      { "Lambda-Runtime-Function-Error-Type": describe(error).errorType });
  }
}
