import { createPublicKey, createSign, generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { ConfigError } from "../../../shared/config/config-error.ts";
import { identitySettings, isSigned } from "../../../shared/hosts/identity.ts";
import { PUBLISHED_KEYS } from "../../../shared/hosts/identity-keys.ts";

const pem = (type: "rsa" | "ec"): { publicPem: string; privatePem: string; sign: (text: string) => string } => {
	const { publicKey, privateKey } =
		type === "rsa"
			? generateKeyPairSync("rsa", { modulusLength: 1_024 })
			: generateKeyPairSync("ec", { namedCurve: "P-256" });
	return {
		publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
		privatePem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
		sign: (text) => createSign("RSA-SHA256").update(text).sign(privateKey, "base64"),
	};
};
/** Self-signed, of a throw-away key. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIB/DCCAWWgAwIBAgIUMbR+JgEGCo8tInhWB8S38dgQVDYwDQYJKoZIhvcNAQEL
BQAwDzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjMwOTQ2NTVaGA8yMTI2MTAzMDA5
NDY1NVowDzENMAsGA1UEAwwEdGVzdDCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkC
gYEA7oG7LWW0WO4260j730I2wyF0DJpaVE5Fl1H3vOMB/1BskJm8mz/K7NdnNNHk
0rL9vrVgvRW9GBfPd3UKyrAATFTXxkALhQN3nochldJLGp80jyjNcDl7LOYNq82o
/oHhejs724EJsQ2W/mb4i1QANqPBW1OiSxtnihAhU0NWT9cCAwEAAaNTMFEwHQYD
VR0OBBYEFDeEMA6rRpGa8fScEGwYGSrafX+7MB8GA1UdIwQYMBaAFDeEMA6rRpGa
8fScEGwYGSrafX+7MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADgYEA
7P51tqDWGHMtmSas2sdwJ5P68z2QIeoOBEXkOf1k/vBG0jRZmQ4ni8hStLC+Mfu+
k43Adr3ykGdYiCZ3EhIMIjhPcXORTnn0klcxFeoc0+KGZcKV5ksrgakBbLzJraGD
HiZ+HmBPy4hyf5k0cgeXb2vUcwnTIacQlaSvVKHkPjs=
-----END CERTIFICATE-----
`;

describe("the keys that AWS publishes", () => {
	test.each(PUBLISHED_KEYS.map((entry) => [entry.regions.join(", "), entry] as const))("%s", (_, { spki, until }) => {
		const key = createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" });
		expect(key.asymmetricKeyType).toBe("rsa");
		expect(key.asymmetricKeyDetails).toMatchObject({ modulusLength: 1_024, publicExponent: 65_537n });
		// A certificate that has ended: AWS has published another one, which belongs here.
		expect(Date.parse(until)).toBeGreaterThan(Date.now());
	});

	test("each region has one", () => {
		const regions = PUBLISHED_KEYS.flatMap(({ regions }) => regions);
		expect(new Set(regions).size).toBe(regions.length);
		expect(new Set(PUBLISHED_KEYS.map(({ spki }) => spki)).size).toBe(PUBLISHED_KEYS.length);
		expect(regions.length).toBeGreaterThanOrEqual(37);
		for (const region of regions) expect(identitySettings(region, "").keys).toHaveLength(1);
	});
});

describe("the setting", () => {
	test("a region without key: says what to set", () => {
		expect(() => identitySettings("eu-nowhere-1", "")).toThrow(/BURST_IDENTITY_KEYS.*eu-nowhere-1/s);
		expect(() => identitySettings(undefined, "")).toThrow(/AWS_REGION/);
	});

	test("replaces what AWS publishes; several, one after the other", () => {
		const [first, second] = [pem("rsa"), pem("rsa")];
		const { keys } = identitySettings("us-east-1", `${first.publicPem}\n${second.publicPem}`);
		expect(keys).toHaveLength(2);
		expect(isSigned("text", first.sign("text"), keys)).toBe(true);
		expect(isSigned("text", second.sign("text"), keys)).toBe(true);
		expect(isSigned("text", pem("rsa").sign("text"), keys)).toBe(false);
	});

	test("in one line, and as a certificate", () => {
		const { publicPem, sign } = pem("rsa");
		const { keys } = identitySettings("eu-nowhere-1", publicPem.trim().replaceAll("\n", "\\n"));
		expect(isSigned("text", sign("text"), keys)).toBe(true);
		expect(identitySettings("eu-nowhere-1", CERTIFICATE).keys).toHaveLength(1);
	});

	test.each([
		["no PEM", "nonsense"],
		["a damaged one", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"],
		["a key that is not RSA", pem("ec").publicPem],
		["a private key", pem("rsa").privatePem],
	])("is refused: %s", (_, text) => {
		expect(() => identitySettings("us-east-1", text)).toThrow(ConfigError);
		expect(() => identitySettings("us-east-1", text)).toThrow(/BURST_IDENTITY_KEYS/);
	});
});
