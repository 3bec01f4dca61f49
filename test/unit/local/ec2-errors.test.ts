import { describe, expect, test } from "@jest/globals";
import { EC2_ERRORS, ec2ErrorKind, SOURCES, toEc2Error } from "../../../shared/aws/ec2-errors.ts";
import { Ec2Error, type Ec2ErrorKind } from "../../../shared/fleet/ec2.ts";

describe("EC2's codes", () => {
	test.each<[string, number, Ec2ErrorKind]>([
		["RequestLimitExceeded", 503, "throttled"],
		["Throttling", 400, "throttled"],
		["ThrottlingException", 400, "throttled"],
		["InsufficientInstanceCapacity", 500, "noCapacity"],
		["InsufficientHostCapacity", 500, "noCapacity"],
		["InsufficientReservedInstanceCapacity", 500, "noCapacity"],
		["InsufficientReservedInstancesCapacity", 400, "noCapacity"],
		["InsufficientCapacityOnHost", 400, "noCapacity"],
		["InsufficientAddressCapacity", 500, "noCapacity"],
		["InsufficientFreeAddressesInSubnet", 400, "noCapacity"],
		["MaxSpotInstanceCountExceeded", 400, "noCapacity"],
		["SpotMaxPriceTooLow", 400, "noCapacity"],
		["UnfulfillableCapacity", 400, "noCapacity"],
		["Unsupported", 400, "noCapacity"],
		["VcpuLimitExceeded", 400, "quota"],
		["InstanceLimitExceeded", 400, "quota"],
		["ResourceCountExceeded", 400, "quota"],
		["ResourceCountLimitExceeded", 400, "quota"],
		["InvalidInstanceID.NotFound", 400, "notFound"],
		["InvalidInstanceID.Malformed", 400, "notFound"],
		["InvalidInstanceID", 400, "unknown"],
		["IncorrectInstanceState", 400, "unknown"],
		["UnauthorizedOperation", 403, "configuration"],
		["AuthFailure", 401, "configuration"],
		["AuthFailure.ServiceLinkedRoleCreationNotPermitted", 403, "configuration"],
		["InvalidLaunchTemplateId.NotFound", 400, "configuration"],
		["InvalidLaunchTemplateId.VersionNotFound", 400, "configuration"],
		["InvalidAMIID.NotFound", 400, "configuration"],
		["InvalidSubnetID.NotFound", 400, "configuration"],
		["InvalidParameterValue", 400, "configuration"],
		["InvalidParameterCombination", 400, "configuration"],
		["IdempotentParameterMismatch", 400, "configuration"],
		["UnsupportedOperation", 400, "configuration"],
		["OptInRequired", 401, "configuration"],
		["SomethingNew", 400, "configuration"],
		["SomethingNew", 500, "unknown"],
		["InternalError", 500, "unknown"],
		["Unavailable", 503, "unknown"],
	])("%s (%i) is %s", (code, status, kind) => {
		expect(ec2ErrorKind(code, status).kind).toBe(kind);
	});

	test.each([
		["TimeoutError", "unknown"],
		["ECONNREFUSED", "unknown"],
		["CredentialsProviderError", "configuration"],
	])("%s without an answer is %s", (code, kind) => {
		expect(ec2ErrorKind(code, undefined).kind).toBe(kind);
	});

	test("each row can be reached and names its source", () => {
		for (const row of EC2_ERRORS) {
			expect(SOURCES[row.source]).toMatch(/^https:/);
			const { kind, note } = ec2ErrorKind(row.code.replaceAll("*", ""), 400);
			expect({ code: row.code, kind, note }).toEqual({ code: row.code, kind: row.kind, note: row.note });
		}
	});
});

describe("an error", () => {
	const thrown = (message: string) =>
		Object.assign(new Error(message), { name: "UnauthorizedOperation", $metadata: { httpStatusCode: 403 } });

	test("says what was asked, what EC2 said and how to mend it, and keeps its cause", () => {
		const cause = thrown("You are not authorized");
		const error = toEc2Error(cause, "EC2 was asked to stop i-1");
		expect(error).toMatchObject({ kind: "configuration", code: "UnauthorizedOperation", cause });
		expect(error.message).toMatch(
			/^EC2 was asked to stop i-1: UnauthorizedOperation: You are not authorized \(the role may not do this/,
		);
	});

	test("is not drowned in an encoded authorization failure", () => {
		const { message } = toEc2Error(thrown("x".repeat(5_000)), "EC2 was asked");
		expect(message.length).toBeLessThan(1_000);
		expect(message).toContain("…");
	});

	test("of ours stays as it is", () => {
		const error = new Ec2Error("quota", "VcpuLimitExceeded", "no more");
		expect(toEc2Error(error, "EC2 was asked")).toBe(error);
	});

	test("that is no error at all is unknown", () => {
		expect(toEc2Error("gone", "EC2 was asked")).toMatchObject({ kind: "unknown", cause: "gone" });
		expect(toEc2Error(undefined, "EC2 was asked")).toMatchObject({ kind: "unknown" });
	});
});
