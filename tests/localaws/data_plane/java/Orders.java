package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

/** Its types stand in the class above it alone. */
public class Orders extends Above<Shapes.Order> {
    @Override
    String say(Shapes.Order order) {
        return order.lines().size() + " lines in " + order.id();
    }
}

abstract class Above<T> implements RequestHandler<T, String> {
    abstract String say(T event);

    @Override
    public String handleRequest(T event, Context context) {
        return say(event);
    }
}
