package com.amazonaws.services.lambda.runtime.logging;

import java.util.Locale;

/** The function's log format. */
public enum LogFormat {
    JSON,
    TEXT;

    /** In small letters or capitals; IllegalArgumentException for what is no format. */
    public static LogFormat fromString(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }
}
