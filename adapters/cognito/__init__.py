"""Amazon Cognito: who a bearer token speaks for, and the embedded default's own user pool."""
