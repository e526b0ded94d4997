package com.amazonaws.services.lambda.runtime.logging;

import java.util.Locale;

/** How important a message is; UNDEFINED is that of one logged without a level, which is never left out. */
public enum LogLevel {
    UNDEFINED,
    TRACE,
    DEBUG,
    INFO,
    WARN,
    ERROR,
    FATAL;

    /** In small letters or capitals; IllegalArgumentException for what is no level. */
    public static LogLevel fromString(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }
}
