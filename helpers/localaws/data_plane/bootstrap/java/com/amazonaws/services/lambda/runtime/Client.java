package com.amazonaws.services.lambda.runtime;

/** The program that has called, as it describes itself in the client context. */
public interface Client {
    String getInstallationId();

    String getAppTitle();

    String getAppVersionName();

    String getAppVersionCode();

    String getAppPackageName();
}
