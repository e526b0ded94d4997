package example;

import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.Context;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

public class Shapes {
    public record Line(String item, double price) {}

    public record Order(int id, List<Line> lines) {}

    public record Sum(int id, double sum, String nothing) {}

    public enum Kind { ONE }

    private static int calls = 0;
    private static volatile int ticks = 0;

    public static String text(String event) {
        return event + "!";
    }

    public int number(int event) {
        return event + 1;
    }

    public Long boxed(Long event) {
        return event + 1;
    }

    public double fraction(Double event) {
        return event / 2;
    }

    public boolean not(boolean event) {
        return !event;
    }

    public int total(List<Integer> event) {
        int total = 0;
        for (int each : event) total += each;
        return total;
    }

    public Map<String, Integer> lengths(Map<String, String> event) {
        Map<String, Integer> lengths = new LinkedHashMap<>();
        event.forEach((key, value) -> lengths.put(key, value.length()));
        return lengths;
    }

    public Object same(Object event) {
        return event;
    }

    public void nothing(Map<String, Object> event) {}

    public String noEvent() {
        return "no event";
    }

    public Object arrays(Context context) {
        return new Object[] {new int[] {1, 2}, new String[] {"a", null}, 'x', Kind.ONE};
    }

    public Sum order(Order order) {
        return new Sum(order.id(), order.lines().get(0).price(), null);
    }

    public String overloaded(String event) {
        return "String";
    }

    public String overloaded(String event, Context context) {
        return "String and Context";
    }

    public String overloaded(String event, String other) {
        return "no handler";
    }

    public void streams(InputStream input, OutputStream output) throws IOException {
        output.write(("{\"bytes\": " + input.readAllBytes().length + "}").getBytes(StandardCharsets.UTF_8));
    }

    public void output(OutputStream output) throws IOException {
        output.write("\"only output\"".getBytes(StandardCharsets.UTF_8));
    }

    public int count() {
        return ++calls;
    }

    public Map<String, Object> context(Object event, Context context) {
        ClientContext client = context.getClientContext();
        boolean traced = context.getXrayTraceId().equals(System.getProperty("com.amazonaws.xray.traceHeader"));
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("id", context.getAwsRequestId());
        found.put("group", context.getLogGroupName());
        found.put("stream", context.getLogStreamName());
        found.put("name", context.getFunctionName());
        found.put("version", context.getFunctionVersion());
        found.put("arn", context.getInvokedFunctionArn());
        found.put("tenant", context.getTenantId());
        found.put("remaining", context.getRemainingTimeInMillis());
        found.put("memory", context.getMemoryLimitInMB());
        String title = client.getClient().getAppTitle();
        found.put("client", List.of(title, client.getCustom().get("k"), client.getEnvironment().get("locale")));
        found.put("properties", List.of(traced, context.getIdentity() == null));
        return found;
    }

    public int garbage(int megabytes) {
        byte[] last = null;
        for (int i = 0; i < megabytes; i++) {
            last = new byte[1 << 20];
            for (int at = 0; at < last.length; at += 1024) last[at] = 1;
        }
        return last[0] * megabytes;
    }

    public List<String> options() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments();
    }

    public Object surroundings() throws IOException {
        new File("/tmp/mine").createNewFile();
        List<String> entries = List.of(new File("/tmp").list());
        new File("/tmp/mine").delete();
        return List.of(System.getenv().keySet(), entries);
    }

    public int ticks() throws InterruptedException {
        if (ticks == 0) {
            Thread thread = new Thread(() -> {
                while (true) {
                    ticks++;
                    try {
                        Thread.sleep(10);
                    } catch (InterruptedException error) {
                        return;
                    }
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
        while (ticks == 0) Thread.onSpinWait();
        return ticks;
    }

    public List<String> resources(List<String> names) throws IOException {
        List<String> found = new ArrayList<>();
        for (String name : names) {
            try (InputStream stream = getClass().getClassLoader().getResourceAsStream(name)) {
                found.add(stream == null ? null : new String(stream.readAllBytes(), StandardCharsets.UTF_8));
            }
        }
        return found;
    }
}
