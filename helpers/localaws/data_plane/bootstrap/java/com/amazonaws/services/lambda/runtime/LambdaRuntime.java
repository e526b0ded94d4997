package com.amazonaws.services.lambda.runtime;

/** Where code without a context finds the logger. */
public final class LambdaRuntime {
    private static volatile LambdaLogger logger; // set by the runtime before it loads the handler

    private LambdaRuntime() {}

    public static LambdaLogger getLogger() {
        return logger;
    }
}
