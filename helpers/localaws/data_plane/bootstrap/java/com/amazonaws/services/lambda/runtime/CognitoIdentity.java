package com.amazonaws.services.lambda.runtime;

/** Who has called through the AWS Mobile SDK. */
public interface CognitoIdentity {
    String getIdentityId();

    String getIdentityPoolId();
}
