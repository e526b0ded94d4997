package localaws;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds the handler that a name such as "example.Handler::handleRequest" or "example.Handler" means.
 *
 * Which method it is, and in which words what is wrong is said, are those of
 * https://github.com/aws/aws-lambda-java-libs, aws-lambda-java-runtime-interface-client, EventHandlerLoader.java.
 */
final class Handlers {
    /** What a handler takes and gives, where it does not read and write itself. */
    private interface Call {
        Object handle(Object event, Context context) throws Throwable;
    }

    private Handlers() {}

    /** The handler; a Fault that is not fatal is for the first invocation to tell, as on AWS. */
    static Handler find(String name, ClassLoader loader) {
        int colons = name.lastIndexOf("::");
        String className = colons < 0 ? name : name.substring(0, colons);
        if (className.isEmpty() || name.endsWith("::")) throw new Fault("Invalid handler: `" + name + "'");
        Class<?> type;
        try {
            type = Class.forName(className, true, loader);
        } catch (ClassNotFoundException error) {
            throw new Fault("Class not found: " + className, error, false);
        } catch (NoClassDefFoundError error) {
            Fault fault = notLoaded(className, error);
            return (event, context) -> { // the first invocation tells it, and is the last of this process
                throw fault;
            };
        } catch (Throwable error) {
            throw notLoaded(className, error);
        }
        return colons < 0 ? ofInterface(type) : ofMethod(type, name.substring(colons + 2));
    }

    private static Fault notLoaded(String className, Throwable error) {
        String why = error.getMessage() == null ? "" : ": " + error.getMessage();
        return new Fault("Error loading class " + className + why, error, true);
    }

    private static Handler ofInterface(Class<?> type) {
        if (RequestStreamHandler.class.isAssignableFrom(type)) {
            RequestStreamHandler handler = (RequestStreamHandler) instance(type);
            return (event, context) -> {
                ByteArrayOutputStream answer = new ByteArrayOutputStream();
                handler.handleRequest(new ByteArrayInputStream(event), answer, context);
                return answer.toByteArray();
            };
        }
        if (!RequestHandler.class.isAssignableFrom(type)) {
            throw new Fault("Class does not implement an appropriate handler interface: " + type.getName());
        }
        Type[] types = parameters(type, Map.of());
        if (types == null) {
            throw new Fault(
                "Class " + type.getName() + " does not implement RequestHandler with concrete type parameters");
        }
        @SuppressWarnings("unchecked")
        RequestHandler<Object, Object> handler = (RequestHandler<Object, Object>) instance(type);
        return ofJson(types[0], handler::handleRequest);
    }

    private static Handler ofMethod(Class<?> type, String name) {
        Method[] methods;
        try {
            methods = type.getMethods();
        } catch (NoClassDefFoundError error) {
            throw new Fault("Error loading method " + name + " on class " + type.getName(), error, false);
        }
        // The one with the most parameters counts, and a Context at the end counts as two.
        Comparator<Method> order = Comparator.comparing(Method::isBridge);
        order = order.thenComparing(method -> -method.getParameterCount() - (takesContext(method) ? 1 : 0));
        Arrays.sort(methods, order);
        for (Method method : methods) {
            Handler handler = method.getName().equals(name) ? ofMethod(type, method) : null;
            if (handler != null) return handler;
        }
        throw new Fault("No public method named " + name + " with appropriate method signature found on class "
            + type.getName());
    }

    /** Null for a method that takes what no handler does. */
    private static Handler ofMethod(Class<?> type, Method method) {
        List<Type> types = new ArrayList<>(List.of(method.getGenericParameterTypes()));
        boolean context = takesContext(method);
        if (context) types.remove(types.size() - 1);
        boolean streams = types.contains(InputStream.class) || types.contains(OutputStream.class);
        boolean both = types.equals(List.of(InputStream.class, OutputStream.class));
        if (types.contains(Context.class) || types.size() > 1 && !both) return null;
        Object instance = Modifier.isStatic(method.getModifiers()) ? null : instance(type);
        if (streams) {
            return (event, given) -> {
                ByteArrayOutputStream answer = new ByteArrayOutputStream();
                List<Object> arguments = new ArrayList<>();
                if (types.contains(InputStream.class)) arguments.add(new ByteArrayInputStream(event));
                if (types.contains(OutputStream.class)) arguments.add(answer);
                if (context) arguments.add(given);
                invoke(method, instance, arguments);
                return answer.toByteArray();
            };
        }
        return ofJson(types.isEmpty() ? Object.class : types.get(0), (event, given) -> {
            List<Object> arguments = new ArrayList<>();
            if (!types.isEmpty()) arguments.add(event);
            if (context) arguments.add(given);
            return invoke(method, instance, arguments);
        });
    }

    private static Handler ofJson(Type type, Call call) {
        if (!Values.isKnown(type)) throw new Fault(Values.refusal(type.getTypeName()));
        return (event, context) -> {
            Object input;
            try {
                input = Values.convert(Json.read(new String(event, StandardCharsets.UTF_8)), type);
            } catch (RuntimeException error) {
                throw new RuntimeException("An error occurred during JSON parsing", error);
            }
            Object output = call.handle(input, context);
            try {
                return Json.write(Values.plain(output)).getBytes(StandardCharsets.UTF_8);
            } catch (RuntimeException | StackOverflowError error) {
                throw new RuntimeException("An error occurred during JSON serialization of response", error);
            }
        };
    }

    private static Object invoke(Method method, Object instance, List<Object> arguments) throws Throwable {
        try {
            return method.invoke(instance, arguments.toArray());
        } catch (InvocationTargetException error) {
            throw error.getCause();
        }
    }

    private static Object instance(Class<?> type) {
        Constructor<?> constructor;
        try {
            constructor = type.getConstructor();
        } catch (NoSuchMethodException error) {
            boolean inner = type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers());
            String why = inner ? " cannot be instantiated because it is a non-static inner class"
                : " has no public zero-argument constructor";
            Exception shown = new Exception("Class " + type.getName() + why, inner ? null : error);
            throw new Fault(shown.getMessage(), shown, false);
        }
        try {
            return constructor.newInstance();
        } catch (InvocationTargetException error) {
            throw new Fault(Fault.message(error.getCause()), error.getCause(), true);
        } catch (ReflectiveOperationException error) {
            throw new Fault(Fault.message(error), error, false);
        }
    }

    private static boolean takesContext(Method method) {
        Class<?>[] types = method.getParameterTypes();
        return types.length > 0 && types[types.length - 1] == Context.class;
    }

    /** What stands for RequestHandler's two type parameters in a class or above it; null where nothing does. */
    private static Type[] parameters(Type type, Map<TypeVariable<?>, Type> known) {
        Map<TypeVariable<?>, Type> here = new HashMap<>();
        Class<?> raw = type instanceof ParameterizedType each ? (Class<?>) each.getRawType() : (Class<?>) type;
        TypeVariable<?>[] variables = raw.getTypeParameters();
        if (type instanceof ParameterizedType parameterized) {
            Type[] given = parameterized.getActualTypeArguments();
            for (int i = 0; i < given.length; i++) here.put(variables[i], known.getOrDefault(given[i], given[i]));
        }
        if (raw == RequestHandler.class) {
            return here.isEmpty() ? null : new Type[] {here.get(variables[0]), here.get(variables[1])};
        }
        List<Type> above = new ArrayList<>(List.of(raw.getGenericInterfaces()));
        if (raw.getGenericSuperclass() != null) above.add(raw.getGenericSuperclass());
        for (Type each : above) {
            Type[] found = parameters(each, here);
            if (found != null) return found;
        }
        return null;
    }
}
