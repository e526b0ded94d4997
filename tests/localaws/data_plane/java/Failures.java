package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

public class Failures {
    public static class Bean {
        public String name;
    }

    public class Inner implements RequestHandler<Object, Object> {
        @Override
        public Object handleRequest(Object event, Context context) {
            return null;
        }
    }

    public static class Private {
        private Private() {}

        public void run() {}
    }

    public static class Static extends Failures.Base {
        static final int NONE = Integer.parseInt("none");
    }

    public static class Constructor extends Failures.Base {
        public Constructor() {
            throw new IllegalArgumentException("no constructor");
        }
    }

    public static class Base implements RequestHandler<Object, Object> {
        @Override
        public Object handleRequest(Object event, Context context) {
            return null;
        }
    }

    public String fail(String how) {
        if (how.equals("state")) throw new IllegalStateException("bad", new IOException("deeper"));
        if (how.equals("null")) throw new NullPointerException();
        return how;
    }

    public Object bean(Bean bean) {
        return null;
    }

    public Bean answersBean() {
        return new Bean();
    }

    public String exit(int code) {
        if (code != 0) System.exit(code);
        return "well";
    }

    public String fill(Object event) {
        if (event instanceof String once) return once;
        List<byte[]> kept = new ArrayList<>();
        while (true) kept.add(new byte[1 << 24]); // never touched as a whole, so that the heap is full first
    }

    public void buffers() {
        List<ByteBuffer> kept = new ArrayList<>();
        while (true) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
            for (int i = 0; i < buffer.capacity(); i += 1024) buffer.put(i, (byte) 1);
            kept.add(buffer);
        }
    }

    public String sleep(long milliseconds) throws InterruptedException {
        Thread.sleep(milliseconds);
        return "slept";
    }

    public String large(int size) {
        return "x".repeat(size);
    }
}
