import { Ec2Error, type Ec2ErrorKind } from "../fleet/ec2.ts";

/** What one of EC2's codes means for us. */
interface Row {
	/** EC2's code; with a `*` at its end: all that begin so. The first row that fits counts. */
	code: string;
	kind: Ec2ErrorKind;
	/** Where the code is documented: a key of {@link SOURCES}. */
	source: keyof typeof SOURCES;
	/** How to mend it, or why it is of this kind. */
	note?: string;
}

export const SOURCES = {
	/** Amazon EC2 API reference, "Error codes for the Amazon EC2 API". */
	ec2: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html",
	/** The errors that all of AWS's query services have in common. */
	common: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonErrors.html",
	/** What karpenter, which has launched more instances than we, takes for want of capacity. */
	karpenter: "https://github.com/aws/karpenter-provider-aws/blob/main/pkg/errors/errors.go",
	/** What the SDK itself takes for throttling, whatever the service. */
	sdk: "https://github.com/smithy-lang/smithy-typescript/blob/main/packages/core/src/submodules/retry/service-error-classification/constants.ts",
	/** Seen, and in many a bug report, though in none of the lists. */
	seen: "https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/errors.go",
} as const;

/**
 * EC2's codes and what they mean. A code that is not here: one of a 5xx answer, or none at all, is `unknown`; any other refusal is a
 * `configuration`, since EC2 sorts into 4xx what is wrong with the request or the account, which asking again does not mend.
 */
export const EC2_ERRORS: readonly Row[] = [
	{ code: "RequestLimitExceeded", kind: "throttled", source: "ec2" },
	{ code: "Throttl*", kind: "throttled", source: "sdk" },
	{ code: "RequestThrottled*", kind: "throttled", source: "sdk" },
	{ code: "EC2ThrottledException", kind: "throttled", source: "sdk" },
	{ code: "TooManyRequestsException", kind: "throttled", source: "sdk" },
	{ code: "BandwidthLimitExceeded", kind: "throttled", source: "sdk" },
	{ code: "SlowDown", kind: "throttled", source: "sdk" },

	{ code: "InsufficientInstanceCapacity", kind: "noCapacity", source: "ec2" },
	{ code: "InsufficientHostCapacity", kind: "noCapacity", source: "ec2" },
	{ code: "InsufficientReservedInstance*", kind: "noCapacity", source: "ec2" },
	{ code: "InsufficientVolumeCapacity", kind: "noCapacity", source: "ec2" },
	{ code: "InsufficientAddressCapacity", kind: "noCapacity", source: "ec2" },
	{ code: "InsufficientCapacity*", kind: "noCapacity", source: "ec2" },
	{
		code: "InsufficientFreeAddressesInSubnet",
		kind: "noCapacity",
		source: "ec2",
		note: "the subnet has no private address left; another subnet may",
	},
	{ code: "UnfulfillableCapacity", kind: "noCapacity", source: "karpenter" },
	{
		code: "MaxSpotInstanceCountExceeded",
		kind: "noCapacity",
		source: "karpenter",
		note: "a quota of spot alone: what is bought on demand need not wait for it",
	},
	{ code: "SpotMaxPriceTooLow", kind: "noCapacity", source: "ec2" },
	{
		code: "Unsupported",
		kind: "noCapacity",
		source: "karpenter",
		note: "the type is not offered in this zone; another offering may be",
	},
	{
		code: "Resource.AlreadyAssociated",
		kind: "noCapacity",
		source: "ec2",
		note: "the address is another instance's, or the instance has one; another address may be free",
	},

	{
		code: "VcpuLimitExceeded",
		kind: "quota",
		source: "ec2",
		note: 'raise the quota "Running On-Demand Standard instances" of Amazon EC2 in Service Quotas, or lower BURST_MAX_HOSTS',
	},
	{ code: "InstanceLimitExceeded", kind: "quota", source: "ec2", note: "raise the quota in Service Quotas" },
	{ code: "VolumeLimitExceeded", kind: "quota", source: "ec2", note: "raise the quota of EBS in Service Quotas" },
	{ code: "MaxIOPSLimitExceeded", kind: "quota", source: "ec2", note: "raise the quota of EBS in Service Quotas" },
	{ code: "AddressLimitExceeded", kind: "quota", source: "ec2", note: "raise the quota in Service Quotas" },
	{ code: "ResourceCount*Exceeded", kind: "quota", source: "ec2" },

	{ code: "InvalidInstanceID.NotFound", kind: "notFound", source: "ec2" },
	{ code: "InvalidInstanceID.Malformed", kind: "notFound", source: "ec2" },
	{
		code: "IdempotentInstanceTerminated",
		kind: "notFound",
		source: "ec2",
		note: "what this launch had started is terminated by now",
	},

	{
		code: "InvalidInstanceID",
		kind: "unknown",
		source: "seen",
		note: "said of a pending instance that is given an address: it can have it when it runs",
	},
	{ code: "IncorrectInstanceState", kind: "unknown", source: "ec2", note: "possible in another state: ask again" },
	{ code: "IncorrectState", kind: "unknown", source: "ec2" },
	{ code: "ConcurrentTagAccess", kind: "unknown", source: "ec2" },
	{ code: "RequestExpired", kind: "unknown", source: "ec2", note: "is the clock right?" },
	{ code: "ExpiredToken*", kind: "unknown", source: "common", note: "credentials are renewed by themselves" },
	{ code: "InternalError", kind: "unknown", source: "ec2" },
	{ code: "InternalFailure", kind: "unknown", source: "ec2" },
	{ code: "ServiceUnavailable", kind: "unknown", source: "ec2" },
	{ code: "Unavailable", kind: "unknown", source: "ec2" },

	{
		code: "UnauthorizedOperation",
		kind: "configuration",
		source: "ec2",
		note: "the role may not do this: does it name the stack's tag, the launch template, image, subnet and instance profile?",
	},
	{
		code: "AuthFailure*",
		kind: "configuration",
		source: "ec2",
		note: "check the account, and for spot its service-linked role",
	},
	{ code: "OptInRequired", kind: "configuration", source: "ec2", note: "subscribe to what the image asks for" },
	{ code: "Blocked", kind: "configuration", source: "ec2", note: "the account is blocked: ask AWS" },
	{ code: "PendingVerification", kind: "configuration", source: "ec2", note: "AWS still verifies the account" },
	{ code: "InvalidLaunchTemplate*", kind: "configuration", source: "ec2", note: "check BURST_LAUNCH_TEMPLATE" },
	{
		code: "InvalidAMIID.*",
		kind: "configuration",
		source: "ec2",
		note: "the launch template's image is gone or not of this region",
	},
	{ code: "InvalidSubnetID.*", kind: "configuration", source: "ec2", note: "check BURST_SUBNETS" },
	{ code: "InvalidAllocationID.*", kind: "configuration", source: "ec2", note: "check BURST_ADDRESS_POOL" },
	{
		code: "InvalidParameterCombination",
		kind: "configuration",
		source: "ec2",
		note: "the launch template may name no network interface, subnet or way of buying: each launch names its own",
	},
	{ code: "IdempotentParameterMismatch", kind: "configuration", source: "ec2" },
];

const fits = (pattern: string, code: string): boolean => {
	const [start = "", end] = pattern.split("*");
	return end === undefined ? code === pattern : code.startsWith(start) && code.endsWith(end);
};

/** Names of errors that are raised before a request leaves: nothing was carried out, and a person must mend it. */
const BEFORE_SENDING: readonly string[] = ["CredentialsProviderError"];

/** The kind of a refusal. @param status of the answer; undefined where there was none. */
export const ec2ErrorKind = (code: string, status: number | undefined): { kind: Ec2ErrorKind; note?: string } => {
	const row = EC2_ERRORS.find((candidate) => fits(candidate.code, code));
	if (row) return { kind: row.kind, ...(row.note === undefined ? {} : { note: row.note }) };
	if (BEFORE_SENDING.includes(code)) return { kind: "configuration" };
	return { kind: status !== undefined && status >= 400 && status < 500 ? "configuration" : "unknown" };
};

/** An encoded authorization failure fills pages. */
const MAX_MESSAGE_CHARS = 500;

/** What the SDK threw, as an error of ours. @param asked what EC2 was asked for, in words. */
export const toEc2Error = (error: unknown, asked: string): Ec2Error => {
	if (error instanceof Ec2Error) return error;
	const { name, message } = error instanceof Error ? error : new Error(String(error));
	const answer = (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata;
	const { kind, note } = ec2ErrorKind(name, answer?.httpStatusCode);
	const said = message.length > MAX_MESSAGE_CHARS ? `${message.slice(0, MAX_MESSAGE_CHARS)}…` : message;
	return new Ec2Error(kind, name, `${asked}: ${name}: ${said}${note === undefined ? "" : ` (${note})`}`, error);
};
