package localaws;

import com.amazonaws.services.lambda.runtime.Context;

/** What serves an invocation: bytes of JSON in, and out. */
interface Handler {
    byte[] handle(byte[] event, Context context) throws Throwable;
}
