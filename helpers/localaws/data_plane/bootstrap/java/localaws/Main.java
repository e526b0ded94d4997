package localaws;

import com.amazonaws.services.lambda.runtime.LambdaRuntime;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOError;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;

/**
 * A Lambda runtime for Java: loads the handler that _HANDLER names and serves invocations from the Runtime API.
 *
 * Its argument is the folder of the layers. What it says of errors is as AWS's own runtime says it.
 */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8));
        Log log = new Log(System.getenv("_LAMBDA_TELEMETRY_LOG_FD"));
        Field logger = LambdaRuntime.class.getDeclaredField("logger");
        logger.setAccessible(true);
        logger.set(null, log);
        RuntimeApi api = new RuntimeApi(System.getenv("AWS_LAMBDA_RUNTIME_API"));
        ClassLoader loader = Code.loader(System.getenv("LAMBDA_TASK_ROOT"), arguments[0]);
        Thread.currentThread().setContextClassLoader(loader);
        Handler handler = find(loader, api, log);
        while (serve(handler, api, log)) {}
    }

    private static Handler find(ClassLoader loader, RuntimeApi api, Log log) throws IOException {
        try {
            return Handlers.find(System.getenv("_HANDLER"), loader);
        } catch (Fault fault) {
            if (fault.fatal) {
                log.log(fault);
                api.initError(fault);
                System.exit(1);
            }
            return (event, context) -> {
                throw fault;
            };
        }
    }

    /** Serve one invocation; false where nothing can be expected of this process any more. */
    private static boolean serve(Handler handler, RuntimeApi api, Log log) throws IOException {
        RuntimeApi.Answer next = api.next();
        InvocationContext context = new InvocationContext(next.headers(), log);
        log.requestId = context.getAwsRequestId();
        log.tenantId = context.getTenantId();
        String trace = context.getXrayTraceId();
        if (trace != null) System.setProperty("com.amazonaws.xray.traceHeader", trace);
        else System.clearProperty("com.amazonaws.xray.traceHeader");
        byte[] answer;
        try {
            answer = handler.handle(next.body(), context);
        } catch (Throwable error) {
            Fault fault = Fault.of(error);
            log.log(fault);
            api.error(context.getAwsRequestId(), fault);
            return !(fault.fatal || error instanceof VirtualMachineError || error instanceof IOError);
        }
        Thread.interrupted(); // what the function has asked of this thread is over
        api.response(context.getAwsRequestId(), answer);
        return true;
    }
}
