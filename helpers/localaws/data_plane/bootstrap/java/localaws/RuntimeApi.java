package localaws;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The Runtime API's client, over one connection: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
 *
 * A socket of our own, as Java's HTTP clients load hundreds of classes, which each cold start would pay for.
 */
final class RuntimeApi {
    /** An answer; the names of its headers are in lower case. */
    record Answer(int status, Map<String, String> headers, byte[] body) {}

    private static final String PREFIX = "/2018-06-01/runtime/";
    private final String host;
    private final Socket socket;
    private final InputStream input;

    RuntimeApi(String address) throws IOException {
        int colon = address.lastIndexOf(':');
        int port = Integer.parseInt(address.substring(colon + 1));
        host = address;
        socket = new Socket(Proxy.NO_PROXY); // to look for a proxy takes longer than all the rest
        socket.connect(new InetSocketAddress(address.substring(0, colon), port));
        socket.setTcpNoDelay(true);
        input = new BufferedInputStream(socket.getInputStream());
    }

    Answer next() throws IOException {
        return ask("GET", "invocation/next", "", new byte[0]);
    }

    Answer response(String requestId, byte[] answer) throws IOException {
        return ask("POST", "invocation/" + requestId + "/response", "", answer);
    }

    void error(String requestId, Fault fault) throws IOException {
        // AWS's runtime gives one of these two types, whatever the class of the error is
        String type = fault.calls == null ? "Runtime.BadFunctionCode" : "Runtime.UserException";
        tell("invocation/" + requestId + "/error", type, fault);
    }

    void initError(Fault fault) throws IOException {
        tell("init/error", "Runtime.BadFunctionCode", fault);
    }

    private void tell(String path, String type, Fault fault) throws IOException {
        byte[] body = fault.json().getBytes(StandardCharsets.UTF_8);
        ask("POST", path, "Lambda-Runtime-Function-Error-Type: " + type + "\r\n", body);
    }

    private Answer ask(String method, String path, String headers, byte[] body) throws IOException {
        String head = method + " " + PREFIX + path + " HTTP/1.1\r\nHost: " + host + "\r\n"
            + "Content-Type: application/json\r\nContent-Length: " + body.length + "\r\n" + headers + "\r\n";
        byte[] start = head.getBytes(StandardCharsets.ISO_8859_1);
        byte[] request = new byte[start.length + body.length];
        System.arraycopy(start, 0, request, 0, start.length);
        System.arraycopy(body, 0, request, start.length, body.length);
        socket.getOutputStream().write(request);
        return read();
    }

    private Answer read() throws IOException {
        int status = Integer.parseInt(line().split(" ", 3)[1]);
        Map<String, String> headers = new HashMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
        }
        int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
        byte[] body = input.readNBytes(length);
        if (body.length < length) throw new EOFException("The Runtime API has ended");
        return new Answer(status, headers, body);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int each = input.read(); each != '\n'; each = input.read()) {
            if (each < 0) throw new EOFException("The Runtime API has ended");
            if (each != '\r') line.append((char) each);
        }
        return line.toString();
    }
}
