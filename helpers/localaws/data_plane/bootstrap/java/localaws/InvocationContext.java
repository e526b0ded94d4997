package localaws;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The context of one invocation: what came with it, and what the environment variables say. */
record InvocationContext(Map<String, String> headers, LambdaLogger logger) implements Context {
    @Override
    public String getAwsRequestId() {
        return headers.get("lambda-runtime-aws-request-id");
    }

    @Override
    public String getLogGroupName() {
        return System.getenv("AWS_LAMBDA_LOG_GROUP_NAME");
    }

    @Override
    public String getLogStreamName() {
        return System.getenv("AWS_LAMBDA_LOG_STREAM_NAME");
    }

    @Override
    public String getFunctionName() {
        return System.getenv("AWS_LAMBDA_FUNCTION_NAME");
    }

    @Override
    public String getFunctionVersion() {
        return System.getenv("AWS_LAMBDA_FUNCTION_VERSION");
    }

    @Override
    public String getInvokedFunctionArn() {
        return headers.get("lambda-runtime-invoked-function-arn");
    }

    @Override
    public CognitoIdentity getIdentity() {
        return null; // the embedded AWS has no Cognito
    }

    @Override
    public ClientContext getClientContext() {
        String latin = headers.get("lambda-runtime-client-context");
        if (latin == null) return null;
        String json = new String(latin.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        return Values.convert(Json.read(json), Sent.class, Sent.class);
    }

    @Override
    public int getRemainingTimeInMillis() {
        long left = Long.parseLong(headers.get("lambda-runtime-deadline-ms")) - System.currentTimeMillis();
        return (int) Math.max(0, left);
    }

    @Override
    public int getMemoryLimitInMB() {
        return Integer.parseInt(System.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
    }

    @Override
    public LambdaLogger getLogger() {
        return logger;
    }

    @Override
    public String getTenantId() {
        return headers.get("lambda-runtime-aws-tenant-id");
    }

    @Override
    public String getXrayTraceId() {
        return headers.get("lambda-runtime-trace-id");
    }

    /** Components have the names of the JSON that clients send. */
    record Sent(SentClient client, Map<String, String> custom, Map<String, String> env) implements ClientContext {
        @Override
        public Client getClient() {
            return client;
        }

        @Override
        public Map<String, String> getCustom() {
            return custom;
        }

        @Override
        public Map<String, String> getEnvironment() {
            return env;
        }
    }

    record SentClient(
            String installation_id, String app_title, String app_version_name, String app_version_code,
            String app_package_name) implements Client {
        @Override
        public String getInstallationId() {
            return installation_id;
        }

        @Override
        public String getAppTitle() {
            return app_title;
        }

        @Override
        public String getAppVersionName() {
            return app_version_name;
        }

        @Override
        public String getAppVersionCode() {
            return app_version_code;
        }

        @Override
        public String getAppPackageName() {
            return app_package_name;
        }
    }
}
