package localaws;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What JSON gives, into the types that a handler asks for, and its answer into what JSON can hold.
 *
 * AWS's runtime has Jackson for this, which knows any class. Here: String, numbers, Boolean, Object, Map, List and
 * records, in each other.
 */
final class Values {
    private Values() {}

    /** Whether a handler can have an event of this type. */
    static boolean isKnown(Type type) {
        Class<?> raw = raw(type);
        if (raw.isRecord()) return true;
        for (Type each : arguments(type)) if (!isKnown(each)) return false;
        return raw == Object.class || raw == String.class || raw == boolean.class || raw == Boolean.class
            || boxed(raw) != null || isMap(raw) || isList(raw) || raw == Void.class;
    }

    @SuppressWarnings("unchecked")
    static <T> T convert(Object value, Type type, Class<T> raw) {
        return (T) convert(value, type);
    }

    /** The value as this type; IllegalArgumentException where it is none. */
    static Object convert(Object value, Type type) {
        Class<?> raw = raw(type);
        Type[] arguments = arguments(type);
        if (value == null) return raw.isPrimitive() ? Array.get(Array.newInstance(raw, 1), 0) : null; // 0, or false
        if (raw == Object.class) return value;
        if (raw == String.class && !(value instanceof Map || value instanceof List)) return value.toString();
        if ((raw == boolean.class || raw == Boolean.class) && value instanceof Boolean) return value;
        boolean canBeNumber = value instanceof Number || value instanceof String;
        if (canBeNumber && boxed(raw) != null) return number(value, boxed(raw));
        if (isMap(raw) && value instanceof Map<?, ?> map) {
            Map<Object, Object> converted = new LinkedHashMap<>();
            Type of = arguments.length == 2 ? arguments[1] : Object.class;
            map.forEach((key, each) -> converted.put(key, convert(each, of)));
            return converted;
        }
        if (isList(raw) && value instanceof List<?> list) {
            List<Object> converted = new ArrayList<>();
            Type of = arguments.length == 1 ? arguments[0] : Object.class;
            for (Object each : list) converted.add(convert(each, of));
            return converted;
        }
        if (raw.isRecord() && value instanceof Map<?, ?> map) return record(map, raw);
        throw new IllegalArgumentException("This is no " + type.getTypeName() + ": " + Json.write(value));
    }

    /** The same of Maps, Lists, Strings, numbers, Booleans and null alone; IllegalArgumentException where it is not. */
    static Object plain(Object value) {
        if (value == null || value instanceof String || value instanceof Boolean || isNumber(value)) return value;
        if (value instanceof Character || value instanceof Enum<?>) return value.toString();
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> plain = new LinkedHashMap<>();
            map.forEach((key, each) -> plain.put(String.valueOf(key), plain(each)));
            return plain;
        }
        if (value instanceof Collection<?> collection) {
            List<Object> plain = new ArrayList<>();
            for (Object each : collection) plain.add(plain(each));
            return plain;
        }
        if (value.getClass().isArray()) {
            List<Object> plain = new ArrayList<>();
            for (int i = 0; i < Array.getLength(value); i++) plain.add(plain(Array.get(value, i)));
            return plain;
        }
        if (value instanceof Record) {
            Map<String, Object> plain = new LinkedHashMap<>();
            for (RecordComponent each : value.getClass().getRecordComponents()) {
                plain.put(each.getName(), plain(read(each, value)));
            }
            return plain;
        }
        throw new IllegalArgumentException(refusal(value.getClass().getName()));
    }

    static String refusal(String type) {
        return "The embedded AWS makes no JSON of " + type + ", nor one of JSON, as AWS does; "
            + "use a record, a Map, a List, a String, a number, a Boolean, or a handler with streams.";
    }

    private static Object record(Map<?, ?> map, Class<?> raw) {
        RecordComponent[] components = raw.getRecordComponents();
        Class<?>[] types = new Class<?>[components.length];
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            types[i] = components[i].getType();
            values[i] = convert(map.get(components[i].getName()), components[i].getGenericType());
        }
        try {
            Constructor<?> constructor = raw.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return constructor.newInstance(values);
        } catch (InvocationTargetException error) {
            throw new IllegalArgumentException(error.getCause());
        } catch (ReflectiveOperationException error) {
            throw new IllegalArgumentException(error);
        }
    }

    private static Object read(RecordComponent component, Object record) {
        try {
            component.getAccessor().setAccessible(true);
            return component.getAccessor().invoke(record);
        } catch (ReflectiveOperationException error) {
            throw new IllegalArgumentException(error);
        }
    }

    private static Object number(Object value, Class<?> type) {
        if (type == Double.class) return Double.valueOf(value.toString()); // "NaN", too
        if (type == Float.class) return Float.valueOf(value.toString());
        BigDecimal number = new BigDecimal(value.toString());
        if (type == BigDecimal.class) return number;
        BigInteger whole = number.toBigInteger(); // the rest is cut off, as AWS's runtime does
        if (type == Long.class) return whole.longValueExact();
        if (type == Integer.class) return whole.intValueExact();
        if (type == Short.class) return whole.shortValueExact();
        if (type == Byte.class) return whole.byteValueExact();
        return type == Number.class ? number : whole;
    }

    private static boolean isNumber(Object value) {
        return value instanceof Number && boxed(value.getClass()) != null;
    }

    /** The class of objects for a type of numbers; null for any other type. */
    private static Class<?> boxed(Class<?> type) {
        if (type.isPrimitive() && type != boolean.class && type != char.class && type != void.class) {
            return Array.get(Array.newInstance(type, 1), 0).getClass();
        }
        boolean known = type == Integer.class || type == Long.class || type == Double.class || type == Float.class
            || type == Short.class || type == Byte.class || type == Number.class || type == BigDecimal.class
            || type == BigInteger.class;
        return known ? type : null;
    }

    private static boolean isMap(Class<?> type) {
        return type == Map.class || type == LinkedHashMap.class || type == java.util.HashMap.class;
    }

    private static boolean isList(Class<?> type) {
        return type == List.class || type == ArrayList.class || type == Collection.class || type == Iterable.class;
    }

    private static Type[] arguments(Type type) {
        return type instanceof ParameterizedType parameterized ? parameterized.getActualTypeArguments() : new Type[0];
    }

    private static Class<?> raw(Type type) {
        if (type instanceof Class<?> raw) return raw;
        if (type instanceof ParameterizedType parameterized) return raw(parameterized.getRawType());
        if (type instanceof TypeVariable<?> variable) return raw(variable.getBounds()[0]);
        if (type instanceof WildcardType wildcard) return raw(wildcard.getUpperBounds()[0]);
        return Object[].class; // an array of a generic type
    }
}
