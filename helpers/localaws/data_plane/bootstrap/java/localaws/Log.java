package localaws;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;

/** Logs messages as frames: one frame is one log event, however many lines it has. */
final class Log implements LambdaLogger {
    private static final int TEXT = 0xa55a0003;
    private static final int JSON = 0xa55a0002;
    private final boolean json = "JSON".equals(System.getenv("AWS_LAMBDA_LOG_FORMAT"));
    private final LogLevel least = level(System.getenv("AWS_LAMBDA_LOG_LEVEL"));
    private final FileOutputStream frames;
    volatile String requestId;
    volatile String tenantId;

    Log(String descriptor) throws IOException {
        frames = new FileOutputStream("/dev/fd/" + descriptor);
    }

    @Override
    public void log(String message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(byte[] message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(String message, LogLevel level) {
        if (!isEnabled(level)) return;
        String said = level == LogLevel.UNDEFINED ? String.valueOf(message) : "[" + level + "] " + message;
        write((json ? event(message, level) : said).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void log(byte[] message, LogLevel level) {
        if (isEnabled(level)) write(message == null ? "null".getBytes(StandardCharsets.UTF_8) : message);
    }

    void log(Fault fault) {
        log(fault.text(), json ? LogLevel.ERROR : LogLevel.UNDEFINED);
    }

    private boolean isEnabled(LogLevel level) {
        return level == LogLevel.UNDEFINED || level.compareTo(least) >= 0;
    }

    private String event(String message, LogLevel level) {
        DateTimeFormatter time = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("timestamp", time.format(Instant.now()));
        event.put("message", message);
        event.put("level", level.name());
        event.put("AWSRequestId", requestId);
        event.put("tenantId", tenantId); // left out where it is null
        return Json.write(event) + "\n";
    }

    private void write(byte[] message) {
        Instant now = Instant.now();
        ByteBuffer frame = ByteBuffer.allocate(16 + message.length); // big-endian
        frame.putInt(json ? JSON : TEXT).putInt(message.length);
        frame.putLong(now.getEpochSecond() * 1_000_000 + now.getNano() / 1000).put(message);
        synchronized (frames) {
            try {
                frames.write(frame.array());
            } catch (IOException error) {
                System.err.println(error);
            }
        }
    }

    private static LogLevel level(String name) {
        return name == null ? LogLevel.UNDEFINED : LogLevel.fromString(name);
    }
}
