// A Lambda runtime for Node.js: loads the handler that _HANDLER names and serves invocations from the Runtime API.
// Protocol: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. What it does of errors, callbacks and what is
// left running is what AWS's own clients do: aws-lambda-ric 3.3.0 (UserFunction.js, Runtime.js, CallbackContext.js) for
// runtimes before Node.js 24, and 4.0.2 for those from then on, which have no callbacks and wait for nothing.

import { current, logError } from "./node_console.mjs"; // first: nothing may be printed as Node.js itself does
import { described, Fault, node24 } from "./node_errors.mjs";

import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import module from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import * as streaming from "./response_stream.mjs";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 2 }); // one waits for the next invocation
const root = process.env.LAMBDA_TASK_ROOT;
const require = module.createRequire(import.meta.url);

// The Runtime API

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

function tell(where, error) {
  const told = described(error);
  const type = String(told.errorType).replace(/[^ -~]/g, "?"); // in a header
  return request("POST", where, JSON.stringify(told), { "Lambda-Runtime-Function-Error-Type": type });
}

function stringify(result) {
  let text;
  try {
    text = JSON.stringify(result === undefined ? null : result);
  } catch {
    const message = "Unable to stringify response body";
    throw node24 ? new Fault("JSONStringifyError", message) : new Error(message);
  }
  if (text === undefined) throw new TypeError("A string was expected"); // as the client's native part says of a function
  return text;
}

async function respond(id, text) {
  const answer = await request("POST", `invocation/${id}/response`, text);
  if (answer.code === 413) console.error("Response payload size exceeded maximum allowed payload size.");
}

async function failInvocation(id, error) {
  logError("Invoke Error", error);
  await tell(`invocation/${id}/error`, error);
}

// Where `import` looks. Like AWS's runtime, let it look where require does: after the function's own node_modules in
// NODE_PATH, that is in layers and in the runtime's own modules, where AWS SDK v3 is. Node.js by itself follows NODE_PATH
// in require only, and has these hooks since version 22.15.

const folders = (process.env.NODE_PATH ?? "").split(path.delimiter).filter((each) => path.basename(each) === "node_modules");
const MISSING = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"];

function found(specifier, context, next) {
  for (const folder of folders) {
    try {
      return next(specifier, { ...context, parentURL: pathToFileURL(path.join(folder, "..", "import.mjs")).href });
    } catch (elsewhere) {
      if (!MISSING.includes(elsewhere.code)) throw elsewhere;
    }
  }
}

module.registerHooks?.({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!MISSING.includes(error.code) || /^[./]|^\w+:/.test(specifier)) throw error;
      const elsewhere = error.code === "ERR_MODULE_NOT_FOUND" && found(specifier, context, next);
      if (elsewhere) return elsewhere;
      if (/^@(aws-sdk|smithy)\//.test(specifier))
        error.message += `\nAWS's runtime holds every client of AWS SDK v3, and the embedded AWS's holds @aws-sdk/client-s3 and ` +
          `what it requires: add ${specifier} to the package or to a layer, with npm install.`;
      throw error; // names the file that the import stands in
    }
  },
});

// The handler

function isModule(folder) {
  if (path.basename(folder) === "node_modules") return false;
  const file = path.join(folder, "package.json");
  if (!existsSync(file)) return folder !== path.dirname(folder) && isModule(path.dirname(folder));
  try {
    return JSON.parse(readFileSync(file)).type === "module";
  } catch (error) {
    console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
    return false;
  }
}

async function loadFile(stem) {
  if (!node24) {
    const kinds = [["", false], [".js", isModule(path.dirname(stem))], [".mjs", true], [".cjs", false]];
    for (const [ending, isEsm] of kinds)
      if (existsSync(stem + ending)) return isEsm ? import(pathToFileURL(stem + ending)) : require(stem + ending);
  }
  for (const ending of ["", ".js", ".mjs", ".cjs"])
    if (existsSync(stem + ending)) return import(pathToFileURL(stem + ending));
}

async function loadModule(folder, name) {
  try {
    const loaded = await loadFile(path.resolve(root, folder, name));
    return loaded ?? require(require.resolve(name, { paths: [root, path.join(root, folder)] }));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Fault("UserCodeSyntaxError", String(error), node24 && { stack: error.stack });
    if (error?.code === "MODULE_NOT_FOUND") throw new Fault("ImportModuleError", String(error));
    throw error;
  }
}

async function load(handler) {
  if (handler.includes(".."))
    throw new Fault("MalformedHandlerName",
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  const base = path.basename(handler);
  const [, name, exported] = base.match(/^([^.]*)\.(.*)$/) ?? [];
  if (name === undefined) throw new Fault("MalformedHandlerName", "Bad handler");
  const loaded = await loadModule(handler.slice(0, handler.indexOf(base)), name);
  const find = (object) => exported.split(".").reduce((value, key) => value && value[key], object);
  const handles = find(loaded) || (node24 && loaded?.default && find(loaded.default));
  if (!handles) throw new Fault("HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof handles !== "function") throw new Fault("HandlerNotFound", `${handler} is not a function`);
  return handles;
}

const isAsync = (handles) => handles.constructor?.name === "AsyncFunction";

function checkCallback(handles) {
  if (streaming.isStreaming(handles)) return;
  if (node24 && handles.length >= 3)
    throw new Fault("CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. " +
      "You need to modify this function to use a supported handler signature to use Node.js 24 or later. " +
      "For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.");
  if (!node24 && handles.length === 3 && !isAsync(handles) && process.env.AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING === undefined)
    console.warn(
      "AWS Lambda plans to remove support for callback-based function handlers starting with Node.js 24. " +
      "You will need to update this function to use an async handler to use Node.js 24 or later. " +
      "For more information and to provide feedback on this change, see " +
      "https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/137. " +
      "To disable this warning, set the AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING environment variable.");
}

// What it is given

function parsed(header, name) {
  if (!header) return undefined;
  try {
    return JSON.parse(Buffer.from(header, "latin1").toString()); // Node.js takes headers for Latin-1
  } catch (error) {
    throw new Error(`Cannot parse ${name} as json: ${error}`);
  }
}

function contextOf(headers) {
  const trace = headers["lambda-runtime-trace-id"];
  if (trace) process.env._X_AMZN_TRACE_ID = trace;
  else delete process.env._X_AMZN_TRACE_ID;
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsed(headers["lambda-runtime-client-context"], "ClientContext"),
    identity: parsed(headers["lambda-runtime-cognito-identity"], "CognitoIdentity"),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: current.requestId,
    tenantId: headers["lambda-runtime-aws-tenant-id"],
    ...(node24 && { xRayTraceId: trace }),
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

// Before Node.js 24: the answer is what a promise gives, or what comes by callback, context.done, succeed or fail, and
// the first of them counts. Where nothing is left to wait for, a callback's result is due, and one that never came is null.

const NODE_EXIT = "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a " +
  "Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes";
let whenIdle;

function callsBack(handles, event, headers, id) {
  return new Promise((answered, failed) => {
    const fail = (error) => failInvocation(id, error).then(answered, failed);
    const complete = (result) => {
      const text = stringify(result);
      whenIdle = undefined;
      respond(id, text).then(answered, failed);
    };
    let waits = true, finished = false;
    const once = (answer) => (...values) => {
      if (finished) return;
      answer(...values);
      finished = true;
    };
    const done = (error, result) => {
      whenIdle = undefined;
      if (error !== undefined && error !== null) fail(error);
      else complete(result);
    };
    const callback = once((error, result) => {
      if (error !== undefined && error !== null) done(error);
      else if (!waits) complete(result);
      else whenIdle = () => setImmediate(() => complete(result));
    });
    const ways = { done: once(done), succeed: once((result) => done(null, result)), fail: once((error) => done(error ?? "handled")) };
    whenIdle = isAsync(handles) ? () => fail(new Fault("NodeJsExit", NODE_EXIT)) : () => complete(null);
    try {
      const context = {
        get callbackWaitsForEmptyEventLoop() { return waits; },
        set callbackWaitsForEmptyEventLoop(value) { waits = value; },
      };
      const result = handles(JSON.parse(event), Object.assign(context, ways, contextOf(headers)), callback);
      if (typeof result?.then === "function") result.then(ways.succeed, ways.fail).catch(ways.fail);
    } catch (error) {
      callback(error);
    }
  });
}

// From Node.js 24 on: the answer is what the handler returns, or what its promise gives.
async function returns(handles, event, headers, id) {
  try {
    const result = await handles(event, contextOf(headers));
    await respond(id, stringify(result));
  } catch (error) {
    await failInvocation(id, error);
  }
}

// A response that goes out while the handler writes it is over when its stream has ended. A handler that never ends it is
// waited for until its time is up.
async function streams(handles, event, headers, id) {
  const context = Object.assign(node24 ? {} : { callbackWaitsForEmptyEventLoop: true }, contextOf(headers));
  const response = streaming.open(handles, { host, port, agent }, `/2018-06-01/runtime/invocation/${id}/response`);
  const waiting = setInterval(() => {}, 2 ** 30); // as AWS's client has a connection open from the beginning
  try {
    const returned = handles(JSON.parse(event), response, context);
    if (typeof returned?.then !== "function") throw "Streaming does not support non-async handlers.";
    if ((await returned) !== undefined) console.warn("Streaming handlers ignore return values.");
    await response.ended;
  } catch (error) {
    logError("Invoke Error", error);
    if (response.fail(described(error))) await response.ended.catch(() => {});
    else await tell(`invocation/${id}/error`, error);
  }
  clearInterval(waiting);
  if (context.callbackWaitsForEmptyEventLoop) await new Promise((resolve) => (whenIdle = () => setImmediate(resolve)));
}

// Before Node.js 24 what nobody catches is the error of the invocation, or of init, and the end of the process.
if (!node24) {
  const end = async (title, error, code) => {
    logError(title, error);
    const where = current.requestId ? `invocation/${current.requestId}/error` : "init/error";
    await tell(where, error).finally(() => process.exit(code));
  };
  process.on("uncaughtException", (error) => end("Uncaught Exception", error, 129));
  process.on("unhandledRejection", (reason, promise) =>
    end("Unhandled Promise Rejection", new Fault("UnhandledPromiseRejection", String(reason), { reason, promise }), 128));
  process.on("beforeExit", () => {
    const idle = whenIdle;
    whenIdle = undefined;
    idle?.();
  });
}

async function run() {
  streaming.install();
  let handles;
  try {
    handles = await load(process.env._HANDLER);
    checkCallback(handles);
  } catch (error) {
    if (!node24) throw error;
    logError("Init Error", error);
    await tell("init/error", error);
    throw error;
  }
  for (;;) {
    const next = await request("GET", "invocation/next");
    const id = (current.requestId = next.headers["lambda-runtime-aws-request-id"]);
    current.tenantId = next.headers["lambda-runtime-aws-tenant-id"];
    if (streaming.isStreaming(handles)) await streams(handles, next.body, next.headers, id);
    else if (node24) await returns(handles, JSON.parse(next.body), next.headers, id);
    else await callsBack(handles, next.body, next.headers, id);
  }
}

// What ends it is nobody's: Node.js 24 prints it as a rejection, and before that it is an uncaught exception.
if (node24) run();
else run().catch((error) => setImmediate(() => { throw error; }));
