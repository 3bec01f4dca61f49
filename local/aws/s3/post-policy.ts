import { createHmac, timingSafeEqual } from "node:crypto";

/** A form that S3 would refuse. */
export class PolicyError extends Error {
	override readonly name = "PolicyError";
	readonly code: string;
	readonly status: number;
	constructor(status: number, code: string, message: string) {
		super(message);
		this.status = status;
		this.code = code;
	}
}

const denied = (message: string): PolicyError =>
	new PolicyError(403, "AccessDenied", `Invalid according to Policy: ${message}`);
const hmac = (key: Buffer | string, text: string): Buffer => createHmac("sha256", key).update(text).digest();

const checkSignature = (fields: Record<string, string>, secret: string): void => {
	const [, date = "", region = "", service = ""] = (fields["x-amz-credential"] ?? "").split("/");
	const key = [region, service, "aws4_request"].reduce<Buffer>(hmac, hmac(`AWS4${secret}`, date));
	const wanted = Buffer.from(hmac(key, fields["policy"] ?? "").toString("hex"));
	const given = Buffer.from(fields["x-amz-signature"] ?? "");
	if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
	throw new PolicyError(403, "SignatureDoesNotMatch", "The signature of the form does not match its policy.");
};

/**
 * Checks a presigned form as S3 does: signature, expiry, and each condition of the policy.
 * @param fields of the form, names in lower case, without the file
 */
export const checkPostPolicy = (
	fields: Record<string, string>,
	upload: { bucket: string; bytes: number; now: number; secret: string },
): void => {
	if (!fields["policy"]) throw new PolicyError(403, "AccessDenied", "The form has no policy.");
	checkSignature(fields, upload.secret);
	const policy = JSON.parse(Buffer.from(fields["policy"], "base64").toString("utf8")) as {
		expiration: string;
		conditions: (Record<string, string> | [string, string | number, string | number])[];
	};
	if (Date.parse(policy.expiration) < upload.now) throw denied("Policy expired.");
	const value = (name: string): string => (name === "bucket" ? upload.bucket : (fields[name.toLowerCase()] ?? ""));
	for (const condition of policy.conditions) {
		const [kind, a, b] = Array.isArray(condition)
			? condition
			: ["eq", `$${Object.keys(condition)[0]}`, Object.values(condition)[0] ?? ""];
		if (kind === "content-length-range") {
			if (upload.bytes < Number(a)) throw new PolicyError(400, "EntityTooSmall", `The upload is below ${a} bytes.`);
			if (upload.bytes > Number(b)) throw new PolicyError(400, "EntityTooLarge", `The upload is above ${b} bytes.`);
			continue;
		}
		const found = value(String(a).slice(1));
		const holds = kind === "eq" ? found === String(b) : kind === "starts-with" && found.startsWith(String(b));
		if (!holds) throw denied(`Policy Condition failed: ["${kind}", "${a}", "${b}"]`);
	}
};
