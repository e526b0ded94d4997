package localaws;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON into Maps, Lists, Strings, numbers, Booleans and null, and back. */
final class Json {
    private static final int DEEPEST = 1000; // as AWS's runtime, which would run out of stack otherwise
    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    static Object read(String text) {
        Json json = new Json(text);
        Object value = json.value();
        if (json.peek() >= 0) throw json.unexpected();
        return value;
    }

    /** Nothing but what `Values.plain` gives. A member that is null is left out, as AWS's runtime does. */
    static String write(Object value) {
        StringBuilder json = new StringBuilder();
        write(value, json);
        return json.toString();
    }

    static StringBuilder quote(String text, StringBuilder json) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char each = text.charAt(i);
            if (each == '"' || each == '\\') json.append('\\').append(each);
            else if (each == '\n') json.append("\\n");
            else if (each == '\r') json.append("\\r");
            else if (each == '\t') json.append("\\t");
            else if (each < ' ') json.append("\\u00").append(each < 16 ? "0" : "").append(Integer.toHexString(each));
            else json.append(each);
        }
        return json.append('"');
    }

    private static void write(Object value, StringBuilder json) {
        if (value instanceof Map<?, ?> map) {
            json.append('{');
            String comma = "";
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                if (entry.getValue() == null) continue;
                quote(entry.getKey().toString(), json.append(comma)).append(':');
                write(entry.getValue(), json);
                comma = ",";
            }
            json.append('}');
        } else if (value instanceof List<?> list) {
            json.append('[');
            String comma = "";
            for (Object each : list) {
                write(each, json.append(comma));
                comma = ",";
            }
            json.append(']');
        } else if (value == null || value instanceof Boolean || isNumber(value)) {
            json.append(value);
        } else {
            quote(value.toString(), json); // NaN and Infinity, too, which are no numbers in JSON
        }
    }

    private static boolean isNumber(Object value) {
        return value instanceof Number number && (!(value instanceof Double || value instanceof Float)
            || Double.isFinite(number.doubleValue()));
    }

    private Object value() {
        int next = peek();
        if (next == '{' || next == '[') {
            if (++depth > DEEPEST) throw new IllegalArgumentException("JSON is nested deeper than " + DEEPEST);
            Object value = next == '{' ? object() : array();
            depth--;
            return value;
        }
        if (next == '"') return string();
        if (next == '-' || next >= '0' && next <= '9') return number();
        if (word("true")) return true;
        if (word("false")) return false;
        if (word("null")) return null;
        throw unexpected();
    }

    private Map<String, Object> object() {
        Map<String, Object> members = new LinkedHashMap<>();
        take('{');
        while (peek() != '}') {
            if (!members.isEmpty()) take(',');
            if (peek() != '"') throw unexpected();
            String name = string();
            take(':');
            members.put(name, value());
        }
        take('}');
        return members;
    }

    private List<Object> array() {
        List<Object> values = new ArrayList<>();
        take('[');
        while (peek() != ']') {
            if (!values.isEmpty()) take(',');
            values.add(value());
        }
        take(']');
        return values;
    }

    private String string() {
        StringBuilder string = new StringBuilder();
        take('"');
        while (true) {
            int end = at;
            while (end < text.length() && text.charAt(end) != '"' && text.charAt(end) != '\\') end++;
            string.append(text, at, end);
            at = end;
            if (end == text.length()) throw unexpected();
            at++;
            if (text.charAt(end) == '"') return string.toString();
            string.append(escaped());
        }
    }

    private char escaped() {
        char each = at < text.length() ? text.charAt(at++) : 0;
        switch (each) {
            case '"', '\\', '/': return each;
            case 'b': return '\b';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'u':
                if (at + 4 > text.length()) break;
                at += 4;
                return (char) Integer.parseInt(text, at - 4, at, 16);
            default:
        }
        throw unexpected();
    }

    /** Of the smallest type that holds it: Integer, Long, BigInteger, or Double. */
    private Number number() {
        int start = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) at++;
        String digits = text.substring(start, at);
        if (digits.indexOf('.') < 0 && digits.indexOf('e') < 0 && digits.indexOf('E') < 0) {
            BigInteger whole = new BigInteger(digits);
            if (whole.bitLength() < 32) return whole.intValue();
            return whole.bitLength() < 64 ? (Number) whole.longValue() : whole;
        }
        return Double.valueOf(digits);
    }

    private boolean word(String word) {
        boolean found = text.startsWith(word, at);
        if (found) at += word.length();
        return found;
    }

    private void take(char wanted) {
        if (peek() != wanted) throw unexpected();
        at++;
    }

    /** What comes after white space, or -1 at the end. */
    private int peek() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
        return at < text.length() ? text.charAt(at) : -1;
    }

    private IllegalArgumentException unexpected() {
        String found = at < text.length() ? "'" + text.charAt(at) + "'" : "the end";
        return new IllegalArgumentException("JSON has " + found + " at character " + at + ", where it cannot be");
    }
}
