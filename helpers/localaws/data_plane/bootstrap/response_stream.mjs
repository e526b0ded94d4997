// Response streaming: what a handler calls as `awslambda`, and the stream that carries its response while it still runs.
// Behaviour and names are those of https://github.com/aws/aws-lambda-nodejs-runtime-interface-client, src/ResponseStream.js,
// HttpResponseStream.js and UserFunction.js.

import http from "node:http";
import { Writable } from "node:stream";

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const HIGH_WATER_MARK = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");
const [ERROR_TYPE, ERROR_BODY] = ["Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"];
const HTTP_RESPONSE = "application/vnd.awslambda.http-integration-response";

class ResponseStream extends Writable {
  #request;
  #contentType = "application/octet-stream";
  #begun = false;
  #open;

  constructor(open, highWaterMark) {
    super(highWaterMark ? { highWaterMark } : {});
    this.#open = open;
    this.on("error", () => {}); // who awaits `ended` hears of it
    this.ended = new Promise((resolve, reject) => {
      this.once("finish", resolve).once("error", reject).once("close", () => reject("Response stream is not finished."));
    });
    this.ended.catch(() => {});
  }

  setContentType(contentType) {
    if (this.#begun) throw Object.assign(new Error("Cannot set content-type, too late."), { name: "Runtime.InvalidStreamingOperation" });
    this.#contentType = contentType;
  }

  write(chunk, ...rest) {
    if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) chunk = JSON.stringify(chunk);
    if (!this.#begun) {
      this.#begun = true;
      this._onBeforeFirstWrite?.((part) => super.write(part));
    }
    return super.write(chunk, ...rest);
  }

  // With an error, which stands in the trailers, the response ends where it is; false where it can say nothing more.
  fail({ errorType, ...described }) {
    if (this.writableEnded || this.destroyed) return this.writableEnded && !this.destroyed;
    const body = Buffer.from(JSON.stringify({ errorType, ...described })).toString("base64");
    this.#begin().addTrailers({ [ERROR_TYPE]: String(errorType).replace(/[^ -~]/g, "?"), [ERROR_BODY]: body });
    this.end();
    return true;
  }

  _write(chunk, encoding, done) {
    this.#begin().write(chunk, encoding, done);
  }

  _final(done) {
    const request = this.#begin();
    request.once("response", (answer) => answer.resume().once("end", () => done()));
    request.end();
  }

  _destroy(error, done) {
    this.#request?.destroy();
    done(error);
  }

  #begin() {
    this.#begun = true;
    this.#request ??= this.#open({
      "Content-Type": this.#contentType,
      "Lambda-Runtime-Function-Response-Mode": "streaming",
      Trailer: [ERROR_TYPE, ERROR_BODY],
    }).once("error", (error) => this.destroy(error));
    return this.#request;
  }
}

export function install() {
  globalThis.awslambda = {
    streamifyResponse(handler, options) {
      handler[STREAMING] = "response";
      if (options?.highWaterMark !== undefined) handler[HIGH_WATER_MARK] = Number.parseInt(options.highWaterMark);
      return handler;
    },
    // For function URLs: status, headers and cookies as JSON, and 8 bytes of zero before the body.
    HttpResponseStream: {
      from(stream, prelude) {
        stream.setContentType(HTTP_RESPONSE);
        stream._onBeforeFirstWrite = (write) => {
          write(JSON.stringify(prelude));
          write(new Uint8Array(8));
        };
        return stream;
      },
    },
  };
}

export const isStreaming = (handler) => handler[STREAMING] === "response";

// The stream for an invocation that is answered at this path of the Runtime API.
export function open(handler, options, path) {
  const request = (headers) => {
    const sent = http.request({ ...options, method: "POST", path, headers });
    sent.setNoDelay(true);
    return sent;
  };
  return new ResponseStream(request, handler[HIGH_WATER_MARK]);
}
