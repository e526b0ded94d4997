// The console of Lambda's Node.js runtime: each call is one event of the log, with its time, request and level.
// As AWS's own clients have it: aws-lambda-ric 3.3.0 (LogPatch.js), and 4.0.2 for Node.js 24.

import { writeSync } from "node:fs";
import { format } from "node:util";

import { inJson, intoError, members, node24, written } from "./node_errors.mjs";

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const telemetry = Number(process.env._LAMBDA_TELEMETRY_LOG_FD);
const isJson = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
const least = Math.max(0, LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()));
delete process.env._LAMBDA_TELEMETRY_LOG_FD;

// Of the invocation that runs: what each event names.
export const current = { requestId: node24 ? "-" : undefined, tenantId: undefined };

// One frame is one event, however many lines it has: type, length, microseconds since 1970, text; big-endian.
function write(text, at) {
  const message = Buffer.from(text);
  const head = Buffer.alloc(16);
  head.writeUInt32BE(isJson ? 0xa55a0002 : 0xa55a0003, 0);
  head.writeUInt32BE(message.length, 4);
  head.writeBigUInt64BE(BigInt(at.valueOf()) * 1000n, 8);
  const frame = Buffer.concat([head, message]);
  for (let done = 0; done < frame.length; ) done += writeSync(telemetry, frame, done);
}

function json(timestamp, level, message, values) {
  const event = { timestamp, level, requestId: current.requestId };
  if (current.tenantId) event.tenantId = current.tenantId;
  if (values.length === 0) {
    try {
      return JSON.stringify({ ...event, message }, inJson);
    } catch {
      return JSON.stringify({ ...event, message: format(message) }); // what JSON cannot hold, as the console shows it
    }
  }
  const error = (node24 ? values : [message, ...values]).find((value) => value instanceof Error);
  return JSON.stringify({ ...event, message: format(message, ...values), ...(error && members(error)) });
}

function log(level, message, values) {
  const now = new Date();
  const time = now.toISOString();
  if (isJson) write(json(time, level, message, values), now);
  else write(`${time}\t${current.requestId}\t${level}\t${format(message, ...values)}\n`, now);
}

LEVELS.forEach((level, priority) => {
  const silent = priority < least && level !== "FATAL";
  console[level.toLowerCase()] = silent ? () => {} : (message, ...values) => log(level, message, values);
});
console.log = console.info;

export function logError(title, error) {
  if (isJson) console.error(intoError(error));
  else console.error(title, `\t${written(intoError(error))}`);
}
