package com.amazonaws.services.lambda.runtime;

/** A handler that takes an event and returns an answer, each made from JSON or into it. */
public interface RequestHandler<I, O> {
    O handleRequest(I input, Context context);
}
