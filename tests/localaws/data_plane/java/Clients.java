package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.util.LinkedHashMap;
import java.util.Map;

/** Handlers for the table of cases that all runtimes have: test_runtime_clients.py. */
public class Clients {
    static class Refused extends Exception {
        private static final long serialVersionUID = 1;

        Refused(String message) {
            super(message);
        }
    }

    public static class AtInit {
        static {
            if (true) throw new IllegalStateException("at init");
        }

        public String handle(String event) {
            return event;
        }
    }

    public String fails(Object event) {
        throw new IllegalArgumentException("bad value");
    }

    public String failsInItsOwnWay(Object event) throws Refused {
        throw new Refused("not today");
    }

    public Object same(Object event) {
        return event;
    }

    public Object notANumber(Object event) {
        return Double.NaN;
    }

    public Object cycle(Object event) {
        Map<String, Object> cycle = new LinkedHashMap<>();
        cycle.put("cycle", cycle);
        return cycle;
    }

    public String logs(Object event, Context context) {
        System.out.println("printed\ntwice");
        context.getLogger().log("of two\nlines", LogLevel.INFO);
        return "well";
    }

    public String levels(Object event, Context context) {
        context.getLogger().log("debugged", LogLevel.DEBUG);
        context.getLogger().log("informed", LogLevel.INFO);
        context.getLogger().log("warned", LogLevel.WARN);
        context.getLogger().log("failed", LogLevel.ERROR);
        return "well";
    }

    public Map<String, Object> context(Object event, Context context) {
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("id", context.getAwsRequestId());
        found.put("name", context.getFunctionName());
        found.put("version", context.getFunctionVersion());
        found.put("arn", context.getInvokedFunctionArn());
        found.put("memory", String.valueOf(context.getMemoryLimitInMB()));
        found.put("group", context.getLogGroupName());
        found.put("stream", context.getLogStreamName());
        found.put("remaining", context.getRemainingTimeInMillis());
        found.put("custom", context.getClientContext().getCustom().get("k"));
        found.put("identity", context.getIdentity() != null);
        return found;
    }

    public String later(Object event) throws InterruptedException {
        Thread thread = new Thread(() -> {
            throw new IllegalStateException("in a thread");
        });
        thread.start();
        thread.join();
        return "well";
    }
}
