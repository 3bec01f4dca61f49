/** Names of AWS errors that mean: no usable credentials. */
export const CREDENTIAL_ERRORS: readonly string[] = [
	"CredentialsProviderError",
	"ExpiredTokenException",
	"UnrecognizedClientException",
	"InvalidSignatureException",
	"TokenProviderError",
	"InvalidClientTokenId",
];
