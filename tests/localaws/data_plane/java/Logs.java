package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaRuntime;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.nio.charset.StandardCharsets;

public class Logs {
    public void handle(Object event, Context context) {
        System.out.println("out é");
        System.out.println("two\nlines");
        System.err.println("err 日");
        context.getLogger().log("logger\nof two lines");
        context.getLogger().log("bytes".getBytes(StandardCharsets.UTF_8));
        context.getLogger().log("with a level", LogLevel.WARN);
        if (System.getenv("AWS_LAMBDA_LOG_LEVEL") != null) context.getLogger().log("not important", LogLevel.INFO);
        LambdaRuntime.getLogger().log("static");
    }
}
