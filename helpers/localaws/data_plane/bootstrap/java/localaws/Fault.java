package localaws;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** An error as Lambda is told of it; a fatal one ends Init, any other the invocation. */
final class Fault extends RuntimeException {
    private static final long serialVersionUID = 1;
    final String type; // the name of an exception's class, or null
    final transient StackTraceElement[] calls; // or null, for what is no exception of the handler
    final boolean fatal;
    private final String trace; // as Java prints it, or null

    /** What AWS's runtime says by itself, without an exception. */
    Fault(String message) {
        this(message, null, null, null, false);
    }

    /** An exception that AWS's runtime describes in its own words. */
    Fault(String message, Throwable error, boolean fatal) {
        this(message, error.getClass().getName(), printed(error), null, fatal);
    }

    private Fault(String message, String type, String trace, StackTraceElement[] calls, boolean fatal) {
        super(message, null, false, false);
        this.type = type;
        this.trace = trace;
        this.calls = calls;
        this.fatal = fatal;
    }

    /** What a handler threw. */
    static Fault of(Throwable error) {
        if (error instanceof Fault fault) return fault;
        String trace = printed(error);
        return new Fault(message(error), error.getClass().getName(), trace, error.getStackTrace(), false);
    }

    static String message(Throwable error) {
        String message = error.getLocalizedMessage();
        return message == null ? error.getClass().getName() : message;
    }

    /** For the log. */
    String text() {
        return type == null ? getMessage() + "\n" : getMessage() + ": " + type + "\n" + trace + "\n";
    }

    /** For the caller. */
    String json() {
        StringBuilder json = new StringBuilder("{\"errorMessage\":");
        Json.quote(getMessage(), json);
        if (type != null) Json.quote(type, json.append(",\"errorType\":"));
        if (calls != null) {
            json.append(",\"stackTrace\":[");
            for (int i = 0; i < calls.length; i++) Json.quote(calls[i].toString(), i == 0 ? json : json.append(","));
            json.append("]");
        }
        return json.append("}").toString();
    }

    private static String printed(Throwable error) {
        cut(error);
        StringWriter written = new StringWriter();
        error.printStackTrace(new PrintWriter(written));
        return written.toString();
    }

    /** Cut the stack traces where they leave the function: what is below is this runtime. */
    private static void cut(Throwable error) {
        cut(error, Collections.newSetFromMap(new IdentityHashMap<>()));
    }

    private static void cut(Throwable error, Set<Throwable> done) {
        if (error == null || !done.add(error)) return;
        StackTraceElement[] calls = error.getStackTrace();
        for (int i = 0; i < calls.length; i++) {
            if (calls[i].getClassName().startsWith("localaws.")) {
                error.setStackTrace(Arrays.copyOf(calls, i));
                break;
            }
        }
        cut(error.getCause(), done);
        for (Throwable suppressed : error.getSuppressed()) cut(suppressed, done);
    }
}
